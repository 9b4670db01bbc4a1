/* SPDX-License-Identifier: MIT */
/*
 * Stage 4: forecasts -> plan. Chooses the policy and holds what policies share. Pure: const state
 * in, rows out. Sums of pages fit 64 bits: 64 VMs of at most 2^32 pages.
 */
#include "internal.h"

void poise_plan_cover(struct poise_plan *plan, int64_t available)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->goal_pages > row->size_pages) {
			const uint64_t most = available > 0 ? (uint64_t)available : 0;
			const uint64_t give = poise_min(row->goal_pages - row->size_pages, most);
			row->goal_pages = row->size_pages + give;
			available -= (int64_t)give;
		}
	}
}

void poise_plan_fill(struct poise_plan *plan, uint64_t amount)
{
	uint64_t weights = 0; /* of those that still want more */
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		row->goal_pages = row->base_pages;
		if (row->goal_pages < row->desired_pages) {
			weights += row->weight;
		}
	}
	/*
	 * The level, amount / weights, only rises as rows are settled, so whoever fits under it is
	 * settled for good. The last pass deals out; it follows at once when nobody was settled.
	 */
	for (unsigned passes = POISE_FILL_ROUNDS + 1; passes > 0 && weights != 0; passes--) {
		const uint64_t before = weights;
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			struct poise_row *row = &plan->row[i];
			const uint64_t want = row->desired_pages - row->base_pages;
			if (row->goal_pages >= row->desired_pages) {
				continue;
			}
			const uint64_t part = amount * row->weight / weights;
			if (want <= part) {
				row->goal_pages = row->desired_pages;
				weights -= row->weight;
				amount -= want;
			} else if (passes == 1) {
				row->goal_pages += part;
				row->rule = POISE_RULE_FAIR;
			}
		}
		if (weights == before && passes > 2) {
			passes = 2;
		}
	}
}

/* Policy `static`: everybody keeps what it has, or gets to its boot size. */
static void plan_static(const struct poise *p, struct poise_plan *plan)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->weight != 0 && row->size_pages < p->vm[i].config.boot_pages) {
			row->goal_pages = p->vm[i].config.boot_pages;
			row->rule = POISE_RULE_STATIC;
		}
	}
	poise_plan_cover(plan, plan->available_pages);
}

void poise_plan_make(const struct poise *p, struct poise_plan *plan)
{
	plan->available_pages = (int64_t)p->config.pool_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &p->vm[i];
		struct poise_row *row = &plan->row[i];
		row->size_pages = vm->target_pages;
		row->desired_pages = vm->target_pages;
		row->needed_pages = vm->target_pages;
		row->entitled_pages = vm->target_pages;
		row->goal_pages = vm->target_pages;
		row->lower_pages = vm->config.min_pages;
		row->base_pages = vm->config.min_pages;
		row->upper_pages = vm->config.max_pages;
		row->weight = vm->config.weight;
		row->rule = POISE_RULE_NONE;
		row->kept = 0;
		row->reserved = 0;
		/*
		 * When everything in flight has arrived, a VM is charged its target; but a shrink
		 * that the port has not even accepted will not bring anything.
		 */
		plan->available_pages -=
			(int64_t)(vm->unsent != 0 ? poise_vm_charge(vm) : vm->target_pages);
	}
	switch (p->config.policy) {
	case POISE_POLICY_PAPER:
		poise_plan_paper(p, plan);
		break;
	case POISE_POLICY_STATIC:
		plan_static(p, plan);
		break;
	default:
		poise_plan_poise(p, plan);
		break;
	}
}
