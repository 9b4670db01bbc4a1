/* SPDX-License-Identifier: MIT */
/* Many runs, spread over processes. The results do not depend on how many there are. */
#ifndef SIM_BATCH_H
#define SIM_BATCH_H

#include "run.h"

struct sim_batch_run {
	const struct sim_scenario *scenario;
	const char *policy;
	uint64_t seed;
};

/*
 * Carries out `count` runs in `jobs` processes (at least 1); result[i] is that of run i. `progress`
 * is called in this process with the number of runs that are over; NULL: not.
 * Returns false with `error` = what went wrong in the first run that failed.
 */
bool sim_batch(const struct sim_batch_run *run, unsigned count, unsigned jobs,
	       struct sim_result *result, void (*progress)(void *ctx, uint64_t done, uint64_t all),
	       void *ctx, char error[SIM_ERROR_MAX]);

#endif
