/* SPDX-License-Identifier: MIT */
/*
 * One phase of a scenario: some VMs under one policy for some time, from a clean machine to a table
 * of what happened. Phases know nothing of each other, so any order of them gives the same results.
 */
#ifndef BOARD_PHASE_H
#define BOARD_PHASE_H

#include <stdio.h>

#include "port.h"

struct board_phase {
	const char *name;
	const struct board_vm_config *vms; /* slot = index */
	uint32_t vm_count;
	struct poise_config poise; /* pool and policy */
	uint64_t duration_ms;
	uint32_t restart_limit; /* how many deaths a VM survives; later ones are final */
	FILE *record;           /* receives the core's events, NULL for none */
	bool lines;             /* one line a second on the console */
	bool updates;           /* a live update of the core behind each tick */
};

/* What the guests said at the end, over all of a VM's lives, and what the monitor counted. */
struct board_vm_totals {
	uint64_t swap_out, swap_in, refaults; /* pages, the guest's own counters */
	uint64_t given, taken;                /* pages through the balloon */
	uint64_t blocks_read, blocks_written;
	uint64_t run_ns;
	uint64_t deaths;
	uint32_t size_pages; /* at the end */
	uint32_t state;      /* enum poise_vm_state at the end */
	bool alive;
};

struct board_totals {
	struct board_vm_totals vm[BOARD_VM_MAX];
	struct board_vm_totals sum;
	struct board_port_stats port;
	uint64_t errors[POISE_ERR_COUNT]; /* the core's counts, by -code */
	bool checks_ok;
};

/* Runs the phase. Returns: false if its configuration is refused; says why on the console. */
bool board_phase_run(const struct board_phase *phase, struct board_totals *totals);

#endif
