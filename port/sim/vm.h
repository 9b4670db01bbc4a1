/* SPDX-License-Identifier: MIT */
/*
 * One simulated guest: the memory management of the board's guest kernel (board/guest), run over
 * counters instead of memory, with a clock of its own, the shared device, and a balloon and a
 * reporter that can misbehave.
 *
 * A guest's clock runs ahead of the host's by at most what its work waits for: a fault that takes
 * 20 ms moves it by 20 ms, and the guest then sits out the host's next steps.
 */
#ifndef SIM_VM_H
#define SIM_VM_H

#include <setjmp.h>

#include "books.h"
#include "load.h"
#include "kernel/mm.h"
#include "poise.h"
#include "publish.h"
#include "truth.h"

/* How far a guest is in its load; player.c. */
struct sim_player {
	const struct sim_load *load;
	uint64_t random;
	uint64_t seed;
	bool loop;
	bool playing;
	uint64_t start_us; /* first row */
	uint64_t end_us;   /* the last row's end, once it is over for good */

	uint32_t row;
	bool in_row;
	uint64_t row_start_us; /* of the guest's clock */
	uint64_t done_ms;      /* of finished rows */

	/* The rest of this row. Pages and blocks here are simulated ones. */
	uint32_t reads, code_reads, hot_reads, grow_to, touches;
	uint64_t op_ns, op_rest_ns; /* processor time of each, and what is not a whole us yet */

	uint32_t live; /* pages of the set: [0, live) of the window */
	uint32_t hot_file;
	uint32_t ring; /* blocks [hot_file, ring) are used in turn */
	uint32_t next_block, oldest_block;
	uint32_t file;   /* footprint after the last row */
	uint32_t filled; /* hot blocks that have been read once */
	uint32_t cursor; /* of a sweep or a list */
	uint32_t within; /* the unit of a list */
	uint64_t touch_rest, code_rest, file_rest;
	uint64_t new_pages;   /* anonymous pages that were new, so far, of 4 KiB */
	uint64_t phase_pages; /* so many of them, and another part of the set is hot */
	uint64_t seen_kills;
};

/* What a VM's guests before the present one have done, in pages. */
struct sim_past {
	uint64_t swap_out, swap_in, refault_anon, refault_file, oom_kills;
};

struct sim_guest {
	const struct sim_vm_config *config;
	struct sim_books *books;
	uint32_t index;
	uint32_t granule;
	bool present;
	uint32_t boots; /* so far */
	struct sim_past past;

	struct mm mm;
	void *tables;
	uint32_t *frame_of; /* a word a page of the window: frame + 1, 0: not mapped */
	uint8_t *young;     /* a byte a page of the window: the guest's own access flag */
	uint8_t *probe;     /* a byte a frame: SIM_ACCESSED, SIM_DIRTY since the last probe */

	jmp_buf broken; /* the way out of its kernel once that has found itself corrupt */
	uint64_t clock_us;
	uint64_t stall_us; /* waited for memory, since the start */
	bool background;   /* reclaim goes on beside the work, which does not wait for it */
	bool first_read;   /* this file read is the work's own, not memory's fault */
	struct sim_player player;

	/* Shared pages. */
	struct gd driver;
	struct poise_guest_page *page;
	struct poise_host_page *host_page;
	struct poise_host_writer writer; /* the host's */
	uint32_t host_seq;               /* of the host's page when it was read last */
	uint64_t next_publish_us;
	uint32_t publish_ms;
	bool rang; /* the doorbell, since the host last looked */
	uint64_t rings;
	uint32_t rewinds;               /* 1: its counters have been started anew... */
	struct poise_abi_guest rewound; /* ...when they were these */

	/* Balloon. */
	uint64_t allowed_pages; /* the host lets it grow up to here */
	uint64_t epoch;         /* of the host's request in force */
	bool answered;          /* it has said that it can do no more */
	enum sim_way way;       /* how the request `way_epoch` goes */
	uint64_t way_epoch;
	uint64_t late_epoch, late_us; /* 0: none; the answer to that one comes then */
	uint64_t held_pages;          /* in the balloon, and still in use by the host's count */
	bool standing;                /* a flaky one: stands still until change_us */
	uint64_t change_us;
	uint64_t moved_us; /* up to here the rate has been used */
	uint64_t random;

	struct sim_truth truth;
};

/* Is it time to misbehave? `until_ms` 0: for ever. */
static inline bool sim_guest_is_time(uint64_t now_ms, uint64_t from_ms, uint64_t until_ms)
{
	return now_ms >= from_ms && (until_ms == 0 || now_ms < until_ms);
}

/* How the balloon behaves at present. */
static inline enum sim_balloon sim_balloon_kind(const struct sim_guest *g)
{
	return sim_guest_is_time(g->books->now_us / 1000u, g->config->balloon_from_ms,
				 g->config->balloon_until_ms)
		       ? g->config->balloon
		       : SIM_BALLOON_IDEAL;
}

/* Returns what the guest has now, in 4 KiB pages. */
static inline uint64_t sim_guest_pages(const struct sim_guest *g)
{
	return g->present ? (uint64_t)balloon_size(&g->mm) * g->granule + g->held_pages : 0;
}

/* The work waits for memory until `until_us` of its clock. */
static inline void sim_guest_stall(struct sim_guest *g, uint64_t until_us)
{
	if (until_us > g->clock_us) {
		g->stall_us += until_us - g->clock_us;
		g->clock_us = until_us;
	}
}

#endif
