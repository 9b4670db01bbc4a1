/* SPDX-License-Identifier: MIT */
/*
 * What the core's files share with each other and with their tests; ports never include this.
 */
#ifndef POISE_INTERNAL_H
#define POISE_INTERNAL_H

#include <stdbool.h>

#include "poise.h"

#define POISE_MAGIC         0x50A15E01u
#define POISE_FRACTION_BITS 16
#define POISE_ALPHA_ONE     1024

static inline uint64_t poise_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t poise_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* a - b, but not below zero. */
static inline uint64_t poise_over(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* How far two numbers are apart. */
static inline uint64_t poise_apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Rounds down. `value` is at most POISE_PAGES_MAX, so the product fits easily. */
static inline uint64_t poise_permille(uint64_t value, uint32_t permille)
{
	return value * permille / 1000;
}

/* The slot that a VM of the table is in. */
static inline uint32_t poise_slot(const struct poise *p, const struct poise_vm *v)
{
	return (uint32_t)(v - p->vm);
}

/* engine.c: entry checks, records and counters */

/*
 * Opens a call: checks `p`, and `vm` if `needs_vm`, and marks `p` busy. Every call that returned
 * POISE_OK is closed by poise_leave. Returns: POISE_OK; POISE_E_ARG; POISE_E_CONTEXT;
 * POISE_E_STATE; POISE_E_NOT_FOUND.
 */
enum poise_err poise_enter(struct poise *p, uint64_t vm);
/* Wider than any slot number that a caller can give. */
#define POISE_NO_VM UINT64_MAX
enum poise_err poise_leave(struct poise *p, enum poise_err result);
/* Moves the clock on, never back. */
void poise_clock(struct poise *p, uint64_t now_ms);
/* Counts an error and returns it. */
enum poise_err poise_count(struct poise *p, enum poise_err err);
/* Sends a record of a VM's; see enum poise_event_code for a and b. */
void poise_emit(struct poise *p, uint32_t code, uint32_t vm, enum poise_err err, uint64_t a,
		uint64_t b);
/* Likewise, of something that has come in, with data. */
void poise_emit_data(struct poise *p, uint32_t code, uint32_t vm, uint64_t a, const void *data);
/* Sends the record of a VM's row in the plan. */
void poise_emit_plan(struct poise *p, uint32_t vm);
/* Tells every guest whose target or state has changed. */
void poise_tell(struct poise *p);

/* vm.c */

/* Checks a VM's configuration and fills in its defaults. `v`: the slot it is for. Returns:
 * POISE_OK; POISE_E_CONFIG; POISE_E_INFEASIBLE. */
enum poise_err poise_vm_config_complete(const struct poise *p, const struct poise_vm *v,
					struct poise_vm_config *config);
/* Whether a change of configuration makes what is known of the guest useless. */
static inline bool poise_vm_starts_anew(const struct poise_vm_config *before,
					const struct poise_vm_config *after)
{
	return ((before->flags ^ after->flags) & POISE_VM_FREEZE) != 0 ||
	       before->basis != after->basis;
}

/* sample.c */

void poise_vm_state_set(struct poise *p, struct poise_vm *v, uint32_t state);
/* Ages a VM's statistics to the present. */
void poise_vm_age(struct poise *p, struct poise_vm *v);
/* Drops what is known of a VM's guest: it has to report twice before it is managed again. */
void poise_vm_forget(struct poise *p, struct poise_vm *v);
/* That, as its guest has started anew: it has `actual_pages`, is asked to have `target_pages` (0:
 * is not asked), and gets its boot size when the memory is there. */
void poise_vm_reboot(struct poise *p, struct poise_vm *v, uint64_t actual_pages,
		     uint64_t target_pages);

/* forecast.c: pure */

/* Equation (1)'s M: memory in use. `basis` AUTO decides by the sample's feature bits. */
uint64_t poise_forecast_used(const struct poise_sample *sample, uint32_t basis);
/* Equation (3), rounded down: inactive page cache + free - headroom * size, 16 fraction bits. */
int64_t poise_forecast_reclaimable(const struct poise_sample *sample, uint32_t headroom_permille);
/* What is in use and what of it cannot be had back at once: size - R. */
static inline uint64_t poise_forecast_in_use(const struct poise_forecast *f)
{
	const int64_t pages = (int64_t)f->size_pages - (f->reclaimable_q16 >> POISE_FRACTION_BITS);
	return pages > 0 ? (uint64_t)pages : 0;
}
/* Equation (2), rounded up: alpha * change + (1 - alpha) * delta. `alpha_q10`: 1..1024. */
int64_t poise_forecast_average(int64_t delta_q16, int64_t change_pages, uint32_t alpha_q10);
/*
 * Takes a fresh sample in. Reclaimable memory and size follow each sample; the average makes a step
 * at most once an interval, over the change since its last step, so that early samples lose
 * nothing.
 */
void poise_forecast_update(struct poise_forecast *forecast, const struct poise_config *config,
			   uint32_t basis, const struct poise_sample *before,
			   const struct poise_sample *sample, uint64_t now_ms);

/* plan.c and one file a policy: pure, all that they read is the input */

void poise_plan_make(const struct poise_plan_input *in, struct poise_plan *plan);
void poise_plan_paper(const struct poise_plan_input *in, struct poise_plan *plan);
void poise_plan_poise(const struct poise_plan_input *in, struct poise_plan *plan);
/* Makes the plan that is due now. `early`: before a tick is. A long gap counts as two intervals:
 * nothing is caught up. */
void poise_plan_due(struct poise *p, bool early);
/* Demand and reclaimable memory in whole pages, rounded against shrinking. */
static inline int64_t poise_plan_delta(const struct poise_vm *vm)
{
	return (vm->forecast.delta_q16 + (1 << POISE_FRACTION_BITS) - 1) >> POISE_FRACTION_BITS;
}

static inline int64_t poise_plan_reclaimable(const struct poise_vm *vm)
{
	return vm->forecast.reclaimable_q16 >> POISE_FRACTION_BITS;
}

/* share.c: pure */

/* Equation (4): the part of `total` that a donor with `spare` out of `sum` shrinks by, rounded
 * down. */
static inline uint64_t poise_share_part(uint64_t spare, uint64_t sum, uint64_t total)
{
	/* The product fits while what is split, total < sum, is no more than the largest pool.
	 * Debts of several VMs of 16 TiB could add up to more: the part is then wrong, its row's
	 * limits still hold. */
	return sum > total ? spare * total / sum : spare;
}
/*
 * Who desires more than it has gets it; who desires less, `spare` pages in all, shrinks by its part
 * of `lacking`, and by all of it if the limit is below its size. `rule` binds those that shrink by
 * a part only. Returns the sum of what they shrink by.
 */
uint64_t poise_share_shrink(struct poise_plan *plan, uint64_t spare, uint64_t lacking,
			    uint32_t rule);
/* Cuts growth to what `available`, free memory and others' shrinking, covers: in slot order. */
void poise_share_cover(struct poise_plan *plan, int64_t available);
/* Likewise, but everybody gets the same part of what it was to get; `rule` binds those. */
void poise_share_cover_alike(struct poise_plan *plan, int64_t available, uint32_t rule);
/*
 * Shares `amount` out by weight, nobody more than it wants: each goal rises from where it is
 * towards the most that sharing gives. Weighted max-min fairness (Bertsekas and Gallager, Data
 * Networks, 6.5.2) in at most POISE_FILL_ROUNDS passes; what is not settled by then is dealt out as
 * it stands. Never gives more than `amount`. Of what is wanted it leaves at most a page a row, by
 * rounding, and (1 - (w / W)^(1/8))^8 of `amount`, where w is the smallest and W the sum of the
 * weights: 0.006 % for 16 equal ones.
 */
void poise_share_fill(struct poise_plan *plan, uint64_t amount);
#define POISE_FILL_ROUNDS 8

/* ledger.c */

/* Changes a VM's two numbers and moves the difference of its charge from or to free memory. */
void poise_ledger_set(struct poise *p, struct poise_vm *vm, uint64_t actual_pages,
		      uint64_t target_pages);
/* Free memory that a grant may use now: all of it, or without the reserve; 0 in debt. */
uint64_t poise_ledger_grantable(const struct poise *p, bool reserve_open);
/* What is kept free for urgent requests. */
uint64_t poise_reserve(const struct poise_config *config);

/* resize.c */

/* Asks the port for a new target under a new epoch, charging a growth before the call. `rule`: the
 * last that shaped the target. */
void poise_resize_ask(struct poise *p, struct poise_vm *v, uint64_t target_pages, uint32_t rule);
/* Carries out the plan: what shrinks first, then as much growth as free memory covers. */
void poise_resize_commit(struct poise *p);
/* Grows the VMs that wait, as far as free memory goes: urgent ones first. */
void poise_resize_settle(struct poise *p);
/* Looks at a request's progress; parks the target of a balloon that does not move. */
void poise_resize_watch(struct poise *p, struct poise_vm *v);
/* The time that a VM is left alone doubles with each window without progress, up to this many. */
#define POISE_BACKOFF_EXPONENT_MAX 6

#endif
