/* SPDX-License-Identifier: MIT */
/*
 * Policy `naive`, baseline B2: what many small scripts do. Every 15 s each VM whose usable memory
 * (MemAvailable) is less than 25 % or more than 35 % of its size gets, in one step, the size at
 * which the nearer border would hold.
 *
 * It looks at nothing else: not at the host, so all VMs may be promised more than there is; not at
 * reservations, so one that idles is made as small as what it uses allows; not at the age of a
 * report. Only a VM's limit holds, because a hypervisor's own tool refuses more.
 *
 * Decided here: "to the band" is to its nearer border, as what is used is taken to stay as it is.
 */
#include "common.h"

#define PERIOD_MS 15000u
#define LOW       0.25
#define HIGH      0.35

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	(void)state;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const uint64_t usable = limit_pages(vm->stats.available_pages, 0, vm->actual_pages);
		const double used = (double)(vm->actual_pages - usable);
		const double share = (double)usable / (double)vm->actual_pages;

		if (vm->stats.sample == 0 || (share >= LOW && share <= HIGH)) {
			continue;
		}
		target[i] = limit_size(share < LOW ? used / (1.0 - LOW) + 1.0 : used / (1.0 - HIGH),
				       1, vm->max_pages);
	}
}

const struct sim_policy sim_policy_naive = {
	.name = "naive",
	.text = "B2: keeps 25 to 35 % of each VM usable, every 15 s",
	.period_ms = PERIOD_MS,
	.step = step,
};
