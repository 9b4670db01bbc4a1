/* SPDX-License-Identifier: MIT */
/* The daemon from its start to its end: daemon.c strings the other files together. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "poised.h"

/*
 * Starts: opens the backend, the socket and the timers. Takes `conf`. Returns 0, or -1 after it has
 * said why; daemon_close is needed either way.
 */
int daemon_open(struct poised *d, struct config *conf, const char *conf_path);
/* Works until a signal ends it. */
int daemon_run(struct poised *d);
void daemon_close(struct poised *d);

#endif
