/* SPDX-License-Identifier: MIT */
/*
 * The player: turns a load's rows into single touches, first touches, frees and file reads of one
 * guest, each with the processor time that it takes. Deterministic from a seed.
 */
#ifndef SIM_PLAYER_H
#define SIM_PLAYER_H

#include "vm.h"

/* Says how many pages of the window and blocks of the files the player will use. */
void sim_player_needs(const struct sim_load *load, uint32_t granule, uint64_t ram_pages,
		      uint32_t *anon_limit, uint32_t *file_limit);

void sim_player_start(struct sim_guest *g, uint64_t seed);

/* Does the next thing and moves the guest's clock by the time that it takes. */
void sim_player_step(struct sim_guest *g);

/* Returns the part of its time, 0..1, that the load has got done by `now_us`. */
double sim_player_work(const struct sim_player *p, uint64_t now_us);

#endif
