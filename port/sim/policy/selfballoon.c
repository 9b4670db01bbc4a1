/* SPDX-License-Identifier: MIT */
/*
 * Policy `selfballoon`, baseline B12, after the self-ballooning that Linux had on Xen: every 5 s
 * each guest on its own goes towards what it has promised to its programs and the reserve of its
 * kernel; down by an eighth of the way, up all of it at once, never below a floor that depends on
 * its size. Nobody looks at the host: what is not there, a guest does not get.
 *
 * Decided here: the reserve is the sum of the zones' high watermarks with Linux's defaults, for one
 * zone and the memory that the guest booted with; the useful memory that the floor is reckoned from
 * is that memory without the reserve; what the kernel itself occupies is no part of the total that
 * the goal is compared with. There is no transcendent memory here, so no frontswap to shrink.
 */
#include <math.h>

#include "common.h"

#define STEP_MS         5000u
#define DOWN_HYSTERESIS 8.0
#define UP_HYSTERESIS   1.0

/* Linux: min_free_kbytes = 4 * sqrt(KiB), and the high watermark is half as much above it. */
static double reserve_mib(double total_mib)
{
	return 1.5 * 4.0 * sqrt(total_mib * 1024.0) / 1024.0;
}

/* Returns the size in MiB that the guest does not go below; `total` if it never balloons. */
static double floor_mib(double total)
{
	const double reserve = reserve_mib(total);
	const double useful = total - reserve;

	if (useful < 16.0) {
		return total;
	}
	if (useful < 64.0) {
		return reserve + 16.0 + (useful - 16.0) / 2.0;
	}
	if (useful < 512.0) {
		return reserve + 40.0 + (useful - 40.0) / 8.0;
	}
	return reserve + 99.0 + (useful - 99.0) / 32.0;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	(void)state;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double total = (double)vm->stats.total_pages / PAGES_PER_MIB;
		const double kernel = (double)kernel_pages(vm);
		const double now = (double)vm->actual_pages - kernel;
		double goal =
			(double)vm->stats.committed_pages + reserve_mib(total) * PAGES_PER_MIB;

		if (vm->stats.sample == 0) {
			continue;
		}
		goal = now > goal ? now - (now - goal) / DOWN_HYSTERESIS
				  : now + (goal - now) / UP_HYSTERESIS;
		goal = fmax(goal, floor_mib(total) * PAGES_PER_MIB);
		target[i] = limit_size(goal + kernel, 1, vm->max_pages);
	}
}

const struct sim_policy sim_policy_selfballoon = {
	.name = "selfballoon",
	.text = "B12: Xen self-ballooning, each guest to its commit, 1/8 down and at once up",
	.period_ms = STEP_MS,
	.step = step,
};
