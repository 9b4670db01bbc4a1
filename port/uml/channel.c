/* SPDX-License-Identifier: MIT */
/* A connection to one management console; see channel.h. */
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Datagrams in one interval. The longest answer has ten. */
#define BUDGET 1000u

void channel_init(struct channel *channel, uint32_t deadline_ms, const struct channel_calls *calls,
		  void *ctx)
{
	memset(channel, 0, sizeof(*channel));
	channel->fd = -1;
	channel->deadline_ms = deadline_ms;
	channel->calls = calls;
	channel->ctx = ctx;
}

void channel_close(struct channel *channel)
{
	if (channel->readable != NULL) {
		event_free(channel->readable);
	}
	if (channel->deadline != NULL) {
		event_free(channel->deadline);
	}
	if (channel->fd >= 0) {
		close(channel->fd);
	}
	channel->readable = NULL;
	channel->deadline = NULL;
	channel->fd = -1;
	channel->waiting = false;
}

static void end(struct channel *channel, const char *why)
{
	channel_close(channel);
	channel->calls->down(channel->ctx, why);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	end(ctx, ((struct channel *)ctx)->late);
}

/* Reads one datagram. Returns whether there may be another one to read. */
static bool read_one(struct channel *channel)
{
	/* One byte more than there can be: what is longer shows. */
	char datagram[sizeof(struct mconsole_reply) + 1u];
	const ssize_t size = recv(channel->fd, datagram, sizeof(datagram), MSG_DONTWAIT);
	enum mconsole_part part;

	if (size < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			end(channel, strerror(errno));
		}
		return false;
	}
	part = channel->waiting ? mconsole_take(&channel->answer, datagram, (size_t)size)
				: MCONSOLE_BAD;
	if (part == MCONSOLE_BAD) {
		channel->bad++;
		if (channel->waiting) {
			/* Which of those to come belong to it cannot be told. */
			end(channel, "an answer that is none");
			return false;
		}
	} else if (part == MCONSOLE_DONE) {
		channel->waiting = false;
		event_del(channel->deadline);
		channel->calls->answer(channel->ctx, &channel->answer);
		return false; /* It may have closed the channel; libevent comes again. */
	}
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct channel *channel = ctx;

	(void)fd;
	(void)what;
	do {
		if (channel->budget == 0) {
			event_del(channel->readable);
			return;
		}
		channel->budget--;
	} while (read_one(channel));
}

int channel_open(struct channel *channel, struct event_base *base, const char *path)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	struct sockaddr_un peer = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(peer.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(peer.sun_path, path, strlen(path) + 1u);
	channel->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/*
	 * A name that the kernel chooses, to answer to. A datagram socket that is connected
	 * receives from its peer only: the kernel refuses what anybody else sends.
	 */
	if (channel->fd < 0 ||
	    bind(channel->fd, (const struct sockaddr *)&own, sizeof(own.sun_family)) != 0 ||
	    connect(channel->fd, (const struct sockaddr *)&peer, sizeof(peer)) != 0) {
		const int error = errno;

		channel_close(channel);
		errno = error;
		return -1;
	}
	channel->readable =
		event_new(base, channel->fd, EV_READ | EV_PERSIST, on_readable, channel);
	channel->deadline = evtimer_new(base, on_deadline, channel);
	if (channel->readable == NULL || channel->deadline == NULL ||
	    event_add(channel->readable, NULL) != 0) {
		channel_close(channel);
		errno = ENOMEM;
		return -1;
	}
	channel->budget = BUDGET;
	return 0;
}

bool channel_send(struct channel *channel, const char *command)
{
	const struct timeval limit = {.tv_sec = channel->deadline_ms / 1000u,
				      .tv_usec = channel->deadline_ms % 1000u * 1000u};
	struct mconsole_request request;
	const size_t size = mconsole_ask(&request, command);

	if (channel->fd < 0 || channel->waiting || event_add(channel->deadline, &limit) != 0) {
		return false;
	}
	mconsole_begin(&channel->answer);
	channel->waiting = true;
	channel->late = "no answer: stopped, or hanging";
	if (send(channel->fd, &request, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		/* Told from the event loop, as everything is. */
		channel->late = strerror(errno);
		event_active(channel->deadline, EV_TIMEOUT, 1);
		return false;
	}
	return true;
}

void channel_check(struct channel *channel)
{
	if (channel->fd >= 0 && channel->budget == 0 && event_add(channel->readable, NULL) != 0) {
		end(channel, "no memory");
		return;
	}
	channel->budget = BUDGET;
}
