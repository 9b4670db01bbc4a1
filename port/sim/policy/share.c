/* SPDX-License-Identifier: MIT */
/* Handing out; share.h says by which rules. */
#include "share.h"

#include <math.h>

#include "common.h"

/*
 * Pours `spare` into `size`, by `part`, into each up to its `room`; who has no part gets nothing.
 * Returns what is left. Every pass but the last fills one or more up, so VMs bound the passes.
 */
static double pour(uint32_t count, const double *part, double *room, double spare, double *size)
{
	double level;
	bool full;

	do {
		double parts = 0.0;

		for (uint32_t i = 0; i < count; i++) {
			parts += room[i] > 0.0 ? part[i] : 0.0;
		}
		if (!(parts > 0.0)) {
			return spare;
		}
		level = spare / parts;
		full = false;
		for (uint32_t i = 0; i < count; i++) {
			if (part[i] > 0.0 && room[i] > 0.0 && room[i] <= level * part[i]) {
				size[i] += room[i];
				spare -= room[i];
				room[i] = 0.0;
				full = true;
			}
		}
	} while (full);
	for (uint32_t i = 0; i < count; i++) {
		if (room[i] > 0.0) {
			size[i] += level * part[i];
			room[i] -= level * part[i];
		}
	}
	return 0.0;
}

/* Gives everyone its reservation. Returns what the machine has beyond that. */
static double reserve(const struct sim_view *view, const double *need, double *room, double *sum)
{
	double spare = (double)view->total_pages;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double want =
			fmin(fmax(need[i], (double)vm->min_pages), (double)vm->max_pages);

		sum[i] = (double)vm->min_pages;
		room[i] = want - sum[i];
		spare -= sum[i];
	}
	return fmax(spare, 0.0);
}

static void round_down(const struct sim_view *view, const double *sum, uint64_t *size)
{
	for (uint32_t i = 0; i < view->vm_count; i++) {
		size[i] = limit_size(sum[i], 1, view->vm[i].max_pages);
	}
}

void sim_share_by_weight(const struct sim_view *view, const double *need, uint64_t *size)
{
	double sum[SIM_VM_MAX], room[SIM_VM_MAX], part[SIM_VM_MAX] = {0};
	const double spare = reserve(view, need, room, sum);

	for (uint32_t i = 0; i < view->vm_count; i++) {
		part[i] = view->vm[i].weight;
	}
	pour(view->vm_count, part, room, spare, sum);
	round_down(view, sum, size);
}

/* The largest weight below `than`; 0: none. */
static uint32_t next_weight(const struct sim_view *view, uint32_t than)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		const uint32_t weight = view->vm[i].weight;

		next = weight < than && weight > next ? weight : next;
	}
	return next;
}

void sim_share_by_rank(const struct sim_view *view, const double *need, uint64_t *size)
{
	double sum[SIM_VM_MAX], room[SIM_VM_MAX], part[SIM_VM_MAX] = {0};
	double spare = reserve(view, need, room, sum);

	for (uint32_t w = next_weight(view, UINT32_MAX); w != 0; w = next_weight(view, w)) {
		for (uint32_t i = 0; i < view->vm_count; i++) {
			part[i] = view->vm[i].weight == w ? 1.0 : 0.0;
		}
		spare = pour(view->vm_count, part, room, spare, sum);
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		room[i] = (double)view->vm[i].max_pages - sum[i];
	}
	pour(view->vm_count, need, room, spare, sum);
	round_down(view, sum, size);
}
