/* SPDX-License-Identifier: MIT */
/* Recordings of what the core is told and what it decides. */
#ifndef DAEMON_RECORDING_H
#define DAEMON_RECORDING_H

#include "poised.h"

/* Opens the recording that the configuration asks for. Returns 0 or -1, after it has said why. */
int recording_open(struct poised *d);
/* What has been recorded so far gets to the file; ends the recording if it cannot. */
void recording_flush(struct poised *d);

/*
 * Starts a recording with the state that the core is in; the core does not notice. Returns NULL, or
 * what is wrong.
 */
const char *recording_start(struct poised *d, const struct sink *sink);
void recording_stop(struct poised *d, const void *ctx);

#endif
