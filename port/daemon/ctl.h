/* SPDX-License-Identifier: MIT */
/* poisectl's side of the control socket: one request, one answer. */
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

/* Reads one line, bounded. Returns it, to be freed; NULL at the end or without memory. */
char *ctl_line(FILE *stream);

/* Members of an answer: 0 or "" when they are not there. */
long long ctl_number(const json_t *object, const char *key);
const char *ctl_text(const json_t *object, const char *key);

#endif
