/* SPDX-License-Identifier: MIT */
/*
 * VMs that share frames, each with an LRU list of its own, after Wu, Wu and Zhang, "Simulation of
 * Memory Management in Virtual Machines" (2011). All VMs do one access, then frames are moved.
 *
 * What that paper's program leaves undefined is defined here: a VM keeps its last frame; a VM whose
 * list of accesses is over has no misses; `total` gives what is left over after rounding down to
 * the largest fractions, equal ones to the first VM, instead of to a VM at random.
 */
#ifndef SIM_LRU_H
#define SIM_LRU_H

#include <stdbool.h>
#include <stdint.h>

#include "pages.h"

#define SIM_LRU_FRAMES_MAX 100000000u

enum sim_lru_strategy {
	SIM_LRU_STATIC,
	SIM_LRU_RECENT, /* every `every` accesses, one frame from who missed least to who most */
	SIM_LRU_TOTAL,  /* after each, the frames above the minimum by all misses so far */
};

struct sim_lru_config {
	uint32_t frames; /* in all, at least one a VM */
	enum sim_lru_strategy strategy;
	uint32_t every;   /* SIM_LRU_RECENT: 1 and more */
	uint32_t minimum; /* SIM_LRU_TOTAL: of each VM, 1 and more; all of them together fit */
};

struct sim_lru_vm {
	uint8_t *missed; /* by access: 1 for a miss */
	uint32_t count;
	uint32_t misses;
	uint32_t frames; /* at the end */
};

struct sim_lru {
	struct sim_lru_vm *vm;
	uint32_t vms;
};

/* Runs all accesses. Returns NULL, or why it cannot. Give the result back in any case. */
const char *sim_lru_run(struct sim_lru *result, const struct sim_pages *pages,
			const struct sim_lru_config *config);
void sim_lru_free(struct sim_lru *result);

#endif
