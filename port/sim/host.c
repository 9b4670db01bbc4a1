/* SPDX-License-Identifier: MIT */
/* What stage 2 and hindsight tell policies of the simulated host's guests; see policy.h. */
#include "host.h"

uint32_t sim_probe_frames(const struct sim_host *h, uint32_t vm)
{
	return h->guest[vm].mm.page_count;
}

uint32_t sim_probe(struct sim_host *h, uint32_t vm, uint32_t frame, bool clear)
{
	struct sim_guest *g = &h->guest[vm];
	const uint32_t bits = g->probe[frame];

	h->probes++;
	if (clear) {
		g->probe[frame] = 0;
	}
	return bits;
}

uint64_t sim_truth_working_set(const struct sim_host *h, uint32_t vm, uint32_t ms)
{
	const struct sim_guest *g = &h->guest[vm];

	return (uint64_t)sim_truth_count(&g->truth, (uint32_t)(h->books.now_us / 1000u), ms) *
	       g->granule;
}

void sim_truth_curves(struct sim_host *h)
{
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		if (!sim_truth_curve_start(&h->guest[i].truth)) {
			sim_books_fail(&h->books, "no memory for miss curves", i, 0, 0);
		}
	}
	h->books.curves = true;
}

uint64_t sim_truth_misses(const struct sim_host *h, uint32_t vm, uint64_t pages)
{
	const struct sim_guest *g = &h->guest[vm];

	return sim_truth_curve_misses(&g->truth, pages / g->granule) * g->granule;
}

void sim_truth_clear(struct sim_host *h, uint32_t vm)
{
	sim_truth_curve_clear(&h->guest[vm].truth);
}
