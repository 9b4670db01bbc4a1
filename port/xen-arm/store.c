/* SPDX-License-Identifier: MIT */
/*
 * The store's thread and the table that it shares with the daemon's. A slot is a domain: requests
 * one way, results the other, each in one place, under one lock that is never held during a call of
 * libxenstore. An event file tells each side that there is something new.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "nodes.h"

#define READ_GAP_MS  100  /* a domain that writes all the time is read so often */
#define RETRY_MS     200  /* after a read that failed */
#define CONNECT_MS   1000 /* between two tries to reach xenstored */
#define STALL_MS     2000 /* a call that takes longer: xenstored does not answer */
#define STOP_WAIT_MS 1000
#define EVENTS_MAX   256 /* watch events taken in one go: then the requests have their turn */

struct slot {
	bool used;
	bool removing; /* the thread frees it when the watches are gone */
	bool watched;
	bool want_read;
	bool want_write;
	uint32_t domid;
	uint32_t serial; /* tells late watch events of an earlier use of the slot apart */
	uint64_t read_after_ms;
	uint64_t target_kib;
	int64_t offset_pages;
	struct xen_store_result result;
};

struct xen_store {
	pthread_t thread;
	pthread_mutex_t lock;
	int wake;  /* to the thread */
	int ready; /* to the daemon */
	struct event *event;
	void (*changed)(void *ctx, bool rescan);
	void *ctx;
	/* Under the lock. */
	bool quit, ended;
	bool rescan;
	bool connected;
	int error;              /* why not, or why the last read failed; 0 */
	uint64_t busy_since_ms; /* a call of libxenstore is under way; 0: none */
	uint32_t serial;
	struct slot slot[XEN_DOMAINS_MAX];
	/* The thread's own. */
	struct xs_handle *xs;
	uint64_t connect_after_ms;
};

static void signal_file(int fd)
{
	const uint64_t one = 1;
	/* Full is as good: it is signalled already. */
	(void)!write(fd, &one, sizeof(one));
}

static void clear_file(int fd)
{
	uint64_t count;
	(void)!read(fd, &count, sizeof(count));
}

/* Around each call of libxenstore, so that one that never comes back is seen. */
static void call_begins(struct xen_store *s)
{
	pthread_mutex_lock(&s->lock);
	s->busy_since_ms = clock_now_ms();
	pthread_mutex_unlock(&s->lock);
}

static void call_ends(struct xen_store *s, int error)
{
	pthread_mutex_lock(&s->lock);
	s->busy_since_ms = 0;
	s->error = error;
	pthread_mutex_unlock(&s->lock);
}

static void disconnect(struct xen_store *s, int error)
{
	struct xs_handle *xs = s->xs;
	s->xs = NULL;
	s->connect_after_ms = clock_now_ms() + CONNECT_MS;
	pthread_mutex_lock(&s->lock);
	s->connected = false;
	s->error = error;
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		s->slot[i].watched = false;
		s->slot[i].want_read = true;
		if (s->slot[i].want_write) {
			/* It may be a long time: whoever wanted it has to want it again. */
			s->slot[i].want_write = false;
			s->slot[i].result.write = XEN_WRITE_FAILED;
			s->slot[i].result.write_error = error;
		}
	}
	pthread_mutex_unlock(&s->lock);
	signal_file(s->ready);
	if (xs != NULL) {
		xs_close(xs);
	}
}

static void connect_store(struct xen_store *s)
{
	call_begins(s);
	errno = 0;
	struct xs_handle *xs = xs_open(0);
	int error = xs != NULL ? 0 : (errno != 0 ? errno : EIO);
	if (xs != NULL &&
	    (!xs_watch(xs, "@introduceDomain", "@") || !xs_watch(xs, "@releaseDomain", "@"))) {
		error = errno != 0 ? errno : EIO;
		xs_close(xs);
		xs = NULL;
	}
	call_ends(s, error);
	s->xs = xs;
	s->connect_after_ms = clock_now_ms() + CONNECT_MS;
	pthread_mutex_lock(&s->lock);
	s->connected = xs != NULL;
	s->rescan = true;
	pthread_mutex_unlock(&s->lock);
	signal_file(s->ready);
}

/* A watch has fired: `token` is "@", or "slot.serial". */
static void note_event(struct xen_store *s, const char *token)
{
	unsigned slot, serial;
	pthread_mutex_lock(&s->lock);
	if (strcmp(token, "@") == 0) {
		/* Which domain it is about is not said; of one being built there is news. */
		for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
			s->slot[i].want_read =
				s->slot[i].want_read || !s->slot[i].result.domain.introduced;
		}
		s->rescan = true;
		signal_file(s->ready);
	} else if (sscanf(token, "%u.%u", &slot, &serial) == 2 && slot < XEN_DOMAINS_MAX &&
		   s->slot[slot].used && s->slot[slot].serial == serial) {
		s->slot[slot].want_read = true;
	}
	pthread_mutex_unlock(&s->lock);
}

static void take_events(struct xen_store *s)
{
	for (unsigned i = 0; s->xs != NULL && i < EVENTS_MAX; i++) {
		errno = 0;
		char **event = xs_check_watch(s->xs);
		if (event == NULL) {
			if (errno != EAGAIN) {
				disconnect(s, errno != 0 ? errno : EIO);
			}
			return;
		}
		note_event(s, event[XS_WATCH_TOKEN]);
		free(event);
	}
}

static void read_slot(struct xen_store *s, struct slot *slot, uint32_t domid,
		      struct xen_store_domain *domain)
{
	call_begins(s);
	const int error = xen_nodes_read(s->xs, domid, domain);
	call_ends(s, error);
	pthread_mutex_lock(&s->lock);
	slot->result.domain = *domain;
	slot->result.known = slot->result.known || error == 0;
	slot->result.reads++;
	slot->read_after_ms = clock_now_ms() + (error == 0 ? READ_GAP_MS : RETRY_MS);
	slot->want_read = slot->want_read || error != 0;
	pthread_mutex_unlock(&s->lock);
	signal_file(s->ready);
	if (xen_nodes_lost(error)) {
		disconnect(s, error);
	}
}

static void write_slot(struct xen_store *s, struct slot *slot, uint32_t domid, uint64_t target_kib,
		       int64_t offset_pages)
{
	bool held = false;
	call_begins(s);
	const int error = xen_nodes_target(s->xs, domid, target_kib, offset_pages, &held);
	call_ends(s, error);
	pthread_mutex_lock(&s->lock);
	if (!slot->want_write) { /* Otherwise there is a newer one already. */
		slot->result.write = error != 0 ? XEN_WRITE_FAILED
				     : held     ? XEN_WRITE_HELD
						: XEN_WRITE_DONE;
		slot->result.write_error = error;
	}
	pthread_mutex_unlock(&s->lock);
	signal_file(s->ready);
	if (xen_nodes_lost(error)) {
		disconnect(s, error);
	}
}

/* Does what one slot wants. The slot stays used while the lock is not held: only this thread frees
 * it. */
static void serve(struct xen_store *s, struct slot *slot)
{
	char token[24];
	pthread_mutex_lock(&s->lock);
	const struct slot job = *slot;
	const bool write = job.used && !job.removing && job.want_write;
	const bool read =
		job.used && !job.removing && job.want_read && clock_now_ms() >= job.read_after_ms;
	if (write) {
		slot->want_write = false;
	}
	if (read) {
		slot->want_read = false;
	}
	pthread_mutex_unlock(&s->lock);
	if (!job.used) {
		return;
	}
	snprintf(token, sizeof(token), "%u.%u", (unsigned)(slot - s->slot), (unsigned)job.serial);
	if (job.removing) {
		call_begins(s);
		xen_nodes_unwatch(s->xs, job.domid, token);
		call_ends(s, 0);
		pthread_mutex_lock(&s->lock);
		*slot = (struct slot){0};
		pthread_mutex_unlock(&s->lock);
		return;
	}
	if (!job.watched) {
		call_begins(s);
		const int error = xen_nodes_watch(s->xs, job.domid, token);
		call_ends(s, error);
		pthread_mutex_lock(&s->lock);
		slot->watched = error == 0;
		pthread_mutex_unlock(&s->lock);
		if (xen_nodes_lost(error)) {
			disconnect(s, error);
		}
	}
	if (write && s->xs != NULL) {
		write_slot(s, slot, job.domid, job.target_kib, job.offset_pages);
	}
	if (read && s->xs != NULL) {
		struct xen_store_domain domain = job.result.domain;
		read_slot(s, slot, job.domid, &domain);
	}
}

/* Returns how long the thread may sleep, in ms; -1 until it is woken. */
static int nap(struct xen_store *s)
{
	const uint64_t now = clock_now_ms();
	uint64_t until = s->xs == NULL ? s->connect_after_ms : UINT64_MAX;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < XEN_DOMAINS_MAX && s->xs != NULL; i++) {
		const struct slot *slot = &s->slot[i];
		if (!slot->used) {
			continue;
		}
		if (slot->want_write || slot->removing) {
			until = now;
		} else if (!slot->watched && until > now + RETRY_MS) {
			until = now + RETRY_MS;
		}
		if (slot->want_read && slot->read_after_ms < until) {
			until = slot->read_after_ms;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return until == UINT64_MAX ? -1 : until <= now ? 0 : (int)(until - now);
}

static bool quits(struct xen_store *s)
{
	pthread_mutex_lock(&s->lock);
	const bool quit = s->quit;
	pthread_mutex_unlock(&s->lock);
	return quit;
}

static void *run(void *arg)
{
	struct xen_store *s = arg;
	while (!quits(s)) {
		if (s->xs == NULL && clock_now_ms() >= s->connect_after_ms) {
			connect_store(s);
		}
		for (size_t i = 0; i < XEN_DOMAINS_MAX && s->xs != NULL; i++) {
			serve(s, &s->slot[i]);
		}
		struct pollfd wait[2] = {
			{.fd = s->wake, .events = POLLIN},
			{.fd = s->xs != NULL ? xs_fileno(s->xs) : -1, .events = POLLIN}};
		(void)poll(wait, 2, nap(s));
		if ((wait[0].revents & POLLIN) != 0) {
			clear_file(s->wake);
		}
		take_events(s);
	}
	xs_close(s->xs);
	s->xs = NULL;
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_mutex_unlock(&s->lock);
	signal_file(s->ready);
	return NULL;
}

/* Below: the daemon's thread. */

static void picked_up(evutil_socket_t fd, short what, void *arg)
{
	struct xen_store *s = arg;
	(void)what;
	clear_file(fd);
	pthread_mutex_lock(&s->lock);
	const bool rescan = s->rescan;
	s->rescan = false;
	pthread_mutex_unlock(&s->lock);
	s->changed(s->ctx, rescan);
}

static void release(struct xen_store *s)
{
	if (s->event != NULL) {
		event_free(s->event);
	}
	if (s->wake >= 0) {
		close(s->wake);
	}
	if (s->ready >= 0) {
		close(s->ready);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct xen_store *xen_store_start(struct event_base *base, void (*changed)(void *ctx, bool rescan),
				  void *ctx)
{
	struct xen_store *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return NULL;
	}
	s->changed = changed;
	s->ctx = ctx;
	pthread_mutex_init(&s->lock, NULL);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake >= 0 && s->ready >= 0) {
		s->event = event_new(base, s->ready, EV_READ | EV_PERSIST, picked_up, s);
	}
	if (s->event == NULL || event_add(s->event, NULL) != 0 ||
	    pthread_create(&s->thread, NULL, run, s) != 0) {
		release(s);
		return NULL;
	}
	return s;
}

void xen_store_stop(struct xen_store *s)
{
	if (s == NULL) {
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_mutex_unlock(&s->lock);
	signal_file(s->wake);
	const uint64_t deadline = clock_now_ms() + STOP_WAIT_MS;
	bool ended = false;
	while (!ended && clock_now_ms() < deadline) {
		struct pollfd wait = {.fd = s->ready, .events = POLLIN};
		(void)poll(&wait, 1, 50);
		clear_file(s->ready);
		pthread_mutex_lock(&s->lock);
		ended = s->ended;
		pthread_mutex_unlock(&s->lock);
	}
	if (!ended) {
		/* It waits for xenstored and may do so for ever: its memory has to stay. */
		pthread_detach(s->thread);
		event_free(s->event);
		return;
	}
	pthread_join(s->thread, NULL);
	release(s);
}

static struct slot *find(struct xen_store *s, uint32_t domid)
{
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		if (s->slot[i].used && !s->slot[i].removing && s->slot[i].domid == domid) {
			return &s->slot[i];
		}
	}
	return NULL;
}

bool xen_store_add(struct xen_store *s, uint32_t domid)
{
	bool added = false;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < XEN_DOMAINS_MAX && !added; i++) {
		if (!s->slot[i].used) {
			s->slot[i] = (struct slot){.used = true,
						   .want_read = true,
						   .domid = domid,
						   .serial = ++s->serial};
			added = true;
		}
	}
	pthread_mutex_unlock(&s->lock);
	signal_file(s->wake);
	return added;
}

void xen_store_remove(struct xen_store *s, uint32_t domid)
{
	pthread_mutex_lock(&s->lock);
	struct slot *slot = find(s, domid);
	if (slot != NULL) {
		slot->removing = true;
	}
	pthread_mutex_unlock(&s->lock);
	signal_file(s->wake);
}

bool xen_store_target(struct xen_store *s, uint32_t domid, uint64_t target_kib,
		      int64_t offset_pages)
{
	pthread_mutex_lock(&s->lock);
	struct slot *slot = find(s, domid);
	const bool taken = slot != NULL && s->connected;
	if (taken) {
		slot->want_write = true;
		slot->target_kib = target_kib;
		slot->offset_pages = offset_pages;
		slot->result.write = XEN_WRITE_PENDING;
	}
	pthread_mutex_unlock(&s->lock);
	if (taken) {
		signal_file(s->wake);
	}
	return taken;
}

bool xen_store_get(struct xen_store *s, uint32_t domid, struct xen_store_result *out)
{
	pthread_mutex_lock(&s->lock);
	const struct slot *slot = find(s, domid);
	if (slot != NULL) {
		*out = slot->result;
	}
	pthread_mutex_unlock(&s->lock);
	return slot != NULL;
}

const char *xen_store_trouble(struct xen_store *s)
{
	const char *trouble = NULL;
	pthread_mutex_lock(&s->lock);
	if (s->busy_since_ms != 0 && clock_now_ms() - s->busy_since_ms > STALL_MS) {
		trouble = "xenstored does not answer";
	} else if (!s->connected && s->error != 0) { /* Not yet tried is no trouble. */
		trouble = "xenstored cannot be reached";
	} else if (s->error == EAGAIN) {
		trouble = "xenstored is too busy: EAGAIN, tried again and again";
	} else if (s->error == EACCES || s->error == EPERM) {
		trouble = "xenstored refuses: no permission";
	}
	pthread_mutex_unlock(&s->lock);
	return trouble;
}
