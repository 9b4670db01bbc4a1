/* SPDX-License-Identifier: MIT */
/*
 * The control socket: UNIX stream, a JSON object a line each way. Whoever may open it (mode and
 * group of the socket) may do everything below; nobody may block the daemon, crash it or make it
 * grow.
 *
 *	{"do": "status"}				{"ok": true, ...}; status.c
 *	{"do": "metrics"}				{"ok": true, "text": "..."}
 *	{"do": "why", "vm": NAME}			{"ok": true, "lines": [...]}
 *	{"do": "set", "vm": NAME, "key": K, "value": V}	{"ok": true}; V is a text
 *	{"do": "freeze" or "thaw", "vm": NAME}		{"ok": true}
 *	{"do": "record"}				{"ok": true}, then a recording's lines
 *
 * A request that is wrong: {"ok": false, "error": "..."}.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <jansson.h>

#define CONTROL_LINE_MAX    4096 /* a request's, its newline included */
#define CONTROL_CLIENTS_MAX 16

struct poised;
struct control;
struct sink;

/* Listens at conf->socket. Returns NULL after it has said why not. */
struct control *control_open(struct poised *d);
void control_close(struct control *control);

/*
 * Answers one request line: what the socket does, without the socket. `sink`: takes a recording if
 * the request asks for one. The caller owns the answer; NULL when there is no memory.
 */
json_t *control_answer(struct poised *d, const char *line, size_t size, const struct sink *sink);

#endif
