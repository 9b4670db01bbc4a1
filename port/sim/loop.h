/* SPDX-License-Identifier: MIT */
/*
 * The simulated hypervisor's clock: what happens, what the guests do, who decides, what is
 * measured, step by step. Who decides about sizes is core.c (the core's policies) or rival.c (the
 * simulator's own).
 */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include "host.h"

/* Makes the machine with all VMs at their boot size. Returns false without memory. */
bool sim_host_start(struct sim_host *h, const struct sim_scenario *scenario,
		    const struct sim_vm_config *config, uint64_t seed);
void sim_host_stop(struct sim_host *h);

/* Lets `step_ms` pass. */
void sim_host_step(struct sim_host *h);

#endif
