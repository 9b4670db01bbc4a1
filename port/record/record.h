/* SPDX-License-Identifier: MIT */
/*
 * Recordings: the core's event stream as text, a line an event. Every port writes them through
 * this, and replay.c reads them back. The format is stated in port/record/README.md.
 *
 * Needs string.h and nothing else: it runs on the board and on the host.
 */
#ifndef PORT_RECORD_H
#define PORT_RECORD_H

#include <stddef.h>

#include "poise.h"

/* First line of every recording. */
#define RECORD_HEADER "# poise-recording 1"
/* No event's line is longer, its newline and NUL included. */
#define RECORD_LINE_MAX 1024

/* One parsed line: the event, and what its `data` points to. */
struct record {
	struct poise_event event;
	union {
		struct poise_config config;
		struct poise_vm_config vm_config;
		struct poise_sample sample;
	} data;
};

/*
 * Writes an event as one line, newline and NUL at the end. `size`: of `line`, at least
 * RECORD_LINE_MAX. Returns the length without the NUL.
 */
size_t record_format(const struct poise_event *event, char *line, size_t size);

/*
 * Reads one line (with or without its newline). Strict: exactly the keys of the event, each once,
 * in their order, decimal numbers in range. `record->event.data` points into `record`. Returns
 * NULL, or what is wrong with the line; `record` is undefined then.
 */
const char *record_parse(const char *line, struct record *record);

#endif
