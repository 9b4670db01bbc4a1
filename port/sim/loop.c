/* SPDX-License-Identifier: MIT */
/* The simulated hypervisor from its start to its end; see loop.h. */
#include "loop.h"

#include <string.h>

#include "core.h"
#include "event.h"
#include "guest.h"
#include "meter.h"
#include "rival.h"

bool sim_host_start(struct sim_host *h, const struct sim_scenario *scenario,
		    const struct sim_vm_config *config, uint64_t seed)
{
	memset(h, 0, sizeof(*h));
	sim_books_open(&h->books, scenario, config, seed);
	h->random = seed + 1u;
	for (uint32_t i = 0; i < scenario->vm_count; i++) {
		if (!sim_guest_start(&h->guest[i], &h->books, i)) {
			sim_host_stop(h);
			return false;
		}
		h->books.free_pages -= sim_guest_pages(&h->guest[i]);
	}
	sim_meter_start(h);
	return true;
}

void sim_host_stop(struct sim_host *h)
{
	sim_rival_stop(h);
	sim_meter_stop(h);
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		sim_guest_stop(&h->guest[i]);
	}
}

void sim_host_step(struct sim_host *h)
{
	const uint64_t until_us = h->books.now_us + h->books.scenario->step_ms * UINT64_C(1000);
	const uint32_t count = h->books.scenario->vm_count;
	const uint32_t first =
		(uint32_t)(h->books.now_us / 1000u / h->books.scenario->step_ms % count);
	uint64_t sum;

	sim_host_events(h);
	sim_device_advance(&h->books.device, h->books.now_us);
	/* Another VM is first each time, so that none has the first grip at free memory for ever.
	 */
	for (uint32_t i = 0; i < count; i++) {
		sim_guest_run(&h->guest[(first + i) % count], h->books.now_us, until_us);
	}
	h->books.now_us = until_us;
	if (h->with_core) {
		sim_core_step(h);
	} else if (h->policy != NULL) {
		sim_rival_step(h);
	}
	sim_meter_step(h);
	sum = h->books.free_pages;
	for (uint32_t i = 0; i < count; i++) {
		sum += sim_guest_pages(&h->guest[i]);
	}
	if (sum != h->books.total_pages + h->books.debt_pages) {
		sim_books_fail(&h->books, "sum of all memory", 0, sum,
			       h->books.total_pages + h->books.debt_pages);
	}
}
