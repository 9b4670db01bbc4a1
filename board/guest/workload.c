/* SPDX-License-Identifier: MIT */
/*
 * The workload: turns rows of a trace into first touches, re-touches, frees and file reads, and
 * checks every word it ever wrote when it sees it again. It uses memory as a program would: the
 * window for anonymous pages, cache_read for files. Deterministic: no time, no randomness but its
 * seed.
 */
#include "workload.h"
#include "../blkpattern.h"

/* Hot and cold are properties of regions, as of the heaps and mappings of real programs. */
#define REGION_PAGES 64u
/* A region's temperature is drawn anew every so many rows, each region at its own moment: 60 s. */
#define PHASE_ROWS 240u
/* Shares of the touches, in 256ths: the youngest eighth of the set, hot regions; the rest anywhere.
 */
#define TOUCH_YOUNG 96u
#define TOUCH_HOT   128u
/* Housekeeping runs after so many touches: less than low - min of the smallest guest. */
#define POLL_TOUCHES 32u
/* A row replaces at most 1/8 of the set by churn. */
#define CHURN_PART 8u

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * UINT64_C(0x7fb5d329728ea185);
	x = (x ^ (x >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
	return x ^ (x >> 33);
}

/* xorshift64*: cheap, and good enough to choose pages. Returns 0..bound-1. */
static uint32_t draw(struct workload *w, uint32_t bound)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (uint32_t)(((w->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * bound >> 32);
}

static uint64_t tag(const struct workload *w, uint32_t vpn, uint8_t generation)
{
	return mix(w->config.boot_id ^ ((uint64_t)vpn << 20) ^ generation) | 1u;
}

bool workload_open(struct workload *w, const struct workload_config *config, uint32_t *anon_limit,
		   uint32_t *file_limit)
{
	const struct trace_head *head = config->blob;
	uint32_t file = 0;

	*w = (struct workload){.config = *config};
	*anon_limit = 0;
	*file_limit = 0;
	if (head == NULL || config->blob_bytes < sizeof(*head) || head->magic != TRACE_MAGIC ||
	    head->version != TRACE_VERSION || config->scale == 0 || head->interval_ms == 0 ||
	    head->rows > (config->blob_bytes - sizeof(*head)) / sizeof(struct trace_row)) {
		return false;
	}
	w->head = head;
	w->rows = (const struct trace_row *)(head + 1);
	w->row_count = config->rows != 0 && config->rows < head->rows ? config->rows : head->rows;
	w->random = mix(config->seed + UINT64_C(1)) | 1u;
	w->hot_file = head->hot_file / config->scale;
	for (uint32_t i = 0; i < w->row_count; i++) {
		const uint32_t now = w->rows[i].file / config->scale;

		if (w->rows[i].anon / config->scale > *anon_limit) {
			*anon_limit = w->rows[i].anon / config->scale;
		}
		*file_limit += now > file ? now - file : 0;
		file = now;
	}
	if (*file_limit > config->file_blocks) {
		*file_limit = (uint32_t)config->file_blocks;
	}
	if (w->hot_file > *file_limit) {
		w->hot_file = *file_limit;
	}
	w->oldest_block = w->hot_file;
	return true;
}

void workload_start(struct workload *w, struct mm *m, uint8_t *generation)
{
	w->m = m;
	w->generation = generation;
	w->seen_kills = m->oom_kills;
}

void workload_housekeeping(struct mm *m)
{
	reclaim_background(m, RECLAIM_BATCH * 4u);
	balloon_step(m, RECLAIM_BATCH * 2u);
}

static void poll(struct workload *w)
{
	if (++w->touches % POLL_TOUCHES == 0) {
		machine_poll(w->m->machine);
		workload_housekeeping(w->m);
	}
}

/* The set was killed in the middle of a touch: starts over with none of it. */
static void restart(struct workload *w, uint32_t vpn)
{
	w->seen_kills = w->m->oom_kills;
	mm_anon_free(w->m, vpn, 1);
	for (uint32_t i = 0; i < w->m->anon_limit; i++) {
		w->generation[i] = 0;
	}
	w->base = w->rows[w->row].anon / w->config.scale;
	w->live = 0;
	w->row_live = 0;
	w->m->committed = 0;
}

/* Touches a page as a program does that reads a value and changes it. Returns false after a kill.
 */
static bool touch(struct workload *w, uint32_t vpn)
{
	volatile uint64_t *page = machine_window(w->m->machine, vpn);
	const uint8_t generation = w->generation[vpn];
	const uint64_t found = page[0];
	uint64_t expected = 0;

	/* The load may have faulted, and the fault may have changed anything in `m`. */
	__asm__ volatile("" ::: "memory");
	if (w->m->oom_kills != w->seen_kills) {
		restart(w, vpn);
		return false;
	}
	if (generation != 0) {
		expected = tag(w, vpn, generation);
	}
	if (found != expected) {
		machine_corrupt(w->m->machine, "anonymous page", vpn, found, expected);
	}
	if (generation != 0) {
		expected = ~expected;
	}
	if (page[GUEST_PAGE_WORDS - 1u] != expected) {
		machine_corrupt(w->m->machine, "end of anonymous page", vpn,
				page[GUEST_PAGE_WORDS - 1u], expected);
	}
	w->generation[vpn] = generation == UINT8_MAX ? 1u : (uint8_t)(generation + 1u);
	page[0] = tag(w, vpn, w->generation[vpn]);
	page[GUEST_PAGE_WORDS - 1u] = ~page[0];
	poll(w);
	return true;
}

/* The youngest pages go first: a program's own memory is old, a page's, tab's or level's is young.
 */
static void shrink(struct workload *w, uint32_t live)
{
	mm_anon_free(w->m, live, w->live - live);
	for (uint32_t vpn = live; vpn < w->live; vpn++) {
		w->generation[vpn] = 0;
	}
	w->live = live;
	w->m->committed = live;
}

static bool grow(struct workload *w, uint32_t live)
{
	while (w->live < live) {
		const uint32_t vpn = w->live++;

		w->m->committed = w->live;
		if (!touch(w, vpn)) {
			return false;
		}
	}
	return true;
}

static bool region_is_hot(const struct workload *w, uint32_t vpn)
{
	const uint32_t region = vpn / REGION_PAGES;
	const uint64_t own = mix(((uint64_t)w->config.seed << 32) + region);
	const uint64_t phase = (w->row + own % PHASE_ROWS) / PHASE_ROWS;

	return mix(own + phase) % 100u < w->config.hot_percent;
}

static uint32_t choose_page(struct workload *w)
{
	const uint32_t kind = draw(w, 256);
	uint32_t vpn = 0;

	if (w->head->kind == TRACE_SWEEP) {
		w->sweep = w->sweep + 1u < w->live ? w->sweep + 1u : 0;
		return w->sweep;
	}
	if (kind < TOUCH_YOUNG) {
		return w->live - 1u - draw(w, w->live / 8u + 1u);
	}
	/* With hot regions rare, a few tries may not find one; then any page will do. */
	for (uint32_t tries = 0; tries < 8u; tries++) {
		vpn = draw(w, w->live);
		if (kind >= TOUCH_YOUNG + TOUCH_HOT || region_is_hot(w, vpn)) {
			break;
		}
	}
	return vpn;
}

static void check_file(const struct workload *w, uint32_t block, uint32_t pfn)
{
	const uint64_t *word = machine_frame(w->m->machine, pfn);
	const uint32_t probe[] = {0, block % GUEST_PAGE_WORDS, GUEST_PAGE_WORDS - 1u};

	for (uint32_t i = 0; i < 3u; i++) {
		const uint64_t expected = board_block_word((uint32_t)w->config.vm, block, probe[i]);

		if (word[probe[i]] != expected) {
			machine_corrupt(w->m->machine, "file block", block, word[probe[i]],
					expected);
		}
	}
}

static void read_file(struct workload *w, uint32_t block)
{
	check_file(w, block, cache_read(w->m, block));
	w->file_touches++;
	poll(w);
}

/* How far a quantity is that goes from `from` to `to` within a row, at the end of this slice. */
static uint32_t part_way(const struct workload *w, uint32_t from, uint32_t to)
{
	const uint32_t done = w->slice + 1u;

	return to >= from ? from + (to - from) * done / WORKLOAD_SLICES
			  : from - (from - to) * done / WORKLOAD_SLICES;
}

/* How many touches this slice makes; what does not make a whole one stays in `rest`. */
static uint32_t touches_due(const struct workload *w, uint32_t cpu_ms, uint32_t per_s,
			    uint32_t *rest)
{
	const uint64_t unit = UINT64_C(1000) * w->config.scale * WORKLOAD_SLICES;
	const uint64_t work = (uint64_t)cpu_ms * per_s + *rest;

	*rest = (uint32_t)(work % unit);
	return (uint32_t)(work / unit);
}

static void play_files(struct workload *w, const struct trace_row *row)
{
	const uint32_t file = part_way(w, w->row_file, row->file / w->config.scale);
	const uint32_t touches =
		touches_due(w, row->cpu_ms, w->config.touch_file, &w->touch_file_rest);
	uint32_t hot;

	for (uint32_t i = w->file; i < file && w->next_block < w->m->file_limit; i++) {
		read_file(w, w->next_block++);
	}
	if (file < w->file && w->oldest_block < w->next_block) {
		uint32_t count = w->file - file;

		if (count > w->next_block - w->oldest_block) {
			count = w->next_block - w->oldest_block;
		}
		cache_drop(w->m, w->oldest_block, count);
		w->oldest_block += count;
	}
	w->file = file;
	hot = w->hot_file < w->next_block ? w->hot_file : w->next_block;
	for (uint32_t i = 0; i < touches && hot > 0; i++) {
		/* The smaller of two draws: blocks at the start are used most. */
		const uint32_t a = draw(w, hot);
		const uint32_t b = draw(w, hot);

		read_file(w, a < b ? a : b);
	}
}

static void play_anon(struct workload *w, const struct trace_row *row)
{
	const uint32_t now = row->anon / w->config.scale;
	const uint32_t faults = row->faults / w->config.scale / WORKLOAD_SLICES;
	const uint32_t touches = touches_due(w, row->cpu_ms, w->config.touch, &w->touch_rest);
	uint32_t live;
	uint32_t growth;
	uint32_t churn;

	if (now < w->base) {
		w->base = now;
	}
	live = part_way(w, w->row_live, now - w->base);
	if (live > w->m->anon_limit) {
		live = w->m->anon_limit;
	}
	growth = live > w->live ? live - w->live : 0;
	if (live < w->live) {
		shrink(w, live);
	}
	/* Faults beyond the growth are memory that was freed and allocated again within the row. */
	churn = faults > growth ? faults - growth : 0;
	if (churn > w->live / CHURN_PART / WORKLOAD_SLICES) {
		churn = w->live / CHURN_PART / WORKLOAD_SLICES;
	}
	shrink(w, w->live - churn);
	if (!grow(w, live)) {
		return;
	}
	for (uint32_t i = 0; i < touches && w->live > 0; i++) {
		if (!touch(w, choose_page(w))) {
			return;
		}
	}
}

bool workload_slice(struct workload *w)
{
	if (w->row >= w->row_count) {
		return false;
	}
	if (w->slice == 0) {
		w->row_live = w->live;
		w->row_file = w->file;
	}
	workload_housekeeping(w->m);
	play_files(w, &w->rows[w->row]);
	play_anon(w, &w->rows[w->row]);
	if (++w->slice == WORKLOAD_SLICES) {
		w->slice = 0;
		w->row++;
	}
	return true;
}

uint64_t workload_due_ms(const struct workload *w)
{
	return ((uint64_t)w->row * WORKLOAD_SLICES + w->slice) * w->head->interval_ms /
	       WORKLOAD_SLICES;
}
