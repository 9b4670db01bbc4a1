/* SPDX-License-Identifier: MIT */
/*
 * Reads a recording line by line, in bounded memory whatever the file holds. Whoever wants its
 * events uses this; replay.c does.
 */
#ifndef PORT_READER_H
#define PORT_READER_H

#include <stdio.h>

#include "record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A core's version as a recording's head names it, with its NUL. */
#define RECORD_CORE_MAX 32

struct record_reader {
	FILE *in;
	unsigned long number; /* of the line, from 1 on */
	unsigned format;
	char core[RECORD_CORE_MAX]; /* that recorded it; "" in format 1, which does not say */
	char line[RECORD_LINE_MAX]; /* without its newline; empty at the end */
	struct record record;       /* what it says */
	const char *reason;         /* what is wrong with it, printable; NULL: nothing */
};

/* Reads the head. Returns 1, or -1 with a reason. */
int record_reader_start(struct record_reader *r, FILE *in);
/*
 * Reads the next event; comments and empty lines are passed over, and another head is taken: what
 * follows was recorded by that core. Returns 1, 0 at the end, or -1 with a reason.
 */
int record_reader_next(struct record_reader *r);

#ifdef __cplusplus
}
#endif

#endif
