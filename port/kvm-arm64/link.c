/* SPDX-License-Identifier: MIT */
/* A connection to one QMP socket; see link.h. */
#include "link.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Lines of a peer that are read in one interval. QEMU limits its events to a few a second. */
#define BUDGET 2000u
/* Kind 0 is ours: the negotiation. */
#define KIND_CAPS  0u
#define KIND_BITS  4u
#define ID_SERIALS (1u << 27)

static uint64_t waited(const struct link *link, uint64_t now_ms)
{
	uint64_t longest = link->state == LINK_GREETING ? now_ms - link->opened_ms : 0;

	for (unsigned i = 0; i < LINK_KINDS; i++) {
		if (link->pending[i] != 0 && now_ms - link->sent_ms[i] > longest) {
			longest = now_ms - link->sent_ms[i];
		}
	}
	return longest;
}

void link_close(struct link *link)
{
	if (link->io != NULL) {
		bufferevent_free(link->io);
	}
	link->io = NULL;
	link->state = LINK_CLOSED;
	memset(link->pending, 0, sizeof(link->pending));
	link->asleep = false;
}

static void end(struct link *link, const char *why)
{
	link_close(link);
	link->calls->down(link->ctx, why);
}

static bool post(struct link *link, unsigned kind, const char *command, const char *arguments,
		 uint64_t now_ms)
{
	struct evbuffer *out = bufferevent_get_output(link->io);

	link->serial = (link->serial + 1u) % ID_SERIALS;
	link->pending[kind] = ((link->serial + 1u) << KIND_BITS) | kind;
	link->sent_ms[kind] = now_ms;
	return evbuffer_add_printf(out, "{\"execute\":\"%s\",%s%s%s\"id\":%llu}\n", command,
				   arguments != NULL ? "\"arguments\":" : "",
				   arguments != NULL ? arguments : "", arguments != NULL ? "," : "",
				   (unsigned long long)link->pending[kind]) > 0;
}

bool link_send(struct link *link, unsigned kind, const char *command, const char *arguments,
	       uint64_t now_ms)
{
	return link->state == LINK_READY && link->pending[kind] == 0 &&
	       post(link, kind, command, arguments, now_ms);
}

/* An answer is ours if it bears the id of what is under way. */
static void answer(struct link *link, const struct qmp_message *message)
{
	const unsigned kind = (unsigned)(message->id & ((1u << KIND_BITS) - 1u));

	if (message->id == 0 || link->pending[kind] != message->id) {
		link->unknown++;
		return;
	}
	link->pending[kind] = 0;
	if (kind != KIND_CAPS) {
		link->calls->answer(link->ctx, kind, message);
	} else if (message->kind == QMP_RETURN) {
		link->state = LINK_READY;
		link->calls->ready(link->ctx);
	} else {
		end(link, "capabilities refused");
	}
}

static void take(struct link *link, const struct qmp_message *message)
{
	switch (message->kind) {
	case QMP_BAD:
		link->bad++;
		/* Whoever does not even greet is no QEMU; later, one bad line is let pass. */
		if (link->state == LINK_GREETING) {
			end(link, message->text);
		}
		break;
	case QMP_GREETING:
		if (link->state == LINK_GREETING) {
			link->state = LINK_CAPS;
			post(link, KIND_CAPS, "qmp_capabilities", NULL, link->opened_ms);
		}
		break;
	case QMP_RETURN:
	case QMP_ERROR:
		answer(link, message);
		break;
	case QMP_EVENT:
		if (link->state == LINK_READY) {
			link->calls->event(link->ctx, message);
		}
		break;
	}
}

/* The callee may close the link, so it is looked at anew after each line. */
static void read_lines(struct bufferevent *io, void *ctx)
{
	struct link *link = ctx;

	while (link->io == io) {
		struct evbuffer *in = bufferevent_get_input(io);
		struct qmp_message message;
		size_t size;
		char *line;

		if (link->budget == 0) {
			link->asleep = true;
			bufferevent_disable(io, EV_READ);
			return;
		}
		line = evbuffer_readln(in, &size, EVBUFFER_EOL_LF);
		if (line == NULL) {
			if (evbuffer_get_length(in) >= QMP_LINE_MAX) {
				end(link, "a line that is too long");
			}
			return;
		}
		link->budget--;
		qmp_parse(line, size, &message);
		free(line);
		take(link, &message);
		qmp_free(&message);
	}
}

static void io_event(struct bufferevent *io, short what, void *ctx)
{
	(void)io;
	end(ctx, (what & BEV_EVENT_EOF) != 0 ? "connection closed" : "connection broken");
}

static int connect_to(const char *path, pid_t *peer)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred creds = {0};
	socklen_t size = sizeof(creds);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -1;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		const int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	*peer = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &size) == 0 ? creds.pid : 0;
	return fd;
}

int link_open(struct link *link, struct event_base *base, const char *path,
	      const struct link_calls *calls, void *ctx, uint64_t now_ms, pid_t *peer)
{
	const int fd = connect_to(path, peer);

	if (fd < 0) {
		return -1;
	}
	*link = (struct link){.state = LINK_GREETING,
			      .calls = calls,
			      .ctx = ctx,
			      .opened_ms = now_ms,
			      .serial = link->serial,
			      .bad = link->bad,
			      .unknown = link->unknown,
			      .budget = BUDGET};
	link->io = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (link->io == NULL) {
		close(fd);
		link->state = LINK_CLOSED;
		errno = ENOMEM;
		return -1;
	}
	bufferevent_setcb(link->io, read_lines, NULL, io_event, link);
	bufferevent_setwatermark(link->io, EV_READ, 0, QMP_LINE_MAX);
	bufferevent_enable(link->io, EV_READ | EV_WRITE);
	return 0;
}

uint64_t link_check(struct link *link, uint64_t now_ms)
{
	if (link->state == LINK_CLOSED) {
		return 0;
	}
	link->budget = BUDGET;
	if (link->asleep) {
		link->asleep = false;
		bufferevent_enable(link->io, EV_READ);
		/* What has been read before it fell asleep brings no event of its own. */
		bufferevent_trigger(link->io, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
	}
	return waited(link, now_ms);
}
