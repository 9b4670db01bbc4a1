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
	uint64_t debt_pages; /* in use beyond the total; nothing is free then */
	uint32_t next_event;
	uint64_t random;
	struct sim_device device;
	struct sim_guest guest[SIM_VM_MAX];
	struct sim_meter meter;
	uint64_t probes;
	bool curves;                 /* a policy asked for miss curves */
	char failure[SIM_ERROR_MAX]; /* "" or why the run cannot go on: a bug of the simulator */

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
/* Memory is in use from now on, whether or not it is there. */
void sim_host_use(struct sim_host *h, uint64_t pages);
/* What is due by now happens; event.c. */
void sim_host_events(struct sim_host *h);
/* Does the target stay in force after the guest has said that it can do no more? */
bool sim_host_insists(const struct sim_host *h);
/* Something that cannot be has happened. */
void sim_host_fail(struct sim_host *h, const char *what, uint64_t where, uint64_t found,
		   uint64_t expected);

/* --- who decides: core.c, rival.c --- */

/* Set up the deciding side; `error` says why not. */
bool sim_core_start(struct sim_host *h, const struct poise_config *config, const char **error);
void sim_core_step(struct sim_host *h);
/* Tells the core what has happened to the machine, after it has. */
void sim_core_event(struct sim_host *h, const struct sim_event *e);
bool sim_rival_start(struct sim_host *h, const struct sim_policy *policy, const char *options,
		     const char **error);
void sim_rival_step(struct sim_host *h);
/* A VM starts anew: its balloon device still has the last target. */
void sim_rival_repeat(struct sim_host *h, uint32_t vm);
void sim_rival_stop(struct sim_host *h);

#endif
