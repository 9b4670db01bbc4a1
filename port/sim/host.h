/* SPDX-License-Identifier: MIT */
/*
 * The simulated hypervisor: its books, its clock, and the port that gives the core's policies the
 * same four operations as any other port. The simulator's own policies are served by rival.c from
 * the same books.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "device.h"
#include "guest.h"
#include "meter.h"
#include "policy.h"
#include "scenario.h"

struct sim_host {
	const struct sim_scenario *scenario;
	/* The VMs' configuration: the scenario's, or with all the memory they can use (`best`). */
	const struct sim_vm_config *config;
	uint64_t seed;
	uint64_t now_us;
	uint64_t total_pages, free_pages;
	struct sim_device device;
	struct sim_guest guest[SIM_VM_MAX];
	struct sim_meter meter;
	uint64_t probes;
	bool curves;                 /* a policy asked for miss curves */
	char failure[SIM_ERROR_MAX]; /* "" or why the run cannot go on: a bug of the simulator */

	/* The core's policies. */
	bool with_core;
	struct poise core;
	FILE *record; /* or NULL */

	/* The simulator's policies. */
	const struct sim_policy *policy;
	void *policy_state;
	struct sim_vm_view view[SIM_VM_MAX];
	uint64_t next_step_ms;
};

/* Makes the machine with all VMs at their boot size. Returns false without memory. */
bool sim_host_start(struct sim_host *h, const struct sim_scenario *scenario,
		    const struct sim_vm_config *config, uint64_t seed);
void sim_host_stop(struct sim_host *h);

/* Lets `step_ms` pass. */
void sim_host_step(struct sim_host *h);

/* --- the books --- */

/* A guest asks for `frames` frames from its balloon. Returns how many it gets. */
uint32_t sim_host_take(struct sim_host *h, struct sim_guest *g, uint32_t frames);
/* A guest has given memory back. */
void sim_host_put(struct sim_host *h, uint64_t pages);
/* Does the target stay in force after the guest has said that it can do no more? */
bool sim_host_insists(const struct sim_host *h);
/* Something that cannot be has happened. */
void sim_host_fail(struct sim_host *h, const char *what, uint64_t where, uint64_t found,
		   uint64_t expected);

/* --- who decides: core.c, rival.c --- */

/* Set up the deciding side; `error` says why not. */
bool sim_core_start(struct sim_host *h, const struct poise_config *config, const char **error);
void sim_core_step(struct sim_host *h, uint64_t before_us);
bool sim_rival_start(struct sim_host *h, const struct sim_policy *policy, const char *options,
		     const char **error);
void sim_rival_step(struct sim_host *h);
void sim_rival_stop(struct sim_host *h);

#endif
