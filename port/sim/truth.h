/* SPDX-License-Identifier: MIT */
/*
 * What only a simulator knows about a guest: which pages its work has touched and when, and, if
 * asked for, the exact LRU miss curve (Mattson's stack distances, by Olken's tree).
 */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

struct sim_truth {
	uint32_t items;    /* pages of the window, then blocks of the files */
	uint32_t *touched; /* ms of the last touch + 1, 0: not there */

	/* Curve; all NULL unless sim_truth_curve_start was called. */
	uint32_t *at;     /* place in time of an item's last touch, 0: none */
	uint32_t *tree;   /* Fenwick tree over places: 1 where some item was touched last */
	uint32_t places;  /* size of the tree */
	uint32_t next;    /* next place */
	uint64_t *missed; /* by stack distance in items: touches */
};

bool sim_truth_start(struct sim_truth *t, uint32_t items);
void sim_truth_stop(struct sim_truth *t);
void sim_truth_touch(struct sim_truth *t, uint32_t item, uint32_t now_ms);
void sim_truth_forget(struct sim_truth *t, uint32_t item);
/* Items touched in the last `ms`. */
uint32_t sim_truth_count(const struct sim_truth *t, uint32_t now_ms, uint32_t ms);

bool sim_truth_curve_start(struct sim_truth *t);
/* Touches that miss when only `items` of them fit. */
uint64_t sim_truth_curve_misses(const struct sim_truth *t, uint64_t items);
void sim_truth_curve_clear(struct sim_truth *t);

#endif
