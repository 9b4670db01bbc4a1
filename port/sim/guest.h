/* SPDX-License-Identifier: MIT */
/*
 * One simulated guest: the memory management of the board's guest kernel (board/guest), run over
 * counters instead of memory, with a clock of its own, the shared device, and a balloon and a
 * reporter that can misbehave.
 *
 * A guest's clock runs ahead of the host's by at most what its work waits for: a fault that takes
 * 20 ms moves it by 20 ms, and the guest then sits out the host's next steps.
 */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include <setjmp.h>

#include "mm.h"
#include "player.h"
#include "poise.h"
#include "publish.h"
#include "scenario.h"
#include "truth.h"

/* What a VM's guests before the present one have done, in pages. */
struct sim_past {
	uint64_t swap_out, swap_in, refault_anon, refault_file, oom_kills;
};

struct sim_guest {
	const struct sim_vm_config *config;
	struct sim_host *host;
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

/*
 * Makes a VM, and if it is not absent at first, boots it. Returns false without memory.
 * sim_guest_stop has to be called in any case.
 */
bool sim_guest_start(struct sim_guest *g, struct sim_host *host, uint32_t index);
/* Boots a guest that has its boot size and has done nothing, in place of the one before. */
bool sim_guest_boot(struct sim_guest *g);
/* The guest is no more; the VM's pages in the host are for the caller to free. */
void sim_guest_leave(struct sim_guest *g);
void sim_guest_stop(struct sim_guest *g);

/* Lets kernel and work go on until the host's clock says `until_us`. */
void sim_guest_run(struct sim_guest *g, uint64_t now_us, uint64_t until_us);

/* Is it time to misbehave? `until_ms` 0: for ever. */
static inline bool sim_guest_is_time(uint64_t now_ms, uint64_t from_ms, uint64_t until_ms)
{
	return now_ms >= from_ms && (until_ms == 0 || now_ms < until_ms);
}

/* Publishes the counters, true or not; report.c. */
void sim_guest_publish(struct sim_guest *g);
/* Raises the urgent word and rings, but not twice in `gap_ms`. */
void sim_guest_ring(struct sim_guest *g, uint32_t gap_ms);
/* Does it misreport in that way at present? */
bool sim_report_is(const struct sim_guest *g, enum sim_report kind);
/* Has it stopped publishing? Does it ask for more without need? */
bool sim_guest_is_silent(const struct sim_guest *g);
bool sim_guest_is_greedy(const struct sim_guest *g);

/* The work waits for memory until `until_us` of its clock. */
void sim_guest_stall(struct sim_guest *g, uint64_t until_us);

/* Touches page `vpn` of the window, or block `block` of the files. `write`: it is changed. */
void sim_guest_touch(struct sim_guest *g, uint32_t vpn, bool write);
void sim_guest_read(struct sim_guest *g, uint32_t block, bool first);

/* Does the kernel's work beside the programs: a step of background reclaim. */
void sim_guest_housekeeping(struct sim_guest *g);

/* Returns what the guest has now, in 4 KiB pages. */
uint64_t sim_guest_pages(const struct sim_guest *g);

/* --- for guest.c and arch.c --- */

/* The guest on whose behalf the code of board/guest runs: its seam to the machine names no guest.
 */
extern struct sim_guest *sim_arch_guest;

/* Moves the balloon as far as its manners let it in the time up to `until_us`. */
void sim_balloon_run(struct sim_guest *g, uint64_t until_us);
/* Takes the host's page into account, if it has changed. */
void sim_balloon_poll(struct sim_guest *g);
/* Pages leave the guest for the balloon; frames come from it. Returns how many come. */
void sim_balloon_put(struct sim_guest *g, uint64_t pages);
uint32_t sim_balloon_take(struct sim_guest *g, uint32_t frames);

#endif
