/* SPDX-License-Identifier: MIT */
/* The core decides: its port over the simulated host, which has the four operations of any port. */
#ifndef SIM_CORE_H
#define SIM_CORE_H

#include "host.h"

/* Sets it up; `error` says why not. */
bool sim_core_start(struct sim_host *h, const struct poise_config *config, const char **error);
/* After each step of the guests: answers, doorbells, ticks. */
void sim_core_step(struct sim_host *h);
/* Tells the core what has happened to the machine, after it has. */
void sim_core_event(struct sim_host *h, const struct sim_event *e);

#endif
