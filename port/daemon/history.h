/* SPDX-License-Identifier: MIT */
/* The last records of a VM, and what they say in words. */
#ifndef DAEMON_HISTORY_H
#define DAEMON_HISTORY_H

#include <jansson.h>

#include "poise.h"

#define HISTORY_MAX 48

struct history {
	struct poise_event event[HISTORY_MAX]; /* without what `data` points to */
	uint64_t count;                        /* of all that ever came */
};

/* Keeps the records that explain a VM's size; samples and answers without a change are not among
 * them. */
void history_add(struct history *history, const struct poise_event *event);

/* Returns an array of texts, oldest first: "12.3 s ago: ...". */
json_t *history_words(const struct history *history, uint64_t now_ms);

/* One record in words; `size` of `text` at least HISTORY_TEXT_MAX. */
#define HISTORY_TEXT_MAX 256
void history_text(const struct poise_event *event, char *text, size_t size);

#endif
