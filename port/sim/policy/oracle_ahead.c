/* SPDX-License-Identifier: MIT */
/*
 * The machine that runs ahead. A VM's place in its work, not the time, says how far: in the real
 * machine work that waits for memory gets late, and the other has to wait for it. Its device never
 * has a queue, as its guests are each at a time of their own.
 */
#include "oracle_ahead.h"

#include "../guest.h"
#include "../loop.h"
#include "common.h"

#define RUN_US    10000u
#define WINDOW_MS 1000u

struct ahead {
	struct sim_host host;
	struct sim_scenario scenario;
	uint32_t windows, size_count;
	uint64_t known[SIM_VM_MAX]; /* windows of each VM that have been run */
	double *misses;             /* VM, window modulo `windows`, size */
};

static bool start_curves(struct ahead *a)
{
	for (uint32_t i = 0; i < a->scenario.vm_count; i++) {
		if (!sim_truth_curve_start(&a->host.guest[i].truth)) {
			return false;
		}
	}
	return true;
}

struct ahead *ahead_start(const struct sim_host *host, uint32_t windows, uint32_t size_count)
{
	struct ahead *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		return NULL;
	}
	a->windows = windows;
	a->size_count = size_count;
	a->scenario = *host->books.scenario;
	a->scenario.total_pages = 0;
	for (uint32_t i = 0; i < a->scenario.vm_count; i++) {
		struct sim_vm_config *c = &a->scenario.vm[i];

		c->boot_pages = c->max_pages;
		a->scenario.total_pages += c->max_pages;
	}
	if (!sim_host_start(&a->host, &a->scenario, a->scenario.vm, host->books.seed)) {
		free(a);
		return NULL;
	}
	a->misses = calloc((size_t)a->scenario.vm_count * windows * size_count, sizeof(*a->misses));
	if (a->misses == NULL || !start_curves(a)) {
		ahead_stop(a);
		return NULL;
	}
	return a;
}

void ahead_stop(struct ahead *a)
{
	if (a != NULL) {
		sim_host_stop(&a->host);
		free(a->misses);
		free(a);
	}
}

/*
 * Where a guest is in its work at `now_us`: ms that it would be in without any wait for memory. A
 * guest that waits for users or for its start has its clock at the end of that already.
 */
static uint64_t place_ms(const struct sim_guest *g, uint64_t now_us)
{
	const struct sim_player *p = &g->player;
	const uint64_t waits_ms = g->clock_us > now_us ? (g->clock_us - now_us) / 1000u : 0;
	uint64_t place = g->clock_us < p->start_us ? g->clock_us : p->start_us;

	place = place / 1000u + p->done_ms;
	if (p->in_row) {
		const uint64_t row_ms = (g->clock_us - p->row_start_us) / 1000u;
		const uint32_t most_ms = p->load->row[p->row].ms;

		place += row_ms < most_ms ? row_ms : most_ms;
	}
	return place > waits_ms ? place - waits_ms : 0;
}

void past_misses(const struct sim_guest *g, uint32_t size_count, const double *pages,
		 double *misses)
{
	const struct sim_truth *t = &g->truth;
	uint32_t distance = t->items + 1u;
	uint64_t sum = 0;

	for (uint32_t k = size_count; k-- > 0;) {
		const double room = pages[k] / g->granule;

		/* With room for n items, a touch misses that n or more others came before. */
		while (distance > 0 && distance - 1u >= room) {
			distance--;
			sum += t->missed[distance];
		}
		misses[k] = (double)sum * g->granule;
	}
}

/* Runs the VM to the end of its next window. */
static void run_window(struct ahead *a, uint32_t vm, const double *pages)
{
	struct sim_guest *g = &a->host.guest[vm];
	const uint64_t slot = (uint64_t)vm * a->windows + a->known[vm] % a->windows;
	const uint64_t end_ms = (a->known[vm] + 1u) * WINDOW_MS;

	while (g->player.playing && place_ms(g, UINT64_MAX) < end_ms) {
		sim_guest_run(g, g->clock_us, g->clock_us + RUN_US);
	}
	a->known[vm]++;
	past_misses(g, a->size_count, pages, &a->misses[slot * a->size_count]);
	sim_truth_curve_clear(&g->truth);
}

void ahead_misses(struct ahead *a, const struct sim_host *host, uint32_t vm, const double *pages,
		  double *misses)
{
	const struct sim_guest *g = &host->guest[vm];
	const uint64_t first = place_ms(g, host->books.now_us) / WINDOW_MS;

	while (a->known[vm] < first + a->windows) {
		run_window(a, vm, pages);
	}
	for (uint32_t k = 0; k < a->size_count; k++) {
		misses[k] = 0.0;
	}
	for (uint32_t w = 0; w < a->windows; w++) {
		const uint64_t slot = (uint64_t)vm * a->windows + (first + w) % a->windows;
		const double weight = 1.0 - (double)w / a->windows;

		for (uint32_t k = 0; k < a->size_count; k++) {
			misses[k] += weight * a->misses[slot * a->size_count + k];
		}
	}
}
