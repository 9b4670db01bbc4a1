/* SPDX-License-Identifier: MIT */
/*
 * The player: turns a load's rows into single touches, first touches, frees and file reads of one
 * guest, each with the processor time that it takes. Deterministic from a seed.
 */
#ifndef SIM_PLAYER_H
#define SIM_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "load.h"

struct sim_guest;

struct sim_player {
	const struct sim_load *load;
	uint64_t random;
	uint64_t seed;
	bool loop;
	bool playing;
	uint64_t start_us; /* first row */
	uint64_t end_us;   /* the last row's end, once it is over for good */

	uint32_t row;
	bool in_row;
	uint64_t row_start_us; /* of the guest's clock */
	uint64_t done_ms;      /* of finished rows */

	/* The rest of this row. Pages and blocks here are simulated ones. */
	uint32_t reads, code_reads, hot_reads, grow_to, touches;
	uint64_t op_ns, op_rest_ns; /* processor time of each, and what is not a whole us yet */

	uint32_t live; /* pages of the set: [0, live) of the window */
	uint32_t hot_file;
	uint32_t ring; /* blocks [hot_file, ring) are used in turn */
	uint32_t next_block, oldest_block;
	uint32_t file;   /* footprint after the last row */
	uint32_t filled; /* hot blocks that have been read once */
	uint32_t cursor; /* of a sweep or a list */
	uint32_t within; /* the unit of a list */
	uint64_t touch_rest, code_rest, file_rest;
	uint64_t new_pages;   /* anonymous pages that were new, so far, of 4 KiB */
	uint64_t phase_pages; /* so many of them, and another part of the set is hot */
	uint64_t seen_kills;
};

/* Says how many pages of the window and blocks of the files the player will use. */
void sim_player_needs(const struct sim_load *load, uint32_t granule, uint64_t ram_pages,
		      uint32_t *anon_limit, uint32_t *file_limit);

void sim_player_start(struct sim_guest *g, uint64_t seed);

/* Does the next thing and moves the guest's clock by the time that it takes. */
void sim_player_step(struct sim_guest *g);

/* Returns the part of its time, 0..1, that the load has got done by `now_us`. */
double sim_player_work(const struct sim_player *p, uint64_t now_us);

#endif
