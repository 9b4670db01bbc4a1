/* SPDX-License-Identifier: MIT */
/* The machine's books; see books.h. */
#include "books.h"

#include <stdio.h>

void sim_books_open(struct sim_books *b, const struct sim_scenario *scenario,
		    const struct sim_vm_config *config, uint64_t seed)
{
	*b = (struct sim_books){
		.scenario = scenario,
		.config = config,
		.seed = seed,
		.total_pages = scenario->total_pages,
		.free_pages = scenario->total_pages,
		.insists = true,
		.device = {.latency_us = scenario->latency_us,
			   .read_mib_s = scenario->read_mib_s,
			   .write_mib_s = scenario->write_mib_s,
			   .readahead_pages = scenario->readahead_pages},
	};
}

uint32_t sim_books_take(struct sim_books *b, uint32_t frames, uint32_t granule, uint64_t room_pages)
{
	const uint64_t most = (room_pages < b->free_pages ? room_pages : b->free_pages) / granule;
	const uint32_t come = frames < most ? frames : (uint32_t)most;

	b->free_pages -= (uint64_t)come * granule;
	return come;
}

void sim_books_put(struct sim_books *b, uint64_t pages)
{
	const uint64_t repaid = pages < b->debt_pages ? pages : b->debt_pages;

	b->debt_pages -= repaid;
	b->free_pages += pages - repaid;
}

void sim_books_use(struct sim_books *b, uint64_t pages)
{
	const uint64_t there = pages < b->free_pages ? pages : b->free_pages;

	b->free_pages -= there;
	b->debt_pages += pages - there;
}

void sim_books_fail(struct sim_books *b, const char *what, uint64_t where, uint64_t found,
		    uint64_t expected)
{
	if (b->failure[0] == '\0') {
		snprintf(b->failure, sizeof(b->failure),
			 "%s at %llu: found %llu, expected %llu, %llu ms into the run", what,
			 (unsigned long long)where, (unsigned long long)found,
			 (unsigned long long)expected, (unsigned long long)b->now_us / 1000u);
	}
}
