/* SPDX-License-Identifier: MIT */
/*
 * Policy `paper`: the reference. Equations (3) and (4) and the needy and donor rules of the 2014
 * paper, and nothing else. A VM k is needy when delta_k > R_k and asks for delta_k; the donors are
 * those with R_i > delta_i, and each shrinks by (R_i - delta_i)/sum * delta_k, or all of it if the
 * sum is not enough.
 *
 * Where the paper leaves something open: several needy VMs are served in slot order instead of a
 * random one, so that a run can be repeated; a needy VM with delta_k <= 0 gets nothing, as (4)
 * would take a negative amount; limits and reservations, which the paper does not have, bound the
 * result; a VM whose balloon is on its way counts with the size it is to have. Memory that no VM
 * has is left where it is.
 */
#include "internal.h"

/* What a VM should have: everything it uses and will use, and the headroom of equation (3). */
static int64_t desired(const struct poise_vm *vm)
{
	return (int64_t)vm->forecast.size_pages - poise_plan_reclaimable(vm) + poise_plan_delta(vm);
}

static bool takes_part(const struct poise_vm *vm)
{
	return vm->state == POISE_VM_MANAGED && vm->unsent == 0;
}

void poise_plan_paper(const struct poise_plan_input *in, struct poise_plan *plan)
{
	uint64_t spare = 0;
	uint64_t asked = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &in->vm[i];
		struct poise_demand *d = &plan->row[i].demand;
		const uint64_t size = vm->target_pages;
		const int64_t surplus = (int64_t)size - desired(vm);
		const int64_t delta = poise_plan_delta(vm);
		const uint64_t upper = poise_max(d->upper_pages, size);
		if (!takes_part(vm) || surplus == 0) {
			continue;
		}
		d->rule = POISE_RULE_EQUATION;
		if (surplus > 0) {
			d->desired_pages = size - poise_min((uint64_t)surplus,
							    poise_over(size, d->lower_pages));
			spare += size - d->desired_pages;
		} else if (delta > 0) {
			d->desired_pages = poise_min(size + (uint64_t)delta, upper);
			asked += d->desired_pages - size;
		}
		/* The paper has no limits: nobody is made smaller for the sake of one. */
		d->upper_pages = upper;
	}
	const uint64_t shrunk = poise_share_shrink(plan, spare, asked, POISE_RULE_DONOR);
	plan->available_pages = 0;
	poise_share_cover(plan, (int64_t)shrunk);
}
