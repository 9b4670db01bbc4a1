/* SPDX-License-Identifier: MIT */
/*
 * Replay: feeds a recording's inputs and the port's recorded answers to the core again, and
 * compares every event that comes out with the recorded one.
 */
#ifndef PORT_REPLAY_H
#define PORT_REPLAY_H

#include <stdio.h>

#include "reader.h"

enum replay_mode {
	/* Every value of every event. */
	REPLAY_ALL,
	/* Likewise, but rules may be others, and plans that leave a VM as it is are passed over:
	 * other cores record other reasons for the same sizes. */
	REPLAY_SIZES,
	/* Nothing: what is recorded of decisions and answers is passed over, and each VM does at
	 * once what it is asked. */
	REPLAY_INPUTS,
};

struct replay_options {
	enum replay_mode mode;
	FILE *out; /* takes a recording of what the core does now; NULL: nobody */
};

#ifdef __cplusplus
extern "C" {
#endif

struct replay_result {
	unsigned format;            /* of the file */
	char core[RECORD_CORE_MAX]; /* that recorded it; "": a file of format 1 does not say */

	unsigned long lines;  /* events compared or, with REPLAY_INPUTS, made */
	unsigned long inputs; /* calls made */
	unsigned long rules;  /* events of another rule that REPLAY_SIZES has let pass */
	unsigned long checks; /* poise_check results that were not 0 */

	unsigned long line; /* of the first difference or mistake, 0 for none */
	const char *reason; /* NULL if it replays identically */
	/* Of a difference: the first value that differs; NULL: one side has nothing there. */
	const char *key;
	char expected[RECORD_LINE_MAX];   /* what the recording says there */
	char found[RECORD_LINE_MAX];      /* what the core does */
	struct poise_event recorded, now; /* both, without their data, if there is a key */
};

/*
 * Replays a recording from its beginning. Each `init` starts a new, independent run.
 * `options`: NULL for REPLAY_ALL. Returns 0 if every event is as recorded, 1 at the first
 * difference, 2 for a file that is no recording or has no end.
 */
int replay_run(FILE *in, const struct replay_options *options, struct replay_result *result);

#ifdef __cplusplus
}
#endif

#endif
