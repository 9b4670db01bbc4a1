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
