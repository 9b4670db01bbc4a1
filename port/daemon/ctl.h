/* SPDX-License-Identifier: MIT */
/* poisectl's files to each other: one request, one answer; and the live picture. */
#ifndef DAEMON_CTL_H
#define DAEMON_CTL_H

#include <jansson.h>
#include <stdio.h>

/* Returns a connected stream, or NULL after it has said why not. */
FILE *ctl_connect(const char *path);

/*
 * Sends a request and reads its answer, one line each. Takes `request`. Returns the answer, which
 * the caller owns, or NULL after it has said why not: also when the daemon refuses.
 */
json_t *ctl_ask(FILE *stream, json_t *request);

/* Draws status again and again, `count` times (0: until a signal), every `ms`. Returns an exit
 * status. */
int ctl_top(FILE *stream, unsigned count, unsigned ms);

/* Prints status once, a line a VM. */
void ctl_table(const json_t *status);

/* Members of an answer: 0 or "" when they are not there. */
long long ctl_number(const json_t *object, const char *key);
const char *ctl_text(const json_t *object, const char *key);

#endif
