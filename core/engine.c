/* SPDX-License-Identifier: MIT */
/*
 * How every call begins and ends, and what goes out: the entry checks, the clock, the error
 * counters, the records and the notices. Knows no stage; the stages stand on it.
 */
#include "internal.h"

enum poise_err poise_count(struct poise *p, enum poise_err err)
{
	p->errors[-err]++;
	return err;
}

enum poise_err poise_enter(struct poise *p, uint64_t vm)
{
	if (p == NULL) {
		return POISE_E_ARG;
	}
	if (p->magic != POISE_MAGIC) {
		return POISE_E_CONTEXT;
	}
	if (p->busy != 0) {
		return poise_count(p, POISE_E_STATE);
	}
	if (vm != POISE_NO_VM && vm >= POISE_VM_MAX) {
		return poise_count(p, POISE_E_ARG);
	}
	if (vm != POISE_NO_VM && p->vm[vm].state == POISE_VM_EMPTY) {
		return poise_count(p, POISE_E_NOT_FOUND);
	}
	p->busy = 1;
	return POISE_OK;
}

enum poise_err poise_leave(struct poise *p, enum poise_err result)
{
	p->busy = 0;
	return result == POISE_OK ? result : poise_count(p, result);
}

void poise_clock(struct poise *p, uint64_t now_ms)
{
	p->now_ms = poise_max(p->now_ms, now_ms);
}

void poise_emit_data(struct poise *p, uint32_t code, uint32_t vm, uint64_t a, const void *data)
{
	const struct poise_event event = {
		.now_ms = p->now_ms, .code = code, .vm = vm, .a = a, .data = data};
	p->port->event(p->ctx, &event);
}

void poise_emit(struct poise *p, uint32_t code, uint32_t vm, enum poise_err err, uint64_t a,
		uint64_t b)
{
	const struct poise_event event = {.now_ms = p->now_ms,
					  .code = code,
					  .vm = vm,
					  .rule = code == POISE_EVENT_RESIZE ? p->vm[vm].rule
									     : POISE_RULE_NONE,
					  .err = err,
					  .a = a,
					  .b = b};
	p->port->event(p->ctx, &event);
}

void poise_emit_plan(struct poise *p, uint32_t vm)
{
	const struct poise_row *row = &p->plan.row[vm];
	const struct poise_forecast *f = &p->vm[vm].forecast;
	/* Field by field: a compiler would clear an initialised one as a whole first. */
	struct poise_event event;
	event.now_ms = p->now_ms;
	event.code = POISE_EVENT_PLAN;
	event.vm = vm;
	event.rule = row->rule;
	event.err = POISE_OK;
	event.a = row->size_pages;
	event.b = (uint64_t)f->delta_q16;
	event.c = (uint64_t)f->reclaimable_q16;
	event.d = row->goal_pages;
	event.data = NULL;
	p->port->event(p->ctx, &event);
}

void poise_tell(struct poise *p)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_vm *v = &p->vm[i];
		/* A request that the port has not accepted is none yet. */
		if (v->target_pages != 0 && v->unsent == 0 &&
		    (v->notified_epoch != v->epoch || v->notified_state != v->state)) {
			const struct poise_notice notice = {.boot_id = v->last.boot_id,
							    .interval_ms = p->config.interval_ms,
							    .target_pages = v->target_pages,
							    .epoch = v->epoch,
							    .state = v->state};
			v->notified_epoch = v->epoch;
			v->notified_state = (uint16_t)v->state;
			p->port->notify(p->ctx, i, &notice);
		}
	}
}
