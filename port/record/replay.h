/* SPDX-License-Identifier: MIT */
/*
 * Replay: feeds a recording's inputs and the port's recorded answers to the core again, and
 * compares every event that comes out with the recorded one.
 */
#ifndef PORT_REPLAY_H
#define PORT_REPLAY_H

#include <stdio.h>

#include "record.h"

struct replay_result {
	unsigned long lines;            /* events compared */
	unsigned long inputs;           /* calls made */
	unsigned long checks;           /* poise_check results that were not 0 */
	unsigned long line;             /* of the first difference or mistake, 0 for none */
	const char *reason;             /* NULL if it replays identically */
	char expected[RECORD_LINE_MAX]; /* what the recording says there */
	char found[RECORD_LINE_MAX];    /* what the core does */
};

/*
 * Replays a recording from its beginning. Lines that start with # are comments; the first must be
 * RECORD_HEADER. Each `init` starts a new, independent run.
 * Returns 0 if every event is as recorded, 1 at the first difference, 2 for a file that is no
 * recording.
 */
int replay_run(FILE *in, struct replay_result *result);

#endif
