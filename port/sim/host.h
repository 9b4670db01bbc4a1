/* SPDX-License-Identifier: MIT */
/*
 * The simulated hypervisor: its books, its guests, and what each side that decides holds. Data
 * only; loop.h has the functions, and core.h, rival.h, event.h, meter.h those of its parts.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "books.h"
#include "policy.h"
#include "vm.h"

/* Stretches of time in which a VM waits for memory. */
struct sim_relief {
	uint32_t *ms;
	uint32_t count, room;
};

struct sim_meter_vm {
	uint64_t pages;       /* at the last step */
	uint64_t turn_pages;  /* where it last turned round */
	int direction;        /* of its size: -1, 0 at the start, 1 */
	uint64_t stall_us;    /* at the last window */
	uint64_t distress_us; /* start of the distress it is in; 0: none */
	uint32_t calm;        /* windows in a row without */
	uint64_t pages_sum;   /* of its size, over all windows */
};

struct sim_meter {
	struct sim_meter_vm vm[SIM_VM_MAX];
	struct sim_relief relief;
	uint64_t moved_pages, reversals, violations, checks;
	uint64_t idle_pages_sum, windows;
	uint64_t next_window_us;
};

struct sim_host {
	struct sim_books books;
	uint32_t next_event;
	uint64_t random;
	struct sim_guest guest[SIM_VM_MAX];
	struct sim_meter meter;
	uint64_t probes;

	/* The core's policies. */
	bool with_core;
	struct poise core;
	FILE *record;             /* or NULL */
	uint64_t clock_ms;        /* what its clock is ahead of the simulation's */
	uint64_t next_tick_us;    /* without jitter */
	uint64_t tick_us;         /* with it */
	uint64_t resume_us;       /* it stands still until then */
	uint32_t burst;           /* ticks at once, the next time */
	uint64_t calls, faults;   /* of its port; those that went wrong */
	enum sim_call hit;        /* what the last of them was */
	uint64_t refused;         /* events that it did not accept */
	bool waiting[SIM_VM_MAX]; /* added, and not enough memory to boot yet */

	/* The simulator's policies. */
	const struct sim_policy *policy;
	void *policy_state;
	struct sim_vm_view view[SIM_VM_MAX];
	uint64_t next_step_ms;
};

#endif
