/* SPDX-License-Identifier: MIT */
/*
 * Calls of the public API in any order, with any arguments and any answers of the port, compared
 * after each call with a reference that is written from the contract in poise.h alone: it sees what
 * goes in, what the port is asked and what comes back. All choices come from one source of numbers,
 * which is a random generator in the unit test and the fuzzer's bytes in the fuzz target.
 */
#ifndef TEST_FUZZ_API_H
#define TEST_FUZZ_API_H

#include <stdbool.h>

#include "poise.h"

/* The reference's idea of one VM. */
struct api_vm {
	struct poise_vm_config config;
	uint32_t state;

	/* Charge: what it may have now, or is to have. */
	uint64_t known_pages; /* measured, or asked for since and perhaps taken unseen */
	uint64_t target_pages;
	uint64_t epoch;
	bool refused; /* the last request */

	/* The last sample that was taken, and what became of those since. */
	uint64_t boot_id, sample, total_pages;
	uint64_t fresh_ms, stepped_ms;
	uint32_t steps, bad_run, good_run;

	uint64_t early_ms;
	bool early;
};

struct api {
	struct poise p;
	struct api_vm vm[POISE_VM_MAX];
	uint64_t pool_pages;
	uint64_t now_ms;
	uint64_t errors[POISE_ERR_COUNT];
	uint64_t requests;
	uint32_t ticking; /* 1 in a call that measures */
	uint64_t events;  /* sums up what has been recorded, imports and what made the core apart */
	const char *failure;
	uint64_t (*next)(void *arg);
	void *next_arg;
	_Alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page page;
};

/* Starts anew; `next` gives 64 bits with each call. Returns NULL, or what was wrong. */
const char *api_start(struct api *a, uint64_t (*next)(void *arg), void *arg);
/*
 * Exports the core's state, makes the core anew and imports it: as if nothing had happened. Returns
 * NULL, or what was wrong.
 */
const char *api_restart(struct api *a);
/* Makes one call and compares. Returns NULL, or what was wrong. */
const char *api_step(struct api *a);

#endif
