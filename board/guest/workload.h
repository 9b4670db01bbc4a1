/* SPDX-License-Identifier: MIT */
/*
 * Replays a recorded trace as memory traffic. README.md of this folder says which part of that is
 * real and which is modelled; trace2asm.awk makes the blob that is read here.
 */
#ifndef GUEST_WORKLOAD_H
#define GUEST_WORKLOAD_H

#include "kernel/mm.h"

#define TRACE_MAGIC   0x43525450u /* the bytes 'P' 'T' 'R' 'C' */
#define TRACE_VERSION 1u

enum trace_kind {
	TRACE_HOT,   /* a hot part of the set gets most touches */
	TRACE_SWEEP, /* the whole set is passed over again and again */
};

/* Head of a trace blob, followed by `rows` rows. Little-endian; all sizes in pages, unscaled. */
struct trace_head {
	uint32_t magic, version;
	uint32_t rows;
	uint32_t interval_ms;
	uint32_t kind;     /* enum trace_kind */
	uint32_t hot_file; /* file pages that are used over and over */
	uint32_t reserved[2];
};

struct trace_row {
	uint32_t anon;   /* anonymous pages at the end of this row */
	uint32_t file;   /* file pages that an unlimited system would hold then */
	uint16_t cpu_ms; /* processor time in this row */
	uint16_t faults; /* minor faults in this row */
};

_Static_assert(sizeof(struct trace_head) == 32, "trace head has changed size");
_Static_assert(sizeof(struct trace_row) == 12, "trace row has changed size");

/* A row is played in so many slices, spread over its time: programs do not allocate in one go. */
#define WORKLOAD_SLICES 10u

struct workload_config {
	const void *blob; /* NULL: no workload */
	uint64_t blob_bytes;
	uint64_t boot_id; /* part of every tag */
	uint64_t vm;      /* whose file contents to expect */
	uint32_t scale;   /* all page counts are divided by it, at least 1 */
	uint32_t seed;
	uint32_t rows;        /* stop after so many, 0: all */
	uint32_t touch;       /* anonymous touches a second of processor time, unscaled */
	uint32_t touch_file;  /* hot file reads a second of processor time, unscaled */
	uint32_t hot_percent; /* of the regions of the set */
	uint64_t file_blocks; /* size of the file area */
};

struct workload {
	const struct trace_head *head;
	const struct trace_row *rows;
	struct workload_config config;
	struct mm *m;
	uint8_t *generation; /* a byte a page of the set: how often its tag was renewed, 0: never */
	uint64_t random;
	uint32_t row_count;
	uint32_t row;                /* next to be played */
	uint32_t slice;              /* of this row, next to be played */
	uint32_t row_live, row_file; /* `live` and `file` when this row began */
	uint32_t live;               /* pages of the set: [0, live) of the window */
	uint32_t base;               /* what the set had when it was last killed */
	uint32_t next_block;         /* first file block not read yet */
	uint32_t oldest_block;
	uint32_t file; /* footprint at the last row */
	uint32_t hot_file;
	uint32_t sweep; /* next page of a sweep */
	uint32_t touch_rest, touch_file_rest;
	uint64_t seen_kills;
	uint64_t touches, file_touches;
};

/*
 * Checks the blob and says how much the workload will need: pages of the window, file blocks.
 * Returns false when there is none or it makes no sense; the needs are 0 then.
 */
bool workload_open(struct workload *w, const struct workload_config *config, uint32_t *anon_limit,
		   uint32_t *file_limit);

/* Starts; `generation`: anon_limit zeroed bytes. */
void workload_start(struct workload *w, struct mm *m, uint8_t *generation);

/* Plays the next slice of a row; returns false when there was none left. */
bool workload_slice(struct workload *w);

/* Returns when the next slice is due, in milliseconds since the start. */
uint64_t workload_due_ms(const struct workload *w);

/* Housekeeping between touches: background reclaim and balloon, a bounded step of each. */
void workload_housekeeping(struct mm *m);

#endif
