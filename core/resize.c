/* SPDX-License-Identifier: MIT */
/*
 * Stage 6: the ledger's targets -> requests to the port. Shrinking is asked for at once, growth
 * only as far as memory is free by the host's own count. Watches that balloons move: progress is
 * pages in a time, not the number of answers. Knows no forecast and no rule.
 */
#include "internal.h"

/* While more is to come, less than this part of a VM is not worth a request. */
#define MINIMUM_GRANT_PART 100

static void window_start(const struct poise *p, struct poise_vm *v)
{
	v->window_ms = p->now_ms;
	v->window_pages = v->actual_pages;
}

void poise_resize_ask(struct poise *p, struct poise_vm *v, uint64_t target_pages, uint32_t rule)
{
	const uint32_t slot = poise_slot(p, v);
	const uint64_t near = poise_permille(v->actual_pages, p->config.progress_permille);
	const bool shrinks =
		v->target_pages + near < v->actual_pages && target_pages < v->actual_pages;
	const bool grows =
		v->target_pages > v->actual_pages + near && target_pages > v->actual_pages;
	v->epoch = ++p->epoch;
	v->rule = rule;
	/* A balloon that stands still is not excused by being asked for more of the same. */
	if (!shrinks && !grows && v->unsent == 0) {
		window_start(p, v);
	}
	/* What it was to have until now it may have taken unseen: only a measurement frees that. */
	poise_ledger_set(p, v, v->unsent != 0 ? v->actual_pages : poise_vm_charge(v), target_pages);
	const enum poise_err err = p->port->resize(p->ctx, slot, target_pages, v->epoch);
	v->unsent = err != POISE_OK;
	if (err != POISE_OK) {
		(void)poise_count(p, POISE_E_PORT);
	}
	poise_emit(p, POISE_EVENT_RESIZE, slot, err, target_pages, v->epoch);
}

/* Grows one VM that waits for memory, as far as that goes. */
static void grow(struct poise *p, struct poise_vm *v)
{
	/* The reserve is for the urgent, and for a VM that could not even boot without it. */
	const bool open = v->urgent != 0 || v->state == POISE_VM_UNMANAGED;
	/* Up to the charge nothing has to be found: that much is the VM's already. */
	const uint64_t most = poise_vm_charge(v) + poise_ledger_grantable(p, open);
	const uint64_t target = poise_min(v->goal_pages, most);
	if (target > v->target_pages &&
	    (target == v->goal_pages ||
	     target - v->target_pages >= v->target_pages / MINIMUM_GRANT_PART)) {
		poise_resize_ask(p, v, target, target == v->goal_pages ? v->rule : POISE_RULE_HELD);
	}
}

void poise_resize_settle(struct poise *p)
{
	/* From the slot that is served first all the way round. */
	uint32_t slot = p->round_robin_start;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_vm *v = &p->vm[slot];
		if (v->goal_pages > v->target_pages && v->unsent == 0) {
			grow(p, v);
		}
		slot = slot + 1 < POISE_VM_MAX ? slot + 1 : 0;
	}
}

void poise_resize_commit(struct poise *p)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_vm *v = &p->vm[i];
		const struct poise_row *row = &p->plan.row[i];
		if (v->state == POISE_VM_EMPTY) {
			continue;
		}
		/* Who is held by a rule says so, once. */
		if (row->goal_pages != row->size_pages ||
		    (row->rule != v->rule && row->rule != POISE_RULE_NONE)) {
			poise_emit_plan(p, i);
		}
		v->rule = row->rule;
		/* A VM outside its limits (they were changed, or it came so) gets there step by
		 * step. */
		v->goal_pages = poise_min(poise_max(row->goal_pages, v->config.min_pages),
					  v->config.max_pages);
		/* A request that the port has not accepted is made again; its row is held
		 * meanwhile. */
		if (row->goal_pages < v->target_pages || v->unsent != 0) {
			poise_resize_ask(p, v, row->goal_pages,
					 v->unsent != 0 ? POISE_RULE_REPEATED : row->rule);
		}
	}
	poise_resize_settle(p);
}

/* Gives up on a request: the VM keeps what it has and is left alone, each time for twice as long.
 */
static void park(struct poise *p, struct poise_vm *v)
{
	const uint64_t size =
		poise_min(poise_max(v->actual_pages, v->config.min_pages), v->config.max_pages);
	v->backoff_end_ms = p->now_ms + ((uint64_t)p->config.interval_ms << v->backoff_exponent);
	v->backoff_exponent += v->backoff_exponent < POISE_BACKOFF_EXPONENT_MAX;
	v->goal_pages = size;
	window_start(p, v);
	(void)poise_count(p, POISE_E_LOST);
	/* A reservation that it has not got yet is not charged without free memory. */
	poise_resize_ask(p, v, poise_min(size, poise_vm_charge(v)), POISE_RULE_PARKED);
}

void poise_resize_watch(struct poise *p, struct poise_vm *v)
{
	const bool over = p->now_ms - v->window_ms >=
			  (uint64_t)p->config.answer_intervals * p->config.interval_ms;
	if (v->unsent == 0 && v->actual_pages == v->target_pages) {
		if (v->window_pages != v->actual_pages) {
			v->backoff_exponent = 0;
			v->window_pages = v->actual_pages;
		}
		return;
	}
	if (v->actual_pages == 0 && v->target_pages < v->config.boot_pages) {
		window_start(p, v); /* It waits for memory to start: there is no balloon yet. */
		return;
	}
	if (!over) {
		return;
	}
	const bool shrinking = v->target_pages < v->window_pages;
	const uint64_t left = poise_apart(v->actual_pages, v->target_pages);
	const uint64_t moved = shrinking ? poise_over(v->window_pages, v->actual_pages)
					 : poise_over(v->actual_pages, v->window_pages);
	const uint64_t least = poise_permille(v->target_pages, p->config.progress_permille);
	if (left > least && moved < poise_max(least, 1)) {
		park(p, v);
	} else {
		window_start(p, v);
	}
}
