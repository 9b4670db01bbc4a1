/* SPDX-License-Identifier: MIT */
/*
 * One simulated guest: start, end, and its turn. What its kernel does is in board/guest/kernel,
 * what its programs do in player.c and touch.c, how its balloon behaves in manners.c, what it says
 * in report.c.
 */
#include "guest.h"

#include <stdlib.h>

#include "manners.h"
#include "player.h"
#include "report.h"
#include "touch.h"

#define FEATURES                                                                           \
	(POISE_GF_AVAILABLE | POISE_GF_SWAP_FLOW | POISE_GF_REFAULT | POISE_GF_COMMITTED | \
	 POISE_GF_RECLAIM | POISE_GF_URGENT)

static bool start_memory(struct sim_guest *g)
{
	const struct sim_vm_config *c = g->config;
	struct mm_config config = {
		.machine = g,
		.page_count = (uint32_t)(c->max_pages / g->granule),
		.boot_pages = (uint32_t)(c->boot_pages / g->granule),
		.slot_count = (uint32_t)(c->swap_pages / g->granule),
		.swappiness = c->swappiness,
		.granule = g->granule,
		.anon_active = c->anon_active,
	};
	const uint32_t kernel = (uint32_t)(c->kernel_pages / g->granule);

	sim_player_needs(&c->load, g->granule, c->max_pages, &config.anon_limit,
			 &config.file_limit);
	if (posix_memalign(&g->tables, GUEST_PAGE_BYTES, mm_table_bytes(&config)) != 0) {
		g->tables = NULL;
		return false;
	}
	__builtin_memset(g->tables, 0, mm_table_bytes(&config));
	g->frame_of = calloc(config.anon_limit, sizeof(*g->frame_of));
	g->young = calloc(config.anon_limit, 1);
	g->probe = calloc(config.page_count, 1);
	if (g->frame_of == NULL || g->young == NULL || g->probe == NULL ||
	    !sim_truth_start(&g->truth, config.anon_limit + config.file_limit)) {
		return false;
	}
	if (g->books->curves && !sim_truth_curve_start(&g->truth)) {
		return false;
	}
	mm_init(&g->mm, &config, g->tables);
	mm_add_free(&g->mm, kernel, config.boot_pages - kernel);
	g->mm.balloon.mode = BALLOON_STUCK;
	g->mm.balloon.floor =
		(uint32_t)((c->lower_pages > c->floor_pages ? c->lower_pages : c->floor_pages) /
			   g->granule);
	return true;
}

static bool start_pages(struct sim_guest *g)
{
	void *pages;

	if (posix_memalign(&pages, POISE_ABI_PAGE_BYTES, 2u * POISE_ABI_PAGE_BYTES) != 0) {
		return false;
	}
	__builtin_memset(pages, 0, 2u * POISE_ABI_PAGE_BYTES);
	g->page = pages;
	g->host_page = (struct poise_host_page *)((char *)pages + POISE_ABI_PAGE_BYTES);
	return true;
}

static bool start_driver(struct sim_guest *g)
{
	const struct sim_vm_config *c = g->config;
	uint32_t features = FEATURES;

	features |= c->anon_active ? 0 : POISE_GF_ANON_INACTIVE;
	features |= c->floor_pages != 0 ? POISE_GF_FLOOR : 0;
	/* Other guests' and other boots' generations have other remainders and quotients. */
	return gd_init(&g->driver, g->page, g->host_page,
		       g->index + 1u + g->boots * UINT64_C(1000) * SIM_VM_MAX, c->max_pages,
		       features) == 0;
}

/* What the guest that ends here has done stays on record. */
static void remember(struct sim_guest *g)
{
	const struct mm *m = &g->mm;

	g->past.swap_out += m->swap_out * g->granule;
	g->past.swap_in += m->swap_in * g->granule;
	g->past.refault_anon += m->refault_anon * g->granule;
	g->past.refault_file += m->refault_file * g->granule;
	g->past.oom_kills += m->oom_kills;
	g->mm = (struct mm){0};
}

static void free_memory(struct sim_guest *g)
{
	free(g->tables);
	free(g->frame_of);
	free(g->young);
	free(g->probe);
	sim_truth_stop(&g->truth);
	g->tables = g->frame_of = NULL;
	g->young = g->probe = NULL;
}

bool sim_guest_boot(struct sim_guest *g)
{
	const uint64_t now_us = g->books->now_us;
	const uint64_t interval_us = g->publish_ms * UINT64_C(1000);

	sim_guest_leave(g);
	g->present = true;
	g->clock_us = now_us;
	g->moved_us = now_us;
	g->boots++;
	/* Each guest's timer has its own moment. */
	g->next_publish_us =
		now_us + interval_us * (g->index + 1u) / (g->books->scenario->vm_count + 1u);
	if (!start_memory(g) || !start_driver(g)) {
		sim_guest_stop(g);
		return false;
	}
	sim_player_start(g, g->random);
	if (now_us > 0) {
		g->player.start_us = now_us;
	}
	return true;
}

void sim_guest_leave(struct sim_guest *g)
{
	if (g->present) {
		remember(g);
		free_memory(g);
		g->player.end_us = g->player.end_us != 0 ? g->player.end_us : g->books->now_us;
	}
	g->present = false;
	g->held_pages = 0;
	g->answered = false;
	g->rewinds = 0;
	g->rewound = (struct poise_abi_guest){0};
}

bool sim_guest_start(struct sim_guest *g, struct sim_books *books, uint32_t index)
{
	const struct sim_scenario *s = books->scenario;

	*g = (struct sim_guest){
		.config = &books->config[index],
		.books = books,
		.index = index,
		.granule = s->granule,
		.allowed_pages = books->config[index].boot_pages,
		.publish_ms = s->interval_ms,
		.random = books->seed * UINT64_C(0x2545f4914f6cdd1d) + index,
	};
	return start_pages(g) && (g->config->absent || sim_guest_boot(g));
}

void sim_guest_stop(struct sim_guest *g)
{
	free_memory(g);
	free(g->page);
	g->page = NULL;
}

static void run(struct sim_guest *g, uint64_t now_us, uint64_t until_us)
{
	sim_balloon_poll(g);
	sim_balloon_run(g, now_us);
	sim_guest_housekeeping(g);
	if (now_us >= g->next_publish_us) {
		sim_guest_publish(g);
		g->next_publish_us += g->publish_ms * UINT64_C(1000);
		if (sim_guest_is_greedy(g)) {
			machine_pressure(g);
		}
	}
	if (sim_report_is(g, SIM_REPORT_STORM)) {
		sim_guest_ring(g, 0);
	}
	while (g->player.playing && g->clock_us < until_us) {
		sim_player_step(g);
	}
	if (!g->player.playing && g->clock_us < until_us) {
		g->clock_us = until_us;
	}
}

void sim_guest_run(struct sim_guest *g, uint64_t now_us, uint64_t until_us)
{
	if (g->present && setjmp(g->broken) == 0) {
		run(g, now_us, until_us);
	}
}
