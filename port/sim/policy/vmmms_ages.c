/* SPDX-License-Identifier: MIT */
/*
 * Ages of pages for policy `vmmms`, which has them from the kernels' lists of generations. The
 * guests here have two lists, and their pages do not tell ages; a hypervisor can see as much by
 * reading access flags, so a sample of frames is read once a generation.
 */
#include "common.h"
#include "vmmms.h"

void vmmms_ages_start(struct vmmms_ages *a, struct sim_host *host, uint32_t vm, uint64_t *random)
{
	const uint64_t frames = sim_probe_frames(host, vm);

	/* One of each of so many equal parts, none twice: a look clears the flag. */
	a->count = frames < VMMMS_FRAMES ? (uint32_t)frames : VMMMS_FRAMES;
	for (uint32_t i = 0; i < a->count; i++) {
		const uint32_t from = (uint32_t)(i * frames / a->count);
		const uint32_t to = (uint32_t)((i + 1u) * frames / a->count);

		a->frame[i] = from + sim_random(random, to - from);
	}
}

void vmmms_ages_step(struct vmmms_ages *a, struct sim_host *host, uint32_t vm)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const bool touched = (sim_probe(host, vm, a->frame[i], true) & SIM_ACCESSED) != 0;

		a->age[i] = touched ? 0 : a->age[i] + 1u;
	}
}

double vmmms_ages_older(const struct vmmms_ages *a, const struct sim_vm_view *vm, uint32_t age)
{
	const struct poise_abi_guest *s = &vm->stats;
	const double file = (double)(s->active_file_pages + s->inactive_file_pages);
	/* Never touched either: what is in the balloon, free, or the kernel's. */
	const double other = (double)(vm->max_pages - vm->actual_pages + s->free_pages) +
			     (double)kernel_pages(vm);
	uint32_t count = 0;
	double old;

	for (uint32_t i = 0; i < a->count; i++) {
		count += a->age[i] >= age ? 1u : 0u;
	}
	old = (double)count / a->count * (double)vm->max_pages - other;
	return old < 0.0 ? 0.0 : old < file ? old : file;
}

uint32_t vmmms_ages_oldest(const struct vmmms_ages *a, const struct sim_vm_view *vm, double least)
{
	uint32_t oldest = 0;

	while (vmmms_ages_older(a, vm, oldest + 1u) > least) {
		oldest++;
	}
	return oldest;
}
