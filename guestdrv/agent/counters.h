/* SPDX-License-Identifier: MIT */
/* A Linux guest's counters as user space sees them: texts of /proc -> the body of the page. Pure.
 */
#ifndef AGENT_COUNTERS_H
#define AGENT_COUNTERS_H

#include <stdint.h>

#include "poise_abi.h"

/* What was there when the agent started. */
struct counters {
	uint64_t total_pages;     /* constant: memory at boot, balloon included */
	uint64_t unnamed_pages;   /* held by the kernel under no name that /proc/meminfo has */
	uint32_t features;        /* POISE_GF_*: what this kernel tells */
	uint64_t direct_reclaims; /* of the last counters_read */
};

/* Reads what is constant. `mglru`: the kernel's generations are in use. Returns 0, or -1 when the
 * texts lack what every Linux has. */
int counters_start(struct counters *c, const char *meminfo, const char *vmstat, int mglru);

/* Fills in the body. Returns as counters_start; `body` is untouched then. */
int counters_read(struct counters *c, const char *meminfo, const char *vmstat,
		  struct poise_abi_guest *body);

#endif
