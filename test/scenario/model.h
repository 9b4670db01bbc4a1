/* SPDX-License-Identifier: MIT */
/*
 * The model machine's own: what scenario.c, which plays the script, shares with the files that make
 * up the machine.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include "scenario.h"

#define MODEL_INTERVAL_MS 1000u

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t model_pages(uint32_t mib)
{
	return (uint64_t)mib * SCENARIO_MIB;
}

/* --- model_check.c --- */

/* The next of the run's random numbers. */
uint64_t model_random(struct scenario_run *run);

/* Takes down the first thing that was wrong; `what` names it, `a` and `b` are its numbers. */
void model_fail(struct scenario_run *run, uint32_t vm, const char *what, uint64_t a, uint64_t b);

/* Looks at everything that must hold at any time, see scenario_play. */
void model_check(struct scenario_run *run);

/* Before a call of the core: keeps its state for comparison. */
void model_remember(struct scenario_run *run);

/* A call of the core has returned `err`; `counts_only`: then it may have changed counters alone. */
void model_returned(struct scenario_run *run, uint32_t vm, enum poise_err err, bool counts_only);

/* --- model_port.c --- */

/* The port; its context is the run. */
extern const struct poise_port model_port;

/* --- model_guest.c --- */

/* A guest's driver starts: counters at zero, a new boot generation. */
void model_boot(struct scenario_run *run, uint32_t vm);

/* The guest starts anew: whatever it had, the hypervisor maps its boot size. */
void model_reset(struct scenario_run *run, uint32_t vm);

/* The guest publishes a sample, honest or as its script says, and rings if it is short. */
void model_publish(struct scenario_run *run, uint32_t vm);

/* The host reads the guest's page. */
void model_poll(struct scenario_run *run, uint32_t vm);

/* The guest reads its host page: it must find what was told last, or nothing new. */
void model_listen(struct scenario_run *run, uint32_t vm);

/* A guest's balloon moves for half a tick, and answers. */
void model_balloon(struct scenario_run *run, uint32_t vm, bool full_tick);

#endif
