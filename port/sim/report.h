/* SPDX-License-Identifier: MIT */
/* What a guest's page says, honest or not. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "vm.h"

/* Publishes the counters, true or not. */
void sim_guest_publish(struct sim_guest *g);
/* Raises the urgent word and rings, but not twice in `gap_ms`. */
void sim_guest_ring(struct sim_guest *g, uint32_t gap_ms);
/* Does it misreport in that way at present? */
bool sim_report_is(const struct sim_guest *g, enum sim_report kind);
/* Has it stopped publishing? Does it ask for more without need? */
bool sim_guest_is_silent(const struct sim_guest *g);
bool sim_guest_is_greedy(const struct sim_guest *g);

#endif
