/* SPDX-License-Identifier: MIT */
/*
 * What all guests of a simulated machine share: its memory, its clock, its storage. A guest knows
 * these and nothing of the host above, which decides.
 */
#ifndef SIM_BOOKS_H
#define SIM_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "scenario.h"

struct sim_books {
	const struct sim_scenario *scenario;
	/* The VMs' configuration: the scenario's, or with all the memory they can use (`best`). */
	const struct sim_vm_config *config;
	uint64_t seed;
	uint64_t now_us;
	uint64_t total_pages, free_pages;
	uint64_t debt_pages; /* in use beyond the total; nothing is free then */
	struct sim_device device;
	bool curves; /* a policy asked for miss curves */
	/* The target stays in force after a guest has said that it can do no more. */
	bool insists;
	char failure[SIM_ERROR_MAX]; /* "" or why the run cannot go on: a bug of the simulator */
};

/* Opens the books of a machine of which nothing is in use. */
void sim_books_open(struct sim_books *b, const struct sim_scenario *scenario,
		    const struct sim_vm_config *config, uint64_t seed);

/*
 * A guest asks for `frames` frames of `granule` pages, and may have `room_pages` more than now.
 * Returns how many it gets.
 */
uint32_t sim_books_take(struct sim_books *b, uint32_t frames, uint32_t granule,
			uint64_t room_pages);
/* Memory has come back. */
void sim_books_put(struct sim_books *b, uint64_t pages);
/* Memory is in use from now on, whether or not it is there. */
void sim_books_use(struct sim_books *b, uint64_t pages);
/* Something that cannot be has happened. */
void sim_books_fail(struct sim_books *b, const char *what, uint64_t where, uint64_t found,
		    uint64_t expected);

#endif
