/* SPDX-License-Identifier: MIT */
/* Who takes the lines of a recording: the file of the configuration, clients of the socket. */
#ifndef DAEMON_SINK_H
#define DAEMON_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct poise;
struct poise_event;

/* `write` returns false when it wants no more. */
struct sink {
	bool (*write)(void *ctx, const char *line, size_t size);
	void *ctx;
};

#define SINKS_MAX 4
struct sinks {
	struct sink sink[SINKS_MAX];
};

/*
 * Adds one, and writes a recording's beginning to it: of a core in the midst of things, or of one
 * that is still to be started (NULL). Returns NULL, or what is wrong.
 */
const char *sinks_add(struct sinks *sinks, const struct sink *sink, const struct poise *core);
void sinks_remove(struct sinks *sinks, const void *ctx);
/* Writes an event to all; who wants no more gets no more. */
void sinks_write(struct sinks *sinks, const struct poise_event *event);

#endif
