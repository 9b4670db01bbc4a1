/* SPDX-License-Identifier: MIT */
/* The balloon's manners; the moving itself is board/guest/balloon.c's. */
#include "manners.h"

/* A flaky balloon's times, in ms: how long it stands still, how long it moves. */
#define STAND_MIN_MS 250u
#define STAND_MAX_MS 19000u
#define MOVE_MIN_MS  1000u
#define MOVE_MAX_MS  10000u
/* A crawling one moves a page in 5 s. */
#define CRAWL_US 5000000u
/* No swapping for the balloon's sake while the device has this much to do already: 20 ms. */
#define CONGESTED_NS 20000000u

/* How much of the way a balloon goes that stops too early, in percent. */
#define PART_PERCENT 37u
/* One that goes too far gives 1/8 of its target too much. */
#define FAR_PART 8u

static bool goes(const struct sim_guest *g, uint64_t epoch, enum sim_way way)
{
	return g->way == way && g->way_epoch == epoch;
}

/* The size that this guest makes of a target. */
static uint64_t misheard(const struct sim_guest *g, uint64_t target, uint64_t epoch)
{
	const uint64_t size = sim_guest_pages(g);

	if (goes(g, epoch, SIM_WAY_SHORT) ||
	    (sim_balloon_kind(g) == SIM_BALLOON_PART && target < size)) {
		return target < size ? size - (size - target) * PART_PERCENT / 100u
				     : size + (target - size) * PART_PERCENT / 100u;
	}
	if (sim_balloon_kind(g) == SIM_BALLOON_FAR && target < size) {
		return target - target / FAR_PART;
	}
	return target;
}

void sim_balloon_poll(struct sim_guest *g)
{
	struct gd_host host;
	uint64_t target;

	/* Nothing new costs next to nothing. */
	if (g->host_page->head.seq == g->host_seq) {
		return;
	}
	g->host_seq = g->host_page->head.seq;
	if (gd_host_read(&g->driver, &host) != 1 || host.epoch == g->mm.balloon.epoch ||
	    goes(g, host.epoch, SIM_WAY_NEVER)) {
		return;
	}
	target = misheard(g, host.target_pages, host.epoch);
	if (g->config->upper_pages != 0 && target > g->config->upper_pages) {
		target = g->config->upper_pages;
	}
	/* Shrinking stops above the target and growing below it when it is no whole frame. */
	if (target < sim_guest_pages(g)) {
		target += g->granule - 1u;
	}
	g->answered = false;
	balloon_target(&g->mm, (uint32_t)(target / g->granule), host.epoch);
}

/* Decides whether a flaky balloon moves at this time. */
static bool is_standing(struct sim_guest *g, uint64_t now_us)
{
	if (sim_balloon_kind(g) != SIM_BALLOON_FLAKY) {
		return false;
	}
	if (now_us >= g->change_us) {
		const uint32_t least = g->standing ? MOVE_MIN_MS : STAND_MIN_MS;
		const uint32_t most = g->standing ? MOVE_MAX_MS : STAND_MAX_MS;

		g->standing = !g->standing;
		g->change_us = now_us + (least + sim_random(&g->random, most - least + 1u)) * 1000u;
	}
	return g->standing;
}

/* Pages that the rate allows by `until_us`, in whole frames; what is not whole stays for later. */
static uint32_t allowance(struct sim_guest *g, uint64_t until_us)
{
	const uint64_t page_ns = sim_balloon_kind(g) == SIM_BALLOON_CRAWL
					 ? CRAWL_US * UINT64_C(1000)
					 : UINT64_C(1000000000) / g->config->rate_pages_s;
	const uint64_t frame_ns = page_ns * g->granule;
	const uint64_t ns = until_us > g->moved_us ? (until_us - g->moved_us) * 1000u : 0;
	const uint64_t frames = frame_ns == 0 ? UINT32_MAX / 2u : ns / frame_ns;

	g->moved_us += frames * frame_ns / 1000u;
	return frames < UINT32_MAX / 2u ? (uint32_t)frames : UINT32_MAX / 2u;
}

void sim_balloon_run(struct sim_guest *g, uint64_t until_us)
{
	struct mm *m = &g->mm;
	const uint64_t size = balloon_size(m);
	uint32_t frames;

	if (sim_balloon_kind(g) != SIM_BALLOON_HOLLOW && g->held_pages > 0) {
		sim_books_put(g->books, g->held_pages);
		g->held_pages = 0;
	}
	if (sim_balloon_kind(g) == SIM_BALLOON_STUCK || is_standing(g, until_us) ||
	    (goes(g, m->balloon.epoch, SIM_WAY_LATE) && until_us < g->late_us)) {
		g->moved_us = until_us;
		return;
	}
	if (!m->balloon.pending && size != m->balloon.target && g->books->insists) {
		m->balloon.pending = true;
	}
	if (!m->balloon.pending) {
		g->moved_us = until_us;
		return;
	}
	if (size > m->balloon.target && m->free_pages <= m->wmark_high && !reclaim_is_easy(m) &&
	    g->books->device.backlog_ns > CONGESTED_NS) {
		return;
	}
	frames = allowance(g, until_us);
	if (frames > 0) {
		m->balloon.mode = BALLOON_OK;
		g->background = true;
		balloon_step(m, frames);
		g->background = false;
		/* Between steps nothing moves, however much reclaim would like it to. */
		m->balloon.mode = BALLOON_STUCK;
	}
}
