/* SPDX-License-Identifier: MIT */
/* Working sets from samples of stage 2 flags, and the policy that policies `dirty` and `accessed`
 * have in common. */
#ifndef SIM_POLICY_SAMPLED_H
#define SIM_POLICY_SAMPLED_H

#include "../policy.h"

/* An estimator of every VM's working set. */
struct sampler {
	uint32_t flag;   /* SIM_ACCESSED or SIM_DIRTY */
	uint32_t sample; /* frames a VM; 0: all */
	uint64_t random;
	uint32_t *frame[SIM_VM_MAX]; /* the drawn ones; NULL when all are read */
};

/* Begins the first interval. Returns false without memory; sampler_stop is due in any case. */
bool sampler_start(struct sampler *s, const struct sim_view *view, uint32_t flag, uint32_t sample);
void sampler_stop(struct sampler *s);

/* Ends the VM's interval and begins the next. Returns the pages that were used in it. */
double sampler_read(struct sampler *s, const struct sim_view *view, uint32_t vm);

/* The policy: start for a flag, and the rest. */
void *sampled_start(const struct sim_view *view, uint32_t flag, const char *options,
		    const char **error);
void sampled_stop(void *state);
void sampled_step(void *state, const struct sim_view *view, uint64_t *target);

#define SAMPLED_STEP_MS 1000u

#endif
