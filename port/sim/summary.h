/* SPDX-License-Identifier: MIT */
/* A set of scenarios as a whole: what each policy makes of it. */
#ifndef SIM_SUMMARY_H
#define SIM_SUMMARY_H

#include <stdbool.h>

#include "meter.h"

struct sim_summary {
	const char *policy;
	/* Sums over the scenarios. */
	uint64_t swap_out, swap_in, refault, moved, reversals, violations, oom_kills;
	double stall_ms;
	/* Means, and the worst of all. */
	double work, idle_pages, worst_work, relief_ms_worst;
	/*
	 * Where it falls back most behind the scenario's best policy: by how much, and the number
	 * of that scenario. Policies with hindsight (sim_summary_is_hindsight) are not compared
	 * with, and 0 for the best ones.
	 */
	double behind_ms;
	unsigned behind_at;
	double over_oracle; /* stall over the oracle's, 0.1: a tenth more; NAN without an oracle */
};

/* Does the policy know the future, or have a larger machine: "oracle" with options, and "best"? */
bool sim_summary_is_hindsight(const char *policy);

/* Sums up: result[i * policies + k] is scenario i under policy k. `out` has a line for each policy,
 * the least stall first. */
void sim_summary_make(const struct sim_result *result, unsigned scenarios, unsigned policies,
		      struct sim_summary *out);

#endif
