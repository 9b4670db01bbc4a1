/* SPDX-License-Identifier: MIT */
/*
 * Policy `autoballoon`, baseline B3, after libvirt-autoballoon: each VM is to keep 12.5 % of its
 * limit usable. Once a second a VM with less grows, and one with more than one and a half times
 * that shrinks, by 12.5 % of what it uses, in whole 32 MiB, or by 1 MiB when that makes none.
 *
 * It knows neither the host's memory nor reservations, so both may be overrun.
 *
 * Decided here: of the loop's range of 1 to 10 s, 1 s; a step starts from the size that the VM has,
 * not from the one asked for, as the tool has no memory of what it asked for; used is size less
 * usable.
 */
#include "common.h"

#define PERIOD_MS   1000u
#define PART        8u /* 12.5 % */
#define ALIGN_PAGES (32u * PAGES_PER_MIB)
#define LEAST_PAGES PAGES_PER_MIB

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	(void)state;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const uint64_t actual = vm->actual_pages;
		const uint64_t usable = limit_pages(vm->stats.available_pages, 0, actual);
		const uint64_t keep = vm->max_pages / PART;
		uint64_t move = (actual - usable) / PART / ALIGN_PAGES * ALIGN_PAGES;

		move = move == 0 ? LEAST_PAGES : move;
		if (vm->stats.sample == 0) {
			continue;
		}
		if (usable < keep) {
			target[i] = limit_pages(actual + move, 1, vm->max_pages);
		} else if (usable > keep + keep / 2u) {
			target[i] = actual > move ? actual - move : 1u;
		}
	}
}

const struct sim_policy sim_policy_autoballoon = {
	.name = "autoballoon",
	.text = "B3: libvirt-autoballoon, keeps 12.5 % of each VM's limit usable",
	.period_ms = PERIOD_MS,
	.step = step,
};
