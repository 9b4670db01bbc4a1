/* SPDX-License-Identifier: MIT */
/*
 * Stage 4: forecasts -> plan. Starts every row and chooses the policy. Pure: reads its input and
 * nothing else. Sums of pages fit 64 bits: 64 VMs of at most 2^32 pages.
 */
#include "internal.h"

/* Policy `static`: everybody keeps what it has, or gets to its boot size. */
static void plan_static(const struct poise_plan_input *in, struct poise_plan *plan)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->size_pages < in->vm[i].config.boot_pages) {
			row->goal_pages = in->vm[i].config.boot_pages;
			row->rule = POISE_RULE_STATIC;
		}
	}
	poise_share_cover(plan, plan->available_pages);
}

void poise_plan_make(const struct poise_plan_input *in, struct poise_plan *plan)
{
	plan->available_pages = (int64_t)in->config->pool_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &in->vm[i];
		struct poise_row *row = &plan->row[i];
		struct poise_demand *d = &row->demand;
		const uint64_t size = vm->target_pages;
		row->size_pages = size;
		row->goal_pages = size;
		row->rule = POISE_RULE_NONE;
		row->suppressed = 0;
		row->weight = (uint16_t)vm->config.weight;
		d->desired_pages = size;
		d->own_pages = vm->config.min_pages;
		d->lower_pages = vm->config.min_pages;
		d->upper_pages = vm->config.max_pages;
		d->rule = POISE_RULE_NONE;
		d->lower_rule = POISE_RULE_BOUNDS;
		d->has_floor = 0;
		row->share.entitlement_pages = size;
		row->share.most_pages = size;
		/*
		 * When everything in flight has arrived, a VM is charged its target; but a shrink
		 * that the port has not even accepted will not bring anything.
		 */
		plan->available_pages -= (int64_t)(vm->unsent != 0 ? poise_vm_charge(vm) : size);
	}
	switch (in->config->policy) {
	case POISE_POLICY_PAPER:
		poise_plan_paper(in, plan);
		break;
	case POISE_POLICY_STATIC:
		plan_static(in, plan);
		break;
	default:
		poise_plan_poise(in, plan);
		break;
	}
}

void poise_plan_due(struct poise *p, bool early)
{
	const uint64_t most = 2 * (uint64_t)p->config.interval_ms;
	const struct poise_plan_input in = {.config = &p->config,
					    .vm = p->vm,
					    .now_ms = p->now_ms,
					    .elapsed_ms = poise_min(p->now_ms - p->ticked_ms, most),
					    .early = early};
	poise_plan_make(&in, &p->plan);
}
