/* SPDX-License-Identifier: MIT */
/*
 * Policies of the simulator: what a file under port/sim/policy/ has to supply to take part in
 * `poise-sim compare` next to the core's own policies.
 *
 * A policy sees what a real host of its kind would see, and answers with absolute sizes. All sizes
 * are pages of 4 KiB whatever the granule. The engine carries the answer out: a VM asked to shrink
 * gives back as fast as its balloon can, a VM asked to grow grows as the host has free memory, and
 * nobody else waits. Nothing is clamped to reservations, but what breaks them is counted.
 *
 * Rules: no clock, no rand() (use sim_random on your own state), no file, no global state: several
 * runs go on in one process. Memory comes from calloc in `start` and goes in `stop`.
 */
#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "poise.h"

struct sim_host;

/* Most VMs in one simulation. */
#define SIM_VM_MAX POISE_VM_MAX

/* One VM as its host sees it. Valid during the call only. */
struct sim_vm_view {
	const char *name;

	/* Configuration, in pages: reservation, size at the start, limit; weight as in the core. */
	uint64_t min_pages, boot_pages, max_pages;
	uint32_t weight;

	/* The host's own books. */
	uint64_t actual_pages; /* what it has now, balloon taken off */
	uint64_t target_pages; /* what it was last asked for */

	/*
	 * What the guest said last, checked as every page is (poise_page_read); a guest may lie in
	 * it. stats.sample is 0 before the first valid one. `features`: POISE_GF_* of that sample.
	 */
	struct poise_abi_guest stats;
	uint32_t features;
	uint64_t stats_ms; /* host time at which it was read for the first time */

	/*
	 * Time in which the guest's work stood still for memory, since the start: what PSI's "some"
	 * line says, in ms. Told by the guest's kernel, as `stats` is, and falsified by no liar.
	 */
	uint64_t stall_ms;
	uint64_t urgent_count; /* doorbells since the start */
};

/* The machine. */
struct sim_view {
	uint64_t now_ms;
	uint64_t total_pages; /* to share out among the VMs */
	uint64_t free_pages;  /* of them in nobody's hands now */
	uint32_t granule;     /* 4 KiB pages that move together; sizes need not be multiples */
	uint32_t vm_count;
	const struct sim_vm_view *vm;
	struct sim_host *host; /* for the probes below */
};

struct sim_policy {
	const char
		*name; /* as on the command line: "static", "qmemman"; lower case, no ':' or ',' */
	const char *text;   /* one line of help: what it is and where it comes from */
	uint32_t period_ms; /* between two calls of `step` */
	uint32_t stats_ms;  /* how often the guests are to publish; 0: every second */
	/*
	 * Makes the policy's state; `options` is what stands behind the name on the command line
	 * ("name:key=value:key=value"), "" for none; see sim_option. Returns NULL and sets *error
	 * to a text that outlives the call when an option makes no sense. A policy without any
	 * state leaves this and `stop` NULL and gets a NULL state.
	 */
	void *(*start)(const struct sim_view *view, const char *options, const char **error);
	void (*stop)(void *state);
	/*
	 * Decides. target[i] comes in as vm[i].target_pages; what differs when the call returns is
	 * asked for. 0 and sizes beyond what the VM booted with are cut to 1 and to that.
	 */
	void (*step)(void *state, const struct sim_view *view, uint64_t *target);
	/* The same, at once, when VM `vm` has rung its doorbell. NULL: doorbells are not heard. */
	void (*urgent)(void *state, const struct sim_view *view, uint32_t vm, uint64_t *target);
};

/* All policies under port/sim/policy/, NULL at the end; a new file adds one line in policies.c. */
extern const struct sim_policy *const sim_policies[];

/* Returns the policy of that name, or NULL. The core's own ("poise", "paper", "static") and "best"
 * (every VM has all it can use) are not among them: the host drives those itself. */
const struct sim_policy *sim_policy_find(const char *name, size_t length);

/*
 * Reads "key=value" out of an option string, a number with decimals.
 * Returns `fallback` when the key is not there, and NAN when its value is no number.
 */
double sim_option(const char *options, const char *key, double fallback);

/* Returns NULL, or the first key of `options` that is not in `keys` ("period,low,high"). */
const char *sim_option_unknown(const char *options, const char *keys);

/* Next number of a sequence; `state`: any seed. Returns 0..bound-1, bound at least 1. */
static inline uint32_t sim_random(uint64_t *state, uint32_t bound)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	/* splitmix64: any seed will do, and equal seeds give equal runs on every machine. */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (uint32_t)((z >> 32) * bound >> 32);
}

/* --- probes: what stage 2 tells a host, at a price ---------------------------------------------
 * Frames are numbered 0..sim_probe_frames(vm)-1, each one granule; those in the balloon read 0.
 */
#define SIM_ACCESSED 1u
#define SIM_DIRTY    2u

uint32_t sim_probe_frames(const struct sim_host *host, uint32_t vm);
/*
 * Returns SIM_ACCESSED and SIM_DIRTY as they stand since this frame was last cleared with `clear`.
 * Each call is counted; `compare` reports the count as "probes".
 */
uint32_t sim_probe(struct sim_host *host, uint32_t vm, uint32_t frame, bool clear);

/* --- truth: for oracles and for judging estimators, never for a policy that claims to be real ---
 */

/*
 * Distinct pages that the VM's work has touched in the last `ms` milliseconds (0..60000), whether
 * they were in RAM or not: the working set that estimators try to guess.
 */
uint64_t sim_truth_working_set(const struct sim_host *host, uint32_t vm, uint32_t ms);

/*
 * The VM's miss-ratio curve over the last sim_truth_clear: touches that would miss with `pages` of
 * memory for anonymous pages and page cache under exact LRU. First touches of anonymous pages and
 * first reads are no misses. Kept only for a policy that asked with sim_truth_curves in `start`.
 */
void sim_truth_curves(struct sim_host *host);
uint64_t sim_truth_misses(const struct sim_host *host, uint32_t vm, uint64_t pages);
void sim_truth_clear(struct sim_host *host, uint32_t vm);

#endif
