/* SPDX-License-Identifier: MIT */
/*
 * QMP, one line at a time: bytes of a peer -> a checked message. Pure: no socket, no clock. What a
 * peer sends is hostile; it can neither make this recurse nor hold more memory than the line.
 */
#ifndef KVM_QMP_H
#define KVM_QMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A peer that sends a longer line is not talked to any more. */
#define QMP_LINE_MAX 65536u
/* Nesting that is read; QEMU's answers to what we ask have at most five. */
#define QMP_DEPTH_MAX 16u
#define QMP_TEXT_MAX  96

enum qmp_kind {
	QMP_BAD,      /* no QMP: `text` says why */
	QMP_GREETING, /* {"QMP": ...} */
	QMP_RETURN,   /* `id`, `value` */
	QMP_ERROR,    /* `id`; `text`: class and description */
	QMP_EVENT     /* `text`: its name; `value`: its data, may be NULL */
};

struct qmp_message {
	enum qmp_kind kind;
	uint64_t id; /* 0: none, or none of ours */
	char text[QMP_TEXT_MAX];
	const json_t *value; /* inside root */
	json_t *root;        /* for qmp_free */
};

/* Reads one line. `out` is filled in whatever comes; qmp_free it. Returns out->kind. */
enum qmp_kind qmp_parse(const char *line, size_t size, struct qmp_message *out);
void qmp_free(struct qmp_message *message);

/*
 * Takes a number out of a JSON value: whole, in 0..`most`. Returns false for everything else: a
 * text, a fraction, below zero, too large, missing (`value` NULL).
 */
bool qmp_number(const json_t *value, uint64_t most, uint64_t *out);

/* As qmp_number, for a size in bytes; in whole pages of 4 KiB, never 0, at most POISE_PAGES_MAX. */
bool qmp_pages(const json_t *value, uint64_t *pages);

#endif
