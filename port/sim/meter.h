/* SPDX-License-Identifier: MIT */
/*
 * What is measured of a run, by whom it is not known: the same for every policy. README.md defines
 * each figure.
 */
#ifndef SIM_METER_H
#define SIM_METER_H

#include <stdint.h>

#include "policy.h"

struct sim_host;

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

struct sim_vm_result {
	char name[64];
	uint64_t swap_out, swap_in, refault_anon, refault_file, oom_kills, urgent;
	double stall_ms, work, mean_pages;
};

struct sim_result {
	char policy[64];
	uint64_t swap_out, swap_in, refault, moved, reversals, violations, checks, oom_kills;
	uint64_t probes;
	double stall_ms, work, worst_work, relief_ms_median, relief_ms_worst, idle_pages;
	uint32_t vm_count;
	struct sim_vm_result vm[SIM_VM_MAX];
};

void sim_meter_start(struct sim_host *h);
/* After each step. */
void sim_meter_step(struct sim_host *h);
/* Adds it all up; frees what the meter holds. */
void sim_meter_finish(struct sim_host *h, struct sim_result *result);
void sim_meter_stop(struct sim_host *h);

#endif
