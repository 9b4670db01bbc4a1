/* SPDX-License-Identifier: MIT */
/*
 * What the VMs of a machine are going to do: a second machine from the same scenario and seed, in
 * which every VM has all the memory it can use, is run ahead of the first, each VM by as much work
 * as is to be known in advance. Its exact LRU miss curves are kept window by window.
 */
#ifndef SIM_POLICY_ORACLE_AHEAD_H
#define SIM_POLICY_ORACLE_AHEAD_H

#include "../host.h"

struct ahead;

/*
 * Makes it. `windows`: how many of them, one second of work each, are to be known; `size_count`:
 * sizes that a curve is kept for. Returns NULL without memory.
 */
struct ahead *ahead_start(const struct sim_host *host, uint32_t windows, uint32_t size_count);
void ahead_stop(struct ahead *a);

/*
 * Sets misses[k] to what VM `vm` is going to miss, from where it is in its work, with `pages[k]`
 * for its programs and files, the later the less; pages rise with k and are the same in every call.
 */
void ahead_misses(struct ahead *a, const struct sim_host *host, uint32_t vm, const double *pages,
		  double *misses);

/* The same misses from what a guest has done since its curve was cleared. */
void past_misses(const struct sim_guest *g, uint32_t size_count, const double *pages,
		 double *misses);

#endif
