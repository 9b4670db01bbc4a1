/* SPDX-License-Identifier: MIT */
/*
 * Recordings: the core's event stream as text, a line an event. Every port writes them through
 * this; reader.c and replay.c read them back. The format is stated in port/record/README.md.
 *
 * Needs string.h and nothing else: it runs on the board and on the host.
 */
#ifndef PORT_RECORD_H
#define PORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "poise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The format that is written. Format 1, of cores before 0.2.0, is still read. */
#define RECORD_FORMAT 2
/* First line of every recording. */
#define RECORD_HEAD   "# poise-recording "
#define RECORD_HEADER RECORD_HEAD "2 core=" POISE_VERSION
/* No event's line is longer, its newline and NUL included. */
#define RECORD_LINE_MAX 2560
/* What is wrong with a line, with its NUL. */
#define RECORD_REASON_MAX 160

/* One parsed line: the event, and what its `data` points to. */
struct record {
	struct poise_event event;
	uint64_t given; /* bit i: the line has the i-th key of its event */
	union {
		struct poise_config config;
		struct poise_vm_config vm_config;
		struct poise_sample sample;
		struct poise_vm vm;
	} data;
	char reason[RECORD_REASON_MAX];
};

/*
 * Writes an event as one line, newline and NUL at the end. `size`: of `line`, at least
 * RECORD_LINE_MAX. Returns the length without the NUL.
 */
size_t record_format(const struct poise_event *event, char *line, size_t size);

/*
 * Writes what a recording that starts now, in the middle of things, starts with: the head, the
 * configuration and the whole state. What `p` records from now on may follow. `write` returns false
 * when it wants no more. Returns whether it has taken all.
 */
bool record_begin(const struct poise *p, bool (*write)(void *ctx, const char *line, size_t size),
		  void *ctx);

/*
 * Reads one line (with or without its newline) of a recording of `format`. Strict: the keys of the
 * event, each at most once, in their order, values in range; only the README's optional keys may
 * be left out. `record->event.data` points into `record`. Returns NULL, or record->reason: what is
 * wrong with the line, printable; the rest of `record` is undefined then.
 */
const char *record_parse(const char *line, unsigned format, struct record *record);

/*
 * Compares an event with a parsed line, as far as that says anything. Returns NULL if they are the
 * same; "time" or "event" if those differ, or else the key of the first value that does. `but`: a
 * key that may differ, or NULL.
 */
const char *record_difference(const struct record *record, const struct poise_event *event,
			      const char *but);

#ifdef __cplusplus
}
#endif

#endif
