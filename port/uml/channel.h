/* SPDX-License-Identifier: MIT */
/*
 * A connection to one management console: one request at a time, its answer, its deadline. Answers
 * bear no number, so after a deadline that was missed the connection is made anew: what comes late
 * finds nobody. Knows nothing of memory.
 */
#ifndef UML_CHANNEL_H
#define UML_CHANNEL_H

#include <event2/event.h>

#include "mconsole.h"

/* What the owner is told, from the event loop; `down` also from channel_check. */
struct channel_calls {
	void (*answer)(void *ctx, const struct mconsole_answer *answer);
	/* The connection has ended by itself, and why. */
	void (*down)(void *ctx, const char *why);
};

struct channel {
	int fd; /* -1: closed */
	bool waiting;
	struct event *readable;
	struct event *deadline;
	uint32_t deadline_ms;
	const char *late; /* what a deadline that is missed means */
	const struct channel_calls *calls;
	void *ctx;
	unsigned budget; /* datagrams that are still read before the next channel_check */
	uint64_t bad;    /* datagrams that were no answer, ever */
	struct mconsole_answer answer;
};

/* Prepares a closed one. */
void channel_init(struct channel *channel, uint32_t deadline_ms, const struct channel_calls *calls,
		  void *ctx);
/* Connects. Returns 0; or -1 and errno: ENOENT or ECONNREFUSED when nobody is there. */
int channel_open(struct channel *channel, struct event_base *base, const char *path);
void channel_close(struct channel *channel);

/* Sends a request if none is under way. Returns whether it was sent; if it could not be, `down`
 * comes. */
bool channel_send(struct channel *channel, const char *command);

/* Once an interval: lets the other side talk again. */
void channel_check(struct channel *channel);

#endif
