/* SPDX-License-Identifier: MIT */
/* The balloon's manners: how fast, how far and whether at all a guest follows its host's target. */
#ifndef SIM_MANNERS_H
#define SIM_MANNERS_H

#include "vm.h"

/* Moves the balloon as far as its manners let it in the time up to `until_us`. */
void sim_balloon_run(struct sim_guest *g, uint64_t until_us);
/* Takes the host's page into account, if it has changed. */
void sim_balloon_poll(struct sim_guest *g);

#endif
