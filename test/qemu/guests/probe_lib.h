/* SPDX-License-Identifier: MIT */
/*
 * What the probe's files share: the checks, the hypercall, guest memory by address.
 */
#ifndef PROBE_LIB_H
#define PROBE_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../../board/arch.h"
#include "../../../board/hvc.h"
#include "probe.h"

#define PAGE UINT64_C(4096)

/* Ends the probe with the number of this line. */
#define CHECK(condition)                 \
	do {                             \
		if (!(condition)) {      \
			return __LINE__; \
		}                        \
	} while (0)

int64_t hvc_call(uint64_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t *second);
int64_t hvc_one(uint64_t id);
int64_t smc_call(uint64_t id);

/* start.S fills it: how many synchronous exceptions, and the last ESR_EL1. */
extern volatile uint64_t probe_exceptions[2];

/* The boot record, and x1 of the last hypercall. */
extern const struct board_boot *boot;
extern uint64_t second;

static volatile uint64_t *const shared = (volatile uint64_t *)PROBE_SHARED;

static inline int64_t call(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	return hvc_call(id, a, b, c, &second);
}

static inline volatile uint64_t *word_at(uint64_t ipa)
{
	return (volatile uint64_t *)(uintptr_t)ipa;
}

static inline uint64_t ram_end(void)
{
	return GUEST_RAM_BASE + boot->ram_pages * PAGE;
}

static inline uint64_t balloon_start(void)
{
	return GUEST_RAM_BASE + boot->boot_pages * PAGE;
}

/* Returns: the value of a number argument, or `otherwise`. */
uint64_t argument(const char *name, uint64_t otherwise);
static inline void fill(uint64_t ipa, uint64_t pages, uint64_t pattern)
{
	for (uint64_t at = ipa; at < ipa + pages * PAGE; at += 8u) {
		*word_at(at) = pattern;
	}
}

static inline bool filled(uint64_t ipa, uint64_t pages, uint64_t pattern)
{
	for (uint64_t at = ipa; at < ipa + pages * PAGE; at += 8u) {
		if (*word_at(at) != pattern) {
			return false;
		}
	}
	return true;
}

/* probe_calls.c: the memory calls, and calls that nobody should make. Return: 0 or a line. */
int do_balloon(void);
int do_pages(void);
int do_hostile(void);
int do_unknown(void);

#endif
