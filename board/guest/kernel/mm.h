/* SPDX-License-Identifier: MIT */
/*
 * Memory management of the board's guest: a small, real subset of what Linux does. Frames,
 * anonymous memory with swap, a page cache, two LRU lists for each, watermarks, reclaim, refault
 * detection and a balloon.
 *
 * One struct mm is the whole state; the caller owns it and the tables that mm_init lays out in the
 * area it is given. Nothing here is reentrant: faults, file reads, reclaim steps and balloon steps
 * all run in the guest's one thread. An interrupt handler may read counters, nothing else.
 */
#ifndef GUEST_MM_H
#define GUEST_MM_H

#include "machine.h"

/* FREE -> ANON, FILE, BALLOON or RESERVED, and each of them back to FREE. */
enum page_kind {
	PAGE_RESERVED, /* kernel image, tables, shared pages: never on a list */
	PAGE_FREE,
	PAGE_BALLOON, /* in the balloon: must not be touched */
	PAGE_ANON,    /* `owner` is the vpn */
	PAGE_FILE,    /* `owner` is the file block */
};

#define PG_REFERENCED 1u /* was found accessed once; the second time activates */
#define PG_WORKINGSET 2u /* has been active: evicting it costs more than its I/O */
#define PG_FRESH      4u /* came from the hypervisor and has not been used: known to be zero */

enum lru_list { LRU_INACTIVE_ANON, LRU_ACTIVE_ANON, LRU_INACTIVE_FILE, LRU_ACTIVE_FILE, LRU_LISTS };

struct page {
	uint32_t next, prev; /* frame numbers; page_count + list is a list's head */
	uint32_t owner;
	uint8_t kind;  /* enum page_kind */
	uint8_t flags; /* PG_* */
	uint8_t lru;   /* enum lru_list, while on one */
	uint8_t reserved;
};

#define MM_NONE       UINT32_MAX
#define RECLAIM_BATCH 32u /* pages isolated, written or read ahead at once, as SWAP_CLUSTER_MAX */

enum balloon_mode {
	BALLOON_OK,
	BALLOON_STUCK,          /* moves nothing and never settles */
	BALLOON_SLOW,           /* moves BALLOON_SLOW_PAGES in BALLOON_SLOW_MS */
	BALLOON_REFUSE_INFLATE, /* settles, gives nothing */
	BALLOON_REFUSE_DEFLATE, /* settles, takes nothing */
	BALLOON_HOG,            /* refuses to inflate and asks for all of its RAM as floor */
};

struct balloon {
	uint64_t epoch;
	uint32_t target;      /* pages this guest should have */
	uint32_t floor;       /* it never goes below this size by itself */
	uint32_t lowest;      /* no frame below this one is in the balloon */
	uint32_t no_progress; /* steps in a row that could reclaim nothing */
	uint64_t slow_ms;     /* BALLOON_SLOW: when the next step may be */
	enum balloon_mode mode;
	bool pending; /* the last epoch has not been settled yet */
};

struct mm {
	void *machine; /* first argument of each call of machine.h */

	/* Frames. */
	struct page *page;
	uint64_t *free_map;     /* a bit a frame: free */
	uint64_t *free_summary; /* a bit a word of free_map: not empty */
	uint32_t page_count;
	uint32_t free_pages;
	uint32_t balloon_pages;
	uint32_t reserved_pages;
	uint32_t lru_pages[LRU_LISTS];
	uint32_t wmark_min, wmark_low, wmark_high;
	uint32_t granule; /* pages of 4 KiB that a frame stands for, at least 1 */

	/* Anonymous memory: a word a page of the window, see mm.c. */
	uint32_t *anon;
	uint32_t anon_limit;
	/* Pages that the workload counts as its own, in RAM, in swap or nowhere. */
	uint32_t committed;

	/* Page cache: a word a block, resident or shadow, see cache.c. */
	uint32_t *file;
	uint32_t file_limit;
	uint32_t read_next; /* block after the last one read: reading it is sequential */

	/* Swap: a bit a slot, and a shadow for each page that is out. */
	uint64_t *slot_map;
	uint32_t *slot_shadow;
	uint32_t slot_count;
	uint32_t slot_next; /* where the search for free slots goes on */
	uint32_t swap_used;
	void *bounce; /* RECLAIM_BATCH contiguous pages for block I/O */

	/* Reclaim. */
	uint32_t nonresident_age; /* evictions and activations: the clock of refault distances */
	uint32_t anon_cost, file_cost;
	uint32_t seen_activate_anon, seen_activate_file;
	uint32_t swappiness;
	bool anon_active;    /* new anonymous pages start active, as before Linux 5.9 */
	bool reclaim_wanted; /* free went below low; cleared above high */

	struct balloon balloon;

	/* Counters, from boot. */
	uint64_t swap_out, swap_in;
	uint64_t refault_anon, refault_file;
	uint32_t activate_anon, activate_file; /* refaults that went straight to the active list */
	uint64_t direct_reclaims, oom_kills;
	uint64_t file_reads; /* blocks */
	uint64_t io_ms;      /* time spent waiting for the device */
};

struct mm_config {
	void *machine;       /* see machine.h */
	uint32_t page_count; /* RAM window in pages, at most 2^22 */
	uint32_t boot_pages; /* pages from here on start in the balloon */
	uint32_t anon_limit; /* pages in the window, at most 2^22 */
	uint32_t file_limit; /* blocks that will be read, from 0 */
	uint32_t slot_count; /* swap slots */
	uint32_t swappiness; /* 0..200 */
	uint32_t granule;    /* pages of 4 KiB that a frame stands for: simulations; 0 = 1 */
	bool anon_active;
};

/* --- mm.c: frames, anonymous memory --- */

/* Returns how many bytes of tables mm_init needs, a multiple of the page size. */
size_t mm_table_bytes(const struct mm_config *config);

/* Prepares `m`; `tables`: mm_table_bytes zeroed bytes, page aligned. All frames start reserved. */
void mm_init(struct mm *m, const struct mm_config *config, void *tables);

/* Hands boot frames [pfn, pfn + count) to the allocator, clipped to what boot_pages allows. */
void mm_add_free(struct mm *m, uint32_t pfn, uint32_t count);

/* Computes the watermarks; to be called when the size has changed. */
void mm_set_watermarks(struct mm *m);

/*
 * Takes a frame, reclaiming or, at the very end, killing the workload's memory for it.
 * Its content is undefined unless PG_FRESH is set. Never fails.
 */
uint32_t mm_alloc(struct mm *m);

/* Puts a frame that is on no list back. */
void mm_free(struct mm *m, uint32_t pfn);

/* Takes the lowest free frame whatever the watermarks say. Returns MM_NONE when there is none. */
uint32_t mm_take_free(struct mm *m);

/* Resolves a missing page of the window: zero on first touch, from swap if it was there. */
void mm_anon_fault(struct mm *m, uint32_t vpn);

/* Unmaps and frees pages [vpn, vpn + count) of the window, wherever they are. */
void mm_anon_free(struct mm *m, uint32_t vpn, uint32_t count);

/* Moves a page from its frame to a swap slot; the caller has written it there. */
void mm_anon_evict(struct mm *m, uint32_t pfn, uint32_t slot);

/* Drops all anonymous memory: the workload is killed. It goes on with an empty set. */
void mm_oom(struct mm *m);

/* Returns the estimate of what could be had without swapping, as Linux computes it. */
static inline uint32_t mm_available(const struct mm *m)
{
	const uint32_t cache = m->lru_pages[LRU_INACTIVE_FILE] + m->lru_pages[LRU_ACTIVE_FILE];
	const uint32_t kept = cache / 2u < m->wmark_low ? cache / 2u : m->wmark_low;
	const uint32_t sum = m->free_pages + cache - kept;

	return sum > m->wmark_high ? sum - m->wmark_high : 0;
}

/* Walks every table and list. Returns NULL, or what disagrees. For tests. */
const char *mm_check(const struct mm *m);

/* --- lru.c: lists, activation, refaults --- */

void lru_init(struct mm *m);
void lru_add(struct mm *m, uint32_t pfn, enum lru_list list);
void lru_del(struct mm *m, uint32_t pfn);

/* Returns the oldest page of a list, or MM_NONE. */
uint32_t lru_oldest(const struct mm *m, enum lru_list list);

/* Moves an inactive page to the active list and lets the refault clock tick. */
void lru_activate(struct mm *m, uint32_t pfn);

/* A file page was read: the first time it is marked, the second time activated. */
void lru_mark_accessed(struct mm *m, uint32_t pfn);

/* Returns the shadow that is kept in place of a page that is evicted now: 29 bits. */
uint32_t lru_shadow(struct mm *m, const struct page *page);

/* Puts a page that came back on the list its refault distance asks for, and counts. */
void lru_refault(struct mm *m, uint32_t pfn, bool file, uint32_t shadow);

/* Returns whether the inactive list of a kind is too short against its active one. */
bool lru_inactive_is_low(const struct mm *m, bool file);

/* Charges I/O and futile scanning to a kind, so that reclaim leans on the other one. */
void lru_note_cost(struct mm *m, bool file, uint32_t io_pages, uint32_t rotated_pages);

/* --- reclaim.c --- */

/* Frees about `want` pages. Returns how many it freed; may be more by a batch, or none. */
uint32_t reclaim_pages(struct mm *m, uint32_t want);

/* Wakes the background reclaimer; tells the host if that cannot do with page cache alone. */
void reclaim_wake(struct mm *m);

/* One step of the background reclaimer: at most `want` pages, nothing when free is fine. */
void reclaim_background(struct mm *m, uint32_t want);

/* Returns whether clean, inactive page cache covers what the watermarks lack, several times over.
 */
bool reclaim_is_easy(const struct mm *m);

/* --- swap.c --- */

/*
 * Writes isolated anonymous frames to swap and frees them.
 * Returns how many; those that found no slot or failed are left to the caller, at the end of `pfn`.
 */
uint32_t swap_out(struct mm *m, const uint32_t *pfn, uint32_t count);

/* Reads a slot into a frame and frees the slot; its shadow goes to `shadow`. */
void swap_in(struct mm *m, uint32_t slot, uint32_t pfn, uint32_t *shadow);

/* Frees a slot without reading it. */
void swap_free(struct mm *m, uint32_t slot);

/* --- cache.c --- */

/* Reads a file block through the page cache. Returns its frame, valid until the next call here. */
uint32_t cache_read(struct mm *m, uint32_t block);

/* Forgets file blocks [block, block + count), as for a file that is removed. */
void cache_drop(struct mm *m, uint32_t block, uint32_t count);

/* Takes an isolated file page out of the cache, leaving its shadow, and frees the frame. */
void cache_evict(struct mm *m, uint32_t pfn);

/* Returns the frame of a cached block, or MM_NONE. */
uint32_t cache_lookup(const struct mm *m, uint32_t block);

/* --- balloon.c --- */

#define BALLOON_SLOW_PAGES 8u
#define BALLOON_SLOW_MS    50u

/* Accepts a new target of the host. */
void balloon_target(struct mm *m, uint32_t target, uint64_t epoch);

/* Moves at most `budget` pages towards the target and settles the epoch when that is done. */
void balloon_step(struct mm *m, uint32_t budget);

/* Takes at most `want` pages that the host has granted already. Returns how many came. */
uint32_t balloon_deflate(struct mm *m, uint32_t want);

/* Returns the size that the guest has now. */
static inline uint32_t balloon_size(const struct mm *m)
{
	return m->page_count - m->balloon_pages;
}

#endif
