/* SPDX-License-Identifier: MIT */
/*
 * Policy `accessed`: working sets from access flags, which tells reads as well as writes and is
 * what `dirty` should have been. The rest is in sampled.c.
 */
#include "sampled.h"

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	return sampled_start(view, SIM_ACCESSED, options, error);
}

const struct sim_policy sim_policy_accessed = {
	.name = "accessed",
	.text = "working set from access flags, by importance; options sample, period, headroom",
	.period_ms = SAMPLED_STEP_MS,
	.start = start,
	.stop = sampled_stop,
	.step = sampled_step,
};
