/* SPDX-License-Identifier: MIT */
/* What several policies share: units, limits, a state without options. */
#ifndef SIM_POLICY_COMMON_H
#define SIM_POLICY_COMMON_H

#include <stdlib.h>

#include "../policy.h"

#define PAGES_PER_MIB 256u

static inline uint64_t limit_pages(uint64_t pages, uint64_t least, uint64_t most)
{
	return pages < least ? least : pages > most ? most : pages;
}

/* The same for sizes that may be negative or fractions: rounds down, never below 0. */
static inline uint64_t limit_size(double pages, uint64_t least, uint64_t most)
{
	return limit_pages(pages > 0.0 ? (uint64_t)pages : 0, least, most);
}

/* What the guest has beside its lists and free memory: its kernel, which no program can use. */
static inline uint64_t kernel_pages(const struct sim_vm_view *vm)
{
	const struct poise_abi_guest *s = &vm->stats;
	const uint64_t known = s->balloon_pages + s->free_pages + s->active_file_pages +
			       s->inactive_file_pages + s->active_anon_pages +
			       s->inactive_anon_pages + s->unevictable_pages;

	return s->total_pages > known ? s->total_pages - known : 0;
}

/* Makes a zeroed state for a policy that takes no options. Returns NULL and sets *error. */
static inline void *state_without_options(size_t bytes, const char *options, const char **error)
{
	void *state = options[0] == '\0' ? calloc(1, bytes) : NULL;

	if (state == NULL) {
		*error = options[0] == '\0' ? "no memory" : "takes no options";
	}
	return state;
}

#endif
