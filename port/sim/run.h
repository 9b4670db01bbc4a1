/* SPDX-License-Identifier: MIT */
/*
 * One run: a scenario under a policy. Equal scenario, policy and seed give equal results, on any
 * machine.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "meter.h"
#include "scenario.h"

struct sim_run_options {
	uint64_t seed;
	FILE *record; /* of the core's events, or NULL */
	FILE *series; /* of sizes over time, as CSV, or NULL */
	/* Called once a simulated second; NULL: not. */
	void (*progress)(void *ctx, uint64_t now_ms, uint64_t end_ms);
	void *ctx;
};

/*
 * Runs a scenario under `policy`: "poise", "paper", "static" (the core's), "best" (every VM has
 * all that it can use, on a machine that large), or one of sim_policies; options behind a colon.
 * Returns false with `error` when there is no such policy, an option is wrong, or the run failed.
 */
bool sim_run(const struct sim_scenario *scenario, const char *policy,
	     const struct sim_run_options *options, struct sim_result *result,
	     char error[SIM_ERROR_MAX]);

/* The core's and the simulator's own policies, for help and for "all": name of the n-th, NULL at
 * the end, and its line of help. */
const char *sim_run_policy(unsigned n, const char **text);

#endif
