/* SPDX-License-Identifier: MIT */
/*
 * A connection to one QMP socket: lines, requests and their answers, deadlines. At most one request
 * of each kind is under way, so that neither side's buffer can grow. Knows nothing of balloons.
 */
#ifndef KVM_LINK_H
#define KVM_LINK_H

#include <event2/event.h>
#include <sys/types.h>

#include "qmp.h"

#define LINK_KINDS 16 /* of requests */

enum link_state {
	LINK_CLOSED,
	LINK_GREETING, /* connected, nothing heard yet */
	LINK_CAPS,     /* greeted; capabilities are being negotiated */
	LINK_READY
};

/* What the owner is told. None is called from within link_send or link_close. */
struct link_calls {
	void (*ready)(void *ctx);
	/* The answer to a request: QMP_RETURN or QMP_ERROR. */
	void (*answer)(void *ctx, unsigned kind, const struct qmp_message *message);
	void (*event)(void *ctx, const struct qmp_message *message);
	/* The connection has ended by itself, and why. */
	void (*down)(void *ctx, const char *why);
};

struct link {
	enum link_state state;
	struct bufferevent *io;
	const struct link_calls *calls;
	void *ctx;
	uint64_t pending[LINK_KINDS]; /* id of the request under way; 0: none */
	uint64_t sent_ms[LINK_KINDS];
	uint64_t opened_ms;
	uint64_t serial;
	uint64_t bad, unknown; /* lines that were no QMP; answers to no request */
	unsigned budget;       /* lines that are still read before the next link_check */
	bool asleep;           /* reading has been stopped: the budget is spent */
};

/*
 * Connects. Returns 0; or -1 and errno when nobody listens. `peer`: the process that listens, 0 if
 * the kernel does not say.
 */
int link_open(struct link *link, struct event_base *base, const char *path,
	      const struct link_calls *calls, void *ctx, uint64_t now_ms, pid_t *peer);
void link_close(struct link *link);

/*
 * Sends a request, if none of its kind is under way. `kind`: 1..LINK_KINDS-1. `arguments`: JSON
 * text of an object, or NULL. Returns whether it was sent.
 */
bool link_send(struct link *link, unsigned kind, const char *command, const char *arguments,
	       uint64_t now_ms);

/* Once an interval: lets the peer talk again. Returns for how long the oldest request, or the
 * greeting, has been waited for, in ms; 0: nothing is waited for. */
uint64_t link_check(struct link *link, uint64_t now_ms);

#endif
