/* SPDX-License-Identifier: MIT */
/*
 * Poise: moves memory between the VMs of one machine before any of them swaps. Public API.
 *
 * The caller owns one `struct poise`; there are no globals, no allocation, no floating point, no
 * clock. All sizes are pages of 4 KiB. All times are milliseconds of one monotonic host clock,
 * given as an argument. One call at a time for each `struct poise`; calls do not block. A call that
 * returns an error has changed nothing but error counters and the latest time seen, unless its text
 * says otherwise. Beside what is listed with each call, all that take a `struct poise` return
 * POISE_E_ARG for a null pointer, POISE_E_CONTEXT for one that poise_init has not made, and
 * POISE_E_STATE from within a port call.
 *
 * One page count's way: poise_page_read (page.c) -> poise_report (sample.c) ->
 * poise_forecast_update (forecast.c) -> poise_plan_make (plan.c and one file a policy) -> ledger.c
 * -> resize.c -> poise_ack (ack.c). poise_tick (tick.c) strings the middle ones together.
 */
#ifndef POISE_H
#define POISE_H

#include <stddef.h>
#include <stdint.h>

#include "poise_abi.h"
#include "poise_config.h"
#include "poise_err.h"
#include "poise_event.h"
#include "poise_port.h"
#include "poise_state.h"

#ifdef __cplusplus
extern "C" {
#endif

#define POISE_VERSION "0.2.0"

/*
 * Makes an empty pool. `size` is sizeof(struct poise) as the caller sees it: a library built for
 * another POISE_VM_MAX answers POISE_E_CONTEXT. `port` must have all four functions and outlive
 * `p`. Returns: POISE_OK; POISE_E_ARG null pointer; POISE_E_CONTEXT size; POISE_E_CONFIG a value or
 * a missing port function. Context: any memory, initialised or not.
 */
POISE_MUST_CHECK enum poise_err poise_init(struct poise *p, size_t size,
					   const struct poise_config *config,
					   const struct poise_port *port, void *ctx);

/*
 * Puts a VM into slot `vm` (0..POISE_VM_MAX-1). `actual_pages`: what it has already, by the host's
 * own count, 0 for one that is about to start. It is charged at once for what it has; if that is
 * less than boot_pages, it gets the rest as far as memory is free, now and with the next plans:
 * look at vm[].target_pages before starting it. Returns: POISE_OK; POISE_E_ARG slot or pages;
 * POISE_E_DUP slot in use; POISE_E_CONFIG limits; POISE_E_INFEASIBLE the sum of reservations would
 * not fit.
 */
POISE_MUST_CHECK enum poise_err poise_vm_add(struct poise *p, uint32_t vm,
					     const struct poise_vm_config *config,
					     uint64_t actual_pages);

/*
 * Changes a VM's limits, weight, basis or flags; takes effect with the next plan. A VM that is
 * frozen, thawed or given another basis has to report twice before it is managed again. Returns: as
 * poise_vm_add, and POISE_E_NOT_FOUND.
 */
POISE_MUST_CHECK enum poise_err poise_vm_set(struct poise *p, uint32_t vm,
					     const struct poise_vm_config *config);

/*
 * Takes a VM out. The caller states that the VM is gone and all its pages are free again; they
 * return to the pool once, whatever was in flight; answers that are still on their way are
 * recognised as late. Returns: POISE_OK; POISE_E_ARG; POISE_E_NOT_FOUND.
 */
POISE_MUST_CHECK enum poise_err poise_vm_remove(struct poise *p, uint32_t vm);

/*
 * States that a VM has been reset, rebooted or resumed: its history is dropped and it is charged at
 * once for at least its boot size, even if that makes a debt, because the guest may take its whole
 * balloon back. `actual_pages`: what it has now, by the host's own count. Returns: POISE_OK;
 * POISE_E_ARG; POISE_E_NOT_FOUND.
 */
POISE_MUST_CHECK enum poise_err poise_vm_restart(struct poise *p, uint32_t vm,
						 uint64_t actual_pages);

/*
 * Changes the size of the pool. A pool smaller than what is charged makes a debt that the next
 * plans repay, nobody below its reservation; limits above the new size just never bind. Returns:
 * POISE_OK; POISE_E_ARG 0 or above POISE_PAGES_MAX; POISE_E_INFEASIBLE less than the sum of
 * reservations.
 */
POISE_MUST_CHECK enum poise_err poise_pool_set(struct poise *p, uint64_t pool_pages);

/*
 * Stage 2: copies a guest page once, consistently, and checks the copy. `limit_pages`: the most
 * that this VM can have. `out` is undefined unless POISE_OK is returned. Returns: POISE_OK;
 * POISE_E_UNMAPPED null page; POISE_E_TORN POISE_SEQ_TRIES tries; POISE_E_MAGIC, _ENDIAN, _VERSION,
 * _LENGTH, _CHECKSUM, _RANGE, _INCONSISTENT. Bounded work whatever the page holds. Context: any;
 * needs no `struct poise`. The page may change under it at any time.
 */
POISE_MUST_CHECK enum poise_err poise_page_read(const struct poise_guest_page *page,
						uint64_t limit_pages, struct poise_sample *out);

/*
 * Whether a guest's page could hold these numbers. `limit_pages`: the most that this VM can have.
 * For samples that come by other ways than a page, as out of a file; poise_page_read looks by
 * itself. Returns: POISE_OK; POISE_E_RANGE; POISE_E_INCONSISTENT.
 */
POISE_MUST_CHECK enum poise_err poise_sample_check(const struct poise_sample *s,
						   uint64_t limit_pages);

/* Returns the urgent word of a guest page; what the guest published before raising it is then
 * visible. */
uint32_t poise_page_urgent(const struct poise_guest_page *page);

/* The host page's writer: its private copies, zero at the start. */
struct poise_host_writer {
	uint64_t update;
	uint32_t seq;
	uint32_t reserved;
};

/* Puts a notice into the host page. Context: the page's only writer. */
void poise_host_page_write(struct poise_host_page *page, struct poise_host_writer *writer,
			   const struct poise_notice *notice);

/*
 * Reads a VM's page, reports the sample or the error, and if its urgent word has moved, acts on it:
 * all that a port does when the interval is over or the doorbell rings. `page` may be null: it is
 * gone. Returns: as poise_page_read and poise_report; POISE_E_ARG; POISE_E_NOT_FOUND. Errors of
 * guest data are counted and part of normal life.
 */
POISE_MUST_CHECK enum poise_err poise_poll(struct poise *p, uint32_t vm, uint64_t now_ms,
					   const struct poise_guest_page *page);

/*
 * Stage 3: takes a sample of poise_page_read, or one that has passed poise_sample_check. `now_ms`:
 * host time at which it was read.
 * Returns: POISE_OK; POISE_E_ARG; POISE_E_NOT_FOUND; and with the sample counted but not used:
 * POISE_E_TOTAL; POISE_E_STALE; POISE_E_REPLAY (the VM was treated as restarted).
 */
POISE_MUST_CHECK enum poise_err poise_report(struct poise *p, uint32_t vm, uint64_t now_ms,
					     const struct poise_sample *sample);

/*
 * States that a VM's page gave no sample, and why (an error of class B). Counted; the last forecast
 * stays and ages. Returns: POISE_OK; POISE_E_ARG; POISE_E_NOT_FOUND.
 */
POISE_MUST_CHECK enum poise_err poise_report_error(struct poise *p, uint32_t vm, uint64_t now_ms,
						   enum poise_err err);

/*
 * Returns how old a VM's sample is at `now_ms`, in ms: 0 for a time before it, UINT64_MAX if there
 * is none, or no VM. A VM is STALE from hold_intervals on, and nobody else has to decide that: its
 * state says it.
 */
uint64_t poise_vm_age_ms(const struct poise *p, uint32_t vm, uint64_t now_ms);

/*
 * States that a VM needs memory now. At most once in urgent_gap_ms a VM, less often for one that
 * asks without need, this makes a plan at once with the reserve opened. Returns: POISE_OK;
 * POISE_E_BUSY too soon; POISE_E_ARG; POISE_E_NOT_FOUND; POISE_E_STATE not MANAGED.
 */
POISE_MUST_CHECK enum poise_err poise_urgent(struct poise *p, uint32_t vm, uint64_t now_ms);

/*
 * The periodic work: measure, age, plan, commit, notify. Call it every interval_ms, after the VMs
 * have been polled. Times that go back count as no time passed; long gaps make no catch-up burst.
 * Returns: POISE_OK. Cost: linear in POISE_VM_MAX; see the README's table.
 */
POISE_MUST_CHECK enum poise_err poise_tick(struct poise *p, uint64_t now_ms);

/*
 * Stage 7: the port has measured the answer to a request. `pages` is the VM's size by the host's
 * own count; a part of what was asked is progress. Memory that came free goes to those that wait
 * for it. Returns: POISE_OK; POISE_E_LOST the epoch is not the VM's last one (counted, dropped);
 * POISE_E_ARG; POISE_E_NOT_FOUND.
 */
POISE_MUST_CHECK enum poise_err poise_ack(struct poise *p, uint32_t vm, uint64_t epoch,
					  uint64_t pages, uint64_t now_ms);

/* Largest exported state of a core of this table size. */
#define POISE_EXPORT_BYTES (8u * (9u + POISE_ERR_COUNT + POISE_VM_MAX * 57u))

/*
 * Writes the whole state to `out`, for a later import: all VMs, their books, histories and
 * requests, the clock and the counters; but no pointer, and nothing of the configuration but the
 * pool and the VMs. Nothing is changed. `room`: of `out`, at least POISE_EXPORT_BYTES, as the
 * caller sees it. `bytes`: takes the length. The form is fixed (export.c), little-endian, and the
 * same on every machine. Returns: POISE_OK; POISE_E_ARG null pointer or too little room.
 */
POISE_MUST_CHECK enum poise_err poise_export(const struct poise *p, void *out, size_t room,
					     size_t *bytes);

/*
 * Takes an exported state into a core that poise_init has just made and that has no VM: it goes on
 * where the other one stopped, and with equal inputs it decides the same. The clock has to go on,
 * too. Policy, rules and tunables are those of poise_init; the pool is the exported one's. Every
 * guest is told its target again. `blob` may come from anywhere and lie anywhere: all of it is
 * checked first, and an error has changed nothing. Returns: POISE_OK; POISE_E_STATE there is a VM;
 * POISE_E_IMAGE; POISE_E_NEWER; POISE_E_ROOM.
 */
POISE_MUST_CHECK enum poise_err poise_import(struct poise *p, const void *blob, size_t bytes);

/*
 * As poise_vm_add, for a VM that an earlier core knew in `slot`: what that one knew of its guest
 * and of its balloon is taken from the exported state, and it keeps the size that it has. For
 * callers that meet their VMs one by one. Returns: as poise_vm_add and poise_import;
 * POISE_E_NOT_FOUND there was no VM in that slot; POISE_E_STATE it was frozen then or is now, or
 * has another basis.
 */
POISE_MUST_CHECK enum poise_err poise_vm_import(struct poise *p, uint32_t vm,
						const struct poise_vm_config *config,
						uint64_t actual_pages, const void *blob,
						size_t bytes, uint32_t slot);

/* The invariants that poise_check looks at; I3 and I7 to I9 need a second run or an outside view.
 */
#define POISE_CHECK_CONTEXT  0x01u /* magic, port, counters in range */
#define POISE_CHECK_LEDGER   0x02u /* I1: charges + free = pool */
#define POISE_CHECK_BOUNDS   0x04u /* I2: min <= goal <= max */
#define POISE_CHECK_RESERVED 0x08u /* sum of reservations <= pool */
#define POISE_CHECK_PLAN     0x10u /* the last plan's growth is covered: free memory, shrinking */
#define POISE_CHECK_FORECAST 0x20u /* magnitudes within their stated ranges */
#define POISE_CHECK_EMPTY    0x40u /* an empty slot holds nothing */

/* Looks at every invariant. Returns 0, or the POISE_CHECK_* bits that do not hold. Changes nothing.
 */
unsigned poise_check(const struct poise *p);

#ifdef __cplusplus
}
#endif

#endif
