/* SPDX-License-Identifier: MIT */
/*
 * The player. Which pages a program touches within its set is modelled, not recorded: some to its
 * youngest eighth, some to regions that are hot, the rest anywhere; what is hot changes as programs
 * allocate, not with the clock: a game that has loaded its level goes on as it is (README.md has
 * the shares and how they were fitted). Knows nothing of reclaim or balloons: it touches, guest.c
 * sees what that costs.
 */
#include "player.h"

#include "touch.h"

/* Hot and cold are properties of regions, as of the heaps and mappings of real programs: 256 KiB.
 */
#define REGION_PAGES 64u
/* Of the touches that are not cold, those of the youngest eighth of the set: 3 in 7. */
#define YOUNG_OF 7u
#define YOUNG    3u
/* Four in ten touches change the page. */
#define WRITES_OF 10u
#define WRITES    4u
/* A row replaces at most 1/8 of the set by churn. */
#define CHURN_PART 8u
/* Housekeeping runs after so many touches: background reclaim has a thread of its own. */
#define KEEP_TOUCHES 32u
/* How long programs take to start again after they were killed for memory. */
#define RESTART_US 2000000u

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * UINT64_C(0x7fb5d329728ea185);
	x = (x ^ (x >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
	return x ^ (x >> 33);
}

static uint32_t frames_up(uint32_t pages, uint32_t granule)
{
	return (pages + granule - 1u) / granule;
}

void sim_player_needs(const struct sim_load *load, uint32_t granule, uint64_t ram_pages,
		      uint32_t *anon_limit, uint32_t *file_limit)
{
	/* A block that is read anew is dropped first: a ring of twice the memory is as good as a
	 * film. */
	const uint64_t most = 2u * ram_pages;
	const uint64_t reads = sim_load_file_reads(load);
	const uint64_t ring = reads < most ? reads : most;

	*anon_limit = frames_up(sim_load_anon_max(load), granule) + 1u;
	*file_limit = (uint32_t)((load->hot_file + ring) / granule) + 2u;
}

void sim_player_start(struct sim_guest *g, uint64_t seed)
{
	struct sim_player *p = &g->player;

	*p = (struct sim_player){
		.load = &g->config->load,
		.random = seed,
		.seed = mix(seed + 1u),
		.loop = g->config->loop,
		.playing = g->config->load.rows > 0,
		.start_us = g->config->start_ms * 1000u,
		.hot_file = g->config->load.hot_file / g->granule,
		.ring = g->mm.file_limit,
		.phase_pages = sim_load_anon_max(&g->config->load) + 1u,
	};
	p->next_block = p->hot_file;
	p->oldest_block = p->hot_file;
}

static void shrink(struct sim_guest *g, uint32_t live)
{
	struct sim_player *p = &g->player;

	mm_anon_free(&g->mm, live, p->live - live);
	for (uint32_t vpn = live; vpn < p->live; vpn++) {
		sim_truth_forget(&g->truth, vpn);
	}
	p->live = live;
	g->mm.committed = live;
}

static uint32_t ring_next(const struct sim_player *p, uint32_t block)
{
	return block + 1u < p->ring ? block + 1u : p->hot_file;
}

static void drop_oldest(struct sim_guest *g, uint32_t count)
{
	struct sim_player *p = &g->player;

	while (count-- > 0 && p->oldest_block != p->next_block) {
		cache_drop(&g->mm, p->oldest_block, 1);
		sim_truth_forget(&g->truth, g->mm.anon_limit + p->oldest_block);
		p->oldest_block = ring_next(p, p->oldest_block);
	}
}

static uint32_t share(uint64_t *rest, uint64_t rate_ms, uint32_t granule)
{
	const uint64_t unit = 1000u * (uint64_t)granule;
	const uint64_t sum = rate_ms + *rest;

	*rest = sum % unit;
	return (uint32_t)(sum / unit);
}

static void begin_row(struct sim_guest *g)
{
	struct sim_player *p = &g->player;
	const struct sim_row *row = &p->load->row[p->row];
	const uint32_t anon = frames_up(row->anon, g->granule);
	const uint32_t file = row->file / g->granule;
	const uint32_t growth = anon > p->live ? anon - p->live : 0;
	const uint64_t grown = (uint64_t)growth * g->granule;
	const uint64_t fresh = row->churn > grown ? row->churn : grown;
	uint32_t churn = row->churn / g->granule;
	uint64_t ops;

	if (anon < p->live) {
		shrink(g, anon);
	}
	churn = churn > growth ? churn - growth : 0;
	churn = churn < p->live / CHURN_PART ? churn : p->live / CHURN_PART;
	shrink(g, p->live - churn);
	if (p->row == 0) {
		/* From the start again: programs are read once more, if they are still there. */
		p->file = 0;
		p->filled = 0;
	} else if (file < p->file) {
		drop_oldest(g, p->file - file);
	}
	p->reads = file > p->file ? file - p->file : 0;
	p->file = file;
	p->grow_to = anon;
	p->touches = share(&p->touch_rest, (uint64_t)row->cpu_ms * p->load->touch, g->granule);
	p->code_reads =
		share(&p->code_rest, (uint64_t)row->cpu_ms * p->load->touch_file, g->granule);
	p->hot_reads = share(&p->file_rest, fresh * p->load->touch_new, g->granule);
	p->new_pages += fresh;
	ops = (uint64_t)p->reads + p->code_reads + p->hot_reads + (p->grow_to - p->live) +
	      p->touches;
	p->op_ns = ops == 0 ? 0 : row->cpu_ms * UINT64_C(1000000) / ops;
	p->row_start_us = g->clock_us;
}

static void end_row(struct sim_guest *g)
{
	struct sim_player *p = &g->player;
	const uint32_t ms = p->load->row[p->row].ms;

	/* What the row waited for memory comes out of the time in which it would have waited for
	 * users; only what is more than that makes it late. */
	if (g->clock_us < p->row_start_us + ms * 1000u) {
		g->clock_us = p->row_start_us + ms * 1000u;
	}
	p->done_ms += ms;
	p->in_row = false;
	if (++p->row == p->load->rows) {
		p->row = p->load->again;
		p->playing = p->loop;
		if (!p->loop) {
			p->end_us = g->clock_us;
			shrink(g, 0);
		}
	}
}

static void read_new(struct sim_guest *g)
{
	struct sim_player *p = &g->player;

	if (p->filled < p->hot_file) {
		const uint32_t block = p->filled++;

		sim_guest_read(g, block, cache_lookup(&g->mm, block) == MM_NONE);
		return;
	}
	if (ring_next(p, p->next_block) == p->oldest_block) {
		drop_oldest(g, 1);
	}
	cache_drop(&g->mm, p->next_block, 1);
	sim_guest_read(g, p->next_block, true);
	p->next_block = ring_next(p, p->next_block);
}

static void read_hot(struct sim_guest *g)
{
	struct sim_player *p = &g->player;

	if (p->filled > 0) {
		/* The smaller of two draws: blocks at the start are used most. */
		const uint32_t a = sim_random(&p->random, p->filled);
		const uint32_t b = sim_random(&p->random, p->filled);

		sim_guest_read(g, a < b ? a : b, false);
	}
}

static void read_code(struct sim_guest *g)
{
	struct sim_player *p = &g->player;

	if (p->filled > 0) {
		const uint64_t code = (uint64_t)p->filled * p->load->code_permille / 1000u;

		sim_guest_read(g, sim_random(&p->random, (uint32_t)code + 1u) % p->filled, false);
	}
}

static bool is_hot(const struct sim_guest *g, uint32_t vpn)
{
	const struct sim_player *p = &g->player;
	const uint32_t region = vpn * g->granule / REGION_PAGES;
	const uint64_t own = mix(p->seed + region);
	const uint64_t phase = (p->new_pages + own % p->phase_pages) / p->phase_pages;

	return mix(own + phase) % 1000u < p->load->hot_permille;
}

static uint32_t choose_page(struct sim_guest *g)
{
	struct sim_player *p = &g->player;
	uint32_t vpn = 0;

	if (p->load->pattern == SIM_PATTERN_SWEEP) {
		p->cursor = p->cursor + 1u < p->live ? p->cursor + 1u : 0;
		return p->cursor;
	}
	if (p->load->pattern == SIM_PATTERN_LIST) {
		/* All pages of one number, then those of the next. */
		const uint32_t page = p->load->list[p->cursor] * p->load->unit + p->within;

		p->within += g->granule;
		if (p->within >= p->load->unit) {
			p->within = 0;
			p->cursor = p->cursor + 1u < p->load->list_count ? p->cursor + 1u : 0;
		}
		return page / g->granule < p->live ? page / g->granule : p->live - 1u;
	}
	if (sim_random(&p->random, 1000) < p->load->cold_permille) {
		return sim_random(&p->random, p->live);
	}
	if (sim_random(&p->random, YOUNG_OF) < YOUNG) {
		return p->live - 1u - sim_random(&p->random, p->live / 8u + 1u);
	}
	/* With hot regions rare, a few tries may not find one; then any page will do. */
	for (uint32_t tries = 0; tries < 8u; tries++) {
		vpn = sim_random(&p->random, p->live);
		if (is_hot(g, vpn)) {
			break;
		}
	}
	return vpn;
}

static void spend(struct sim_guest *g)
{
	struct sim_player *p = &g->player;

	p->op_rest_ns += p->op_ns;
	g->clock_us += p->op_rest_ns / 1000u;
	p->op_rest_ns %= 1000u;
}

/* The set was killed: the programs start again, and grow back to what they had. */
static void restart(struct sim_guest *g)
{
	struct sim_player *p = &g->player;

	p->seen_kills = g->mm.oom_kills;
	shrink(g, 0);
	mm_anon_free(&g->mm, 0, g->mm.anon_limit);
	sim_guest_stall(g, g->clock_us + RESTART_US);
}

void sim_player_step(struct sim_guest *g)
{
	struct sim_player *p = &g->player;

	if (g->clock_us < p->start_us) {
		g->clock_us = p->start_us;
		return;
	}
	if (!p->in_row) {
		begin_row(g);
		p->in_row = true;
	}
	if (p->reads > 0) {
		p->reads--;
		read_new(g);
	} else if (p->code_reads > 0) {
		p->code_reads--;
		read_code(g);
	} else if (p->hot_reads > 0) {
		p->hot_reads--;
		read_hot(g);
	} else if (p->live < p->grow_to) {
		g->mm.committed = p->live + 1u;
		sim_guest_touch(g, p->live++, true);
	} else if (p->touches > 0 && p->live > 0) {
		p->touches--;
		sim_guest_touch(g, choose_page(g), sim_random(&p->random, WRITES_OF) < WRITES);
	} else {
		end_row(g);
		return;
	}
	spend(g);
	if (g->mm.oom_kills != p->seen_kills) {
		restart(g);
	}
	if ((p->touches + p->code_reads + p->hot_reads + p->live) % KEEP_TOUCHES == 0) {
		sim_guest_housekeeping(g);
	}
}

double sim_player_work(const struct sim_player *p, uint64_t now_us)
{
	const uint64_t until_us = p->end_us != 0 ? p->end_us : now_us;
	const uint64_t since_us = until_us > p->start_us ? until_us - p->start_us : 0;

	if (since_us == 0 || p->load->rows == 0) {
		return 1.0;
	}
	const double work = (double)p->done_ms * 1000.0 / (double)since_us;

	return work < 1.0 ? work : 1.0;
}
