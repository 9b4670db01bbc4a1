/* SPDX-License-Identifier: MIT */
/*
 * How memory is shared between the rows of a plan: equation (4), covering, and weighted max-min
 * fairness. Pure, and knows no policy: which rule binds whom is said by the caller.
 */
#include "internal.h"

uint64_t poise_share_shrink(struct poise_plan *plan, uint64_t spare, uint64_t lacking,
			    uint32_t rule)
{
	uint64_t shrunk = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		const struct poise_demand *d = &row->demand;
		row->goal_pages = d->desired_pages;
		row->rule = d->rule;
		if (d->desired_pages < row->size_pages) {
			const uint64_t idle = row->size_pages - d->desired_pages;
			/* A VM above its limit gets there whether or not somebody needs it. */
			const uint64_t part = row->size_pages > d->upper_pages
						      ? idle
						      : poise_share_part(idle, spare, lacking);
			if (part < idle) {
				row->goal_pages = row->size_pages - part;
				row->rule = part == 0 ? POISE_RULE_NONE : rule;
			}
			shrunk += part;
		}
	}
	return shrunk;
}

void poise_share_cover(struct poise_plan *plan, int64_t available)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->goal_pages > row->size_pages) {
			const uint64_t growth = row->goal_pages - row->size_pages;
			const uint64_t most = available > 0 ? (uint64_t)available : 0;
			if (most < growth) {
				row->goal_pages = row->size_pages + most;
				row->rule = POISE_RULE_COVERED;
			}
			available -= (int64_t)poise_min(growth, most);
		}
	}
}

void poise_share_cover_alike(struct poise_plan *plan, int64_t available, uint32_t rule)
{
	const uint64_t most = available > 0 ? (uint64_t)available : 0;
	uint64_t growth = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		growth += poise_over(plan->row[i].goal_pages, plan->row[i].size_pages);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX && growth > most; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->goal_pages > row->size_pages) {
			row->goal_pages =
				row->size_pages +
				poise_share_part(row->goal_pages - row->size_pages, growth, most);
			row->rule = rule;
		}
	}
}

void poise_share_fill(struct poise_plan *plan, uint64_t amount)
{
	uint64_t weights = 0; /* of those that still want more */
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan->row[i];
		if (row->goal_pages < row->share.most_pages) {
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
			const uint64_t most = row->share.most_pages;
			if (row->goal_pages >= most) {
				continue;
			}
			const uint64_t want = most - row->goal_pages;
			const uint64_t part = amount * row->weight / weights;
			if (want <= part) {
				row->goal_pages = most;
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
