/* SPDX-License-Identifier: MIT */
/*
 * The simulated hypervisor's books and clock. Who decides about sizes is core.c (the core's
 * policies) or rival.c (the simulator's own); this file does not know which.
 */
#include "host.h"

#include <stdio.h>
#include <string.h>

bool sim_host_start(struct sim_host *h, const struct sim_scenario *scenario,
		    const struct sim_vm_config *config, uint64_t seed)
{
	memset(h, 0, sizeof(*h));
	h->scenario = scenario;
	h->config = config;
	h->seed = seed;
	h->random = seed + 1u;
	h->total_pages = scenario->total_pages;
	h->device = (struct sim_device){
		.latency_us = scenario->latency_us,
		.read_mib_s = scenario->read_mib_s,
		.write_mib_s = scenario->write_mib_s,
		.readahead_pages = scenario->readahead_pages,
	};
	h->free_pages = h->total_pages;
	for (uint32_t i = 0; i < scenario->vm_count; i++) {
		if (!sim_guest_start(&h->guest[i], h, i)) {
			sim_host_stop(h);
			return false;
		}
		h->free_pages -= sim_guest_pages(&h->guest[i]);
	}
	sim_meter_start(h);
	return true;
}

void sim_host_stop(struct sim_host *h)
{
	sim_rival_stop(h);
	sim_meter_stop(h);
	for (uint32_t i = 0; i < h->scenario->vm_count; i++) {
		sim_guest_stop(&h->guest[i]);
	}
}

uint32_t sim_host_take(struct sim_host *h, struct sim_guest *g, uint32_t frames)
{
	const uint64_t size = sim_guest_pages(g);
	const uint64_t room = g->allowed_pages > size ? g->allowed_pages - size : 0;
	const uint64_t most = (room < h->free_pages ? room : h->free_pages) / g->granule;
	const uint32_t come = frames < most ? frames : (uint32_t)most;

	h->free_pages -= (uint64_t)come * g->granule;
	return come;
}

void sim_host_put(struct sim_host *h, uint64_t pages)
{
	const uint64_t repaid = pages < h->debt_pages ? pages : h->debt_pages;

	h->debt_pages -= repaid;
	h->free_pages += pages - repaid;
}

void sim_host_use(struct sim_host *h, uint64_t pages)
{
	const uint64_t there = pages < h->free_pages ? pages : h->free_pages;

	h->free_pages -= there;
	h->debt_pages += pages - there;
}

bool sim_host_insists(const struct sim_host *h)
{
	return !h->with_core;
}

void sim_host_fail(struct sim_host *h, const char *what, uint64_t where, uint64_t found,
		   uint64_t expected)
{
	if (h->failure[0] == '\0') {
		snprintf(h->failure, sizeof(h->failure),
			 "%s at %llu: found %llu, expected %llu, %llu ms into the run", what,
			 (unsigned long long)where, (unsigned long long)found,
			 (unsigned long long)expected, (unsigned long long)h->now_us / 1000u);
	}
}

void sim_host_step(struct sim_host *h)
{
	const uint64_t until_us = h->now_us + h->scenario->step_ms * UINT64_C(1000);
	const uint32_t count = h->scenario->vm_count;
	const uint32_t first = (uint32_t)(h->now_us / 1000u / h->scenario->step_ms % count);
	uint64_t sum;

	sim_host_events(h);
	sim_device_advance(&h->device, h->now_us);
	/* Another VM is first each time, so that none has the first grip at free memory for ever.
	 */
	for (uint32_t i = 0; i < count; i++) {
		sim_guest_run(&h->guest[(first + i) % count], h->now_us, until_us);
	}
	h->now_us = until_us;
	if (h->with_core) {
		sim_core_step(h);
	} else if (h->policy != NULL) {
		sim_rival_step(h);
	}
	sim_meter_step(h);
	sum = h->free_pages;
	for (uint32_t i = 0; i < count; i++) {
		sum += sim_guest_pages(&h->guest[i]);
	}
	if (sum != h->total_pages + h->debt_pages) {
		sim_host_fail(h, "sum of all memory", 0, sum, h->total_pages + h->debt_pages);
	}
}

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

	return (uint64_t)sim_truth_count(&g->truth, (uint32_t)(h->now_us / 1000u), ms) * g->granule;
}

void sim_truth_curves(struct sim_host *h)
{
	for (uint32_t i = 0; i < h->scenario->vm_count; i++) {
		if (!sim_truth_curve_start(&h->guest[i].truth)) {
			sim_host_fail(h, "no memory for miss curves", i, 0, 0);
		}
	}
	h->curves = true;
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
