/* SPDX-License-Identifier: MIT */
/* poisectl: status for the eye. */
#ifndef DAEMON_TOP_H
#define DAEMON_TOP_H

#include <jansson.h>
#include <stdio.h>

/* Draws status again and again, `count` times (0: until a signal), every `ms`. Returns an exit
 * status. */
int top_run(FILE *stream, unsigned count, unsigned ms);

/* Prints status once, a line a VM. */
void top_table(const json_t *status);

#endif
