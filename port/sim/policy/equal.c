/* SPDX-License-Identifier: MIT */
/*
 * Policy `equal`, baseline B1: every VM gets the same share of the machine at the start, cut to its
 * limits, and keeps it. The configured sizes instead are policy `static`.
 */
#include "../policy.h"

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	const uint64_t share = view->total_pages / view->vm_count;

	(void)state;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];

		target[i] = share < vm->min_pages   ? vm->min_pages
			    : share > vm->max_pages ? vm->max_pages
						    : share;
	}
}

const struct sim_policy sim_policy_equal = {
	.name = "equal",
	.text = "B1: equal shares, for ever",
	.period_ms = 10000,
	.step = step,
};
