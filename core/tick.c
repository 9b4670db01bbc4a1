/* SPDX-License-Identifier: MIT */
/*
 * Strings the stages together: a page is polled, a tick or an urgent call measures, ages, plans and
 * commits.
 */
#include "internal.h"

enum poise_err poise_poll(struct poise *p, uint32_t vm, uint64_t now_ms,
			  const struct poise_guest_page *page)
{
	enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	/* The word first: with it comes the update that was published before it was raised. */
	const uint32_t word = page == NULL ? v->urgent_word : poise_page_urgent(page);
	const bool raised = word != v->urgent_word;
	v->urgent_word = word;
	/* A limit that was lowered since does not make the guest's total a lie. */
	err = poise_page_read(page, poise_max(v->config.max_pages, v->last.body.total_pages),
			      &p->incoming);
	p->busy = 0;
	if (err == POISE_OK) {
		err = poise_report(p, vm, now_ms, &p->incoming);
	} else {
		const enum poise_err counted = poise_report_error(p, vm, now_ms, err);
		POISE_ASSERT(counted == POISE_OK);
		(void)counted;
	}
	if (raised) {
		/* Too soon, or not managed: counted there, and the next tick looks at the VM
		 * anyway. */
		(void)(poise_urgent(p, vm, now_ms) == POISE_OK);
	}
	return err;
}

/* Asks the port for a VM's size. Without an answer the last one stays in force. */
static void measure(struct poise *p, uint32_t vm, struct poise_vm *v)
{
	uint64_t pages = v->actual_pages;
	enum poise_err err = p->port->measure(p->ctx, vm, &pages);
	if (err == POISE_OK && pages > POISE_PAGES_MAX) {
		err = POISE_E_PORT;
	}
	if (err != POISE_OK) {
		(void)poise_count(p, POISE_E_PORT);
		pages = v->actual_pages;
	}
	if (v->unsent != 0) {
		/* The port still works on an older request, whose size is charged already. */
		pages = poise_max(pages, v->actual_pages);
	}
	if (err != POISE_OK || pages != v->actual_pages) {
		poise_emit(p, POISE_EVENT_MEASURE, vm, err, pages, 0);
		poise_ledger_set(p, v, pages, v->target_pages);
	}
}

/* Looks at every VM as it is now. Not inlined, or its stack would be held while the plan is carried
 * out. */
static __attribute__((noinline)) void look(struct poise *p)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_vm *v = &p->vm[i];
		if (v->state != POISE_VM_EMPTY) {
			measure(p, i, v);
			poise_vm_age(p, v);
			poise_resize_watch(p, v);
		}
	}
}

/* What a tick and an early tick do. */
static void advance(struct poise *p, bool early)
{
	look(p);
	poise_plan_due(p, early);
	poise_resize_commit(p);
	poise_tell(p);
}

enum poise_err poise_urgent(struct poise *p, uint32_t vm, uint64_t now_ms)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	poise_clock(p, now_ms);
	if (v->state != POISE_VM_MANAGED) {
		return poise_leave(p, POISE_E_STATE);
	}
	const bool due = p->now_ms >= v->urgent_ms;
	poise_emit(p, POISE_EVENT_URGENT, vm, POISE_OK, due, 0);
	if (!due) {
		return poise_leave(p, POISE_E_BUSY);
	}
	/* One that asks while it could help itself waits twice as long for the next time, up to a
	 * second. */
	const bool needless = v->forecast.reclaimable_q16 > v->forecast.delta_q16;
	const uint64_t longest = poise_max(1000, p->config.urgent_gap_ms);
	v->urgent_gap = needless ? (uint32_t)poise_min(v->urgent_gap * 2, longest)
				 : p->config.urgent_gap_ms;
	v->urgent_ms = p->now_ms + v->urgent_gap;
	v->urgent = 1;
	p->round_robin_start = vm;
	advance(p, true);
	v->urgent = 0;
	return poise_leave(p, POISE_OK);
}

enum poise_err poise_tick(struct poise *p, uint64_t now_ms)
{
	const enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	poise_clock(p, now_ms);
	poise_emit(p, POISE_EVENT_TICK, 0, POISE_OK, now_ms, 0);
	advance(p, false);
	p->ticked_ms = p->now_ms;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		p->vm[i].ticked_pages = p->vm[i].target_pages;
	}
	return poise_leave(p, POISE_OK);
}
