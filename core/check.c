/* SPDX-License-Identifier: MIT */
/*
 * Every invariant of `struct poise` that can be seen from inside, as one function: the oracle that
 * every test asks after every step. Changes nothing.
 */
#include "internal.h"

/* Equation (1) adds at most four page counts of 2^32; the average of such changes is no larger. */
#define DELTA_MAX_Q16 (INT64_C(1) << (34 + POISE_FRACTION_BITS))

static unsigned check_vm(const struct poise *p, const struct poise_vm *vm)
{
	const struct poise_forecast *f = &vm->forecast;
	unsigned broken = 0;
	if (vm->state == POISE_VM_EMPTY) {
		return poise_vm_charge(vm) != 0 || vm->config.weight != 0 ? POISE_CHECK_EMPTY : 0;
	}
	if (vm->goal_pages < vm->config.min_pages || vm->goal_pages > vm->config.max_pages) {
		broken |= POISE_CHECK_BOUNDS;
	}
	if (vm->epoch > p->epoch || vm->state > POISE_VM_QUARANTINED ||
	    vm->backoff_exponent > POISE_BACKOFF_EXPONENT_MAX) {
		broken |= POISE_CHECK_CONTEXT;
	}
	if (f->delta_q16 > DELTA_MAX_Q16 || f->delta_q16 < -DELTA_MAX_Q16 ||
	    f->size_pages > POISE_PAGES_MAX || f->peak_in_use_pages > 2 * POISE_PAGES_MAX ||
	    f->peak_in_use_pages < poise_forecast_in_use(f) || f->refault_pages > POISE_PAGES_MAX ||
	    f->promised_pages > POISE_PAGES_MAX / 8 ||
	    (vm->state == POISE_VM_MANAGED && f->steps < 2)) {
		broken |= POISE_CHECK_FORECAST;
	}
	return broken;
}

unsigned poise_check(const struct poise *p)
{
	uint64_t charged = 0;
	uint64_t reserved = 0;
	uint64_t shrunk = 0;
	uint64_t grown = 0;
	if (p == NULL || p->magic != POISE_MAGIC || p->port == NULL) {
		return POISE_CHECK_CONTEXT;
	}
	unsigned broken = p->busy != 0 ? POISE_CHECK_CONTEXT : 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &p->plan.row[i];
		charged += poise_vm_charge(&p->vm[i]);
		reserved += p->vm[i].config.min_pages;
		shrunk += poise_over(row->size_pages, row->goal_pages);
		grown += poise_over(row->goal_pages, row->size_pages);
		broken |= check_vm(p, &p->vm[i]);
	}
	if ((int64_t)charged + p->free_pages != (int64_t)p->config.pool_pages) {
		broken |= POISE_CHECK_LEDGER;
	}
	if (reserved > p->config.pool_pages) {
		broken |= POISE_CHECK_RESERVED;
	}
	if (grown != 0 && (int64_t)grown > p->plan.available_pages + (int64_t)shrunk) {
		broken |= POISE_CHECK_PLAN;
	}
	return broken;
}
