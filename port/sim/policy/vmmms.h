/* SPDX-License-Identifier: MIT */
/* The two parts of policy `vmmms` that know nothing of balloons: who may move one, and what is old.
 */
#ifndef SIM_POLICY_VMMMS_H
#define SIM_POLICY_VMMMS_H

#include "../policy.h"

/* Priorities of requests, the most important first. */
enum vmmms_priority {
	VMMMS_BALLOON_STALL,
	VMMMS_NO_KILL_CANDIDATES_HOST,
	VMMMS_NO_KILL_CANDIDATES_GUEST,
	VMMMS_FOCUSED_TAB,
	VMMMS_FOCUSED_APP,
	VMMMS_PERCEPTIBLE_TAB,
	VMMMS_PERCEPTIBLE_APP,
	VMMMS_CACHED_TAB,
	VMMMS_AGGRESSIVE_BALLOON,
	VMMMS_CACHED_APP,
	VMMMS_STALE_CACHED_TAB,
	VMMMS_STALE_CACHED_APP,
	VMMMS_MGLRU_RECLAIM,
	VMMMS_PRIORITIES
};

enum vmmms_direction { VMMMS_INFLATE, VMMMS_DEFLATE };

/* One VM's blocks: host times until which requests of a direction are blocked at a priority. */
struct vmmms_blocker {
	uint64_t until_ms[2][VMMMS_PRIORITIES];
};

/* Makes a request known. Returns whether it is granted; either way it blocks the opposite. */
bool vmmms_request(struct vmmms_blocker *b, enum vmmms_direction direction,
		   enum vmmms_priority priority, uint64_t now_ms);

#define VMMMS_FRAMES 512u

/* One VM's page ages, by a sample of its frames. */
struct vmmms_ages {
	uint32_t count;
	uint32_t frame[VMMMS_FRAMES];
	uint32_t age[VMMMS_FRAMES]; /* in generations, 0: touched in the last one */
};

/* Draws the frames. */
void vmmms_ages_start(struct vmmms_ages *a, struct sim_host *host, uint32_t vm, uint64_t *random);

/* Ends a generation. */
void vmmms_ages_step(struct vmmms_ages *a, struct sim_host *host, uint32_t vm);

/* File pages that have not been touched for `age` generations or more. */
double vmmms_ages_older(const struct vmmms_ages *a, const struct sim_vm_view *vm, uint32_t age);

/* Age of the oldest generation that has more than `least` file pages; 0: there is none. */
uint32_t vmmms_ages_oldest(const struct vmmms_ages *a, const struct sim_vm_view *vm, double least);

#endif
