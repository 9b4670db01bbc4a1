/* SPDX-License-Identifier: MIT */
/*
 * The state of one pool: samples, forecasts, VMs, the plan. The caller owns it and may read it; it
 * is changed through the calls of poise.h only.
 */
#ifndef POISE_STATE_H
#define POISE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "poise_abi.h"
#include "poise_config.h"
#include "poise_err.h"
#include "poise_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Stage 2's result: one consistent, checked copy of a guest page (struct poise_guest_update), laid
 * out alike. Only poise_page_read makes one.
 */
struct poise_sample {
	uint64_t checksum;
	uint32_t magic;
	uint16_t version, compat;
	uint32_t features; /* those that are known */
	uint32_t length;
	uint64_t boot_id;
	struct poise_abi_guest body; /* fields without their feature bit are zero */
};

/*
 * Stage 3's result. Fixed point with 16 fraction bits; magnitudes stay below 2^36 pages, so that
 * nothing wraps. See DESIGN.md for the error bound.
 */
struct poise_forecast {
	/* Equation (2): how much more the VM will need in the next interval. */
	int64_t delta_q16;
	/* Equation (3). */
	int64_t reclaimable_q16;
	/* M at the last step of the average. */
	uint64_t used_pages;
	/* total - balloon of the same sample. */
	uint64_t size_pages;
	/* size - R, or what is left of its last peak: falls by a tenth of the way each interval, by
	 * a third while memory lies free. */
	uint64_t peak_in_use_pages;
	/* Read back from swap or refaulted lately; fades by a 32nd each interval, by a sixth while
	 * memory lies free. */
	uint64_t refault_pages;
	/* Promised to processes lately; halved each interval. */
	uint64_t promised_pages;
	/* Host time of that step. */
	uint64_t stepped_ms;
	/* 0: no sample yet, 1: a baseline, 2 and more: delta is valid. */
	uint32_t steps;
	uint32_t reserved;
};

/*
 * Which samples a VM's decisions rest on.
 *
 *	EMPTY       -> UNMANAGED    poise_vm_add
 *	UNMANAGED   -> MANAGED      second good sample of one boot
 *	MANAGED     -> STALE        no fresh sample for hold_intervals
 *	STALE       -> FROZEN       none for freeze_intervals
 *	STALE, FROZEN -> MANAGED    a fresh sample
 *	any         -> QUARANTINED  POISE_BAD_RUN bad samples in a row
 *	QUARANTINED -> UNMANAGED    POISE_GOOD_RUN good samples in a row
 *	any         -> UNMANAGED    new boot generation, counter reset, poise_vm_restart, thaw
 *	any         -> FROZEN       POISE_VM_FREEZE
 *	any         -> EMPTY        poise_vm_remove
 */
enum poise_vm_state {
#define POISE_STATE(code, number, name, words) POISE_VM_##code = (number),
#include "poise_states.def"
#undef POISE_STATE
	POISE_VM_STATE_COUNT
};
#define POISE_BAD_RUN  8
#define POISE_GOOD_RUN 4

/* One VM. Read it as you like, change it through the API only. */
struct poise_vm {
	struct poise_vm_config config; /* with defaults filled in */
	uint32_t state;                /* enum poise_vm_state */
	uint32_t bad_run, good_run;    /* samples in a row */
	/* 1: its target last changed upwards, 0: downwards, or never. */
	uint32_t last_direction;

	/* Ledger. The VM is charged max(actual, target) at all times. */
	uint64_t actual_pages; /* measured by the port */
	uint64_t target_pages; /* last asked for */
	/* Of the plan; above target while memory for it is still on its way. */
	uint64_t goal_pages;
	/* Target after the last tick. */
	uint64_t ticked_pages;

	/* The request in force. */
	uint64_t epoch;
	/* Start of the progress window, and actual at that time. */
	uint64_t window_ms;
	uint64_t window_pages;
	/* Back-off: left alone until then. */
	uint64_t backoff_end_ms;
	/* Windows in a row without progress; each doubles the time that the VM is left alone. */
	uint32_t backoff_exponent;
	/* 1: the port has not accepted the request yet. */
	uint32_t unsent;

	struct poise_sample last;
	/* Host time at which `last` was fresh. */
	uint64_t sample_ms;
	struct poise_forecast forecast;

	/* No early tick for it before then. */
	uint64_t urgent_ms;
	/* ms to the next one that is allowed; doubles with each that was not needed. */
	uint32_t urgent_gap;
	uint32_t urgent_word; /* last seen */
	/* 1: asked for in this plan. */
	uint16_t urgent;
	/* What the host page says. */
	uint16_t notified_state;
	/* enum poise_rule: the last that shaped the goal, or the request. */
	uint32_t rule;
	uint64_t notified_epoch;
};

/* What one VM demands, as the rules shape it from what is known of this VM alone. */
struct poise_demand {
	/* What it should have. */
	uint64_t desired_pages;
	/* What is its own whatever the others need: its reservation, or more. */
	uint64_t own_pages;
	/* No goal beyond these in this plan. */
	uint64_t lower_pages, upper_pages;
	/* The last rule that changed desired_pages. */
	uint32_t rule;
	/* The last rule that changed lower_pages. */
	uint16_t lower_rule;
	/* 1: its guest declares a floor above the reservation. */
	uint16_t has_floor;
};

/* What the allocator works out for one VM when memory is short; nobody else reads it. */
struct poise_share {
	/* What it needs, up to what is its own and its weighted part of the rest. */
	uint64_t entitlement_pages;
	/* Most that sharing gives it: what it needs, or what it desires once all needs are met. */
	uint64_t most_pages;
};

/* One VM in a plan: what comes out for it, and what that was made of. */
struct poise_row {
	uint64_t size_pages; /* target in force when the plan was made */
	uint64_t goal_pages; /* absolute */
	uint32_t rule;       /* enum poise_rule: the last that changed the goal */
	/* 1: in a shortage, its goal is too near to be worth a move. */
	uint16_t suppressed;
	/* Its VM's, 1..65535; 0 for an empty slot. */
	uint16_t weight;
	struct poise_demand demand;
	struct poise_share share;
};

/* All that a plan is made of. */
struct poise_plan_input {
	const struct poise_config *config;
	const struct poise_vm *vm; /* POISE_VM_MAX of them */
	uint64_t now_ms;
	uint64_t elapsed_ms; /* since the last tick, at most two intervals */
	uint64_t early;      /* 1: not a tick's plan but an early one */
};

/* Stage 4's result. What shrinks (goal < size) is carried out before what grows. */
struct poise_plan {
	int64_t available_pages; /* for growth without shrinking; below zero: has to come first */
	struct poise_row row[POISE_VM_MAX];
};

/* The whole state. */
struct poise {
	uint32_t magic;
	/* 1: a call is under way; port calls may not come back. */
	uint32_t busy;
	struct poise_config config; /* with defaults filled in */
	const struct poise_port *port;
	void *ctx;
	/* Slot that is served first: the last one that asked urgently. */
	uint32_t round_robin_start;
	uint32_t reserved;
	/* Latest time seen; never goes back. */
	uint64_t now_ms;
	/* Time of the last tick. */
	uint64_t ticked_ms;
	/* Last one given out; never reused, so that late answers are recognised. */
	uint64_t epoch;
	/* pool - sum of charges; below zero: a debt that only shrinking can repay. */
	int64_t free_pages;
	/* How often each error was met, by -code. */
	uint64_t errors[POISE_ERR_COUNT];
	/* Being checked by poise_poll: too large for a small stack. */
	struct poise_sample incoming;
	struct poise_plan plan;
	struct poise_vm vm[POISE_VM_MAX];
};

#define POISE_STATE_BYTES (sizeof(struct poise))
POISE_ABI_ASSERT(sizeof(struct poise_vm) + sizeof(struct poise_row) <= POISE_STATE_BYTES_PER_VM_MAX,
		 "a VM costs more state than promised");

/* What a VM is charged: max(actual, target), 0 for an empty slot. */
static inline uint64_t poise_vm_charge(const struct poise_vm *vm)
{
	return vm->actual_pages > vm->target_pages ? vm->actual_pages : vm->target_pages;
}

#ifdef __cplusplus
}
#endif

#endif
