/* SPDX-License-Identifier: MIT */
/*
 * Estimators of working sets against the truth: the sampled dirty or access flags of policies
 * `dirty` and `accessed`, read while nobody changes the VMs' sizes, next to what the simulator
 * knows that the VM's work has touched.
 */
#ifndef SIM_ESTIMATE_H
#define SIM_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "scenario.h"

/* One way to estimate. */
struct sim_estimator {
	uint32_t flag;      /* SIM_DIRTY or SIM_ACCESSED */
	uint32_t sample;    /* frames of each VM in each interval; 0: all */
	uint32_t period_ms; /* interval: whole seconds, up to 60 */
};

/* How one VM's working set was estimated; means over the intervals, pages of 4 KiB. */
struct sim_estimate {
	uint32_t intervals;
	double truth;       /* touched in the interval, and still there */
	double estimate;    /* what the estimator said */
	double over, under; /* by how much that was too much, too little */
	double probes;      /* stage 2 entries looked at, in an interval */
	double hits;        /* of those: found used. Without flags set by hardware, a fault each */
};

/*
 * Runs the scenario with static sizes and this estimator. `out` has room for all VMs. Returns
 * false with `error`.
 */
bool sim_estimate_run(const struct sim_scenario *scenario, const struct sim_estimator *estimator,
		      uint64_t seed, struct sim_estimate *out, char error[SIM_ERROR_MAX]);

#endif
