/* SPDX-License-Identifier: MIT */
/* One of the simulator's own policies decides, from the same books. */
#ifndef SIM_RIVAL_H
#define SIM_RIVAL_H

#include "host.h"

/* Sets it up; `error` says why not. */
bool sim_rival_start(struct sim_host *h, const struct sim_policy *policy, const char *options,
		     const char **error);
void sim_rival_step(struct sim_host *h);
/* A VM starts anew: its balloon device still has the last target. */
void sim_rival_repeat(struct sim_host *h, uint32_t vm);
void sim_rival_stop(struct sim_host *h);

#endif
