/* SPDX-License-Identifier: MIT */
/*
 * Policy `dirty`: working sets from dirty pages, as a small hypervisor can have them from the log
 * of dirty pages without any other change to stage 2. Pages that are only read, page cache and
 * code, do not show; that is why it is here, next to `accessed`. The rest is in sampled.c.
 */
#include "sampled.h"

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	return sampled_start(view, SIM_DIRTY, options, error);
}

const struct sim_policy sim_policy_dirty = {
	.name = "dirty",
	.text = "working set from dirty pages, by importance; options sample, period, headroom",
	.period_ms = SAMPLED_STEP_MS,
	.start = start,
	.stop = sampled_stop,
	.step = sampled_step,
};
