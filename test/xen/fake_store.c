/* SPDX-License-Identifier: MIT */
/*
 * libxenstore's calls on a table of nodes. A transaction's writes are kept aside until its commit.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xenstore.h>

#include "fake_inside.h"

#define NODES   128
#define WATCHES 64
#define EVENTS  512
#define WRITES  8

struct node {
	char path[96];
	char *bytes;
	size_t length;
};

struct write {
	char path[96];
	char text[64];
};

struct xs_handle {
	int fd;
	bool broken;
};

static struct node nodes[NODES];
static struct {
	char path[96], token[32];
	struct xs_handle *handle;
} watches[WATCHES];
static struct {
	char path[96], token[32];
	struct xs_handle *handle;
} events[EVENTS];
static size_t event_first, event_count;
static struct write writes[WRITES];
static size_t write_count;
static unsigned commits, reads, refused;
/* A commit fails if anything has been written since its transaction began, as xenstored's does. */
static unsigned changes, changes_seen;
static struct xs_handle *handle;

/* All calls begin with this: with the lock held, and the connection good, or an errno. */
static bool enter(struct xs_handle *h)
{
	fake_lock();
	while (fake_faults[FAKE_HANG] != 0) {
		fake_unlock();
		usleep(1000);
		fake_lock();
	}
	if (h->broken) {
		fake_unlock();
		errno = EBADF;
		return false;
	}
	return true;
}

static struct node *find(const char *path)
{
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].bytes != NULL && strcmp(nodes[i].path, path) == 0) {
			return &nodes[i];
		}
	}
	return NULL;
}

static void fire_to(struct xs_handle *h, const char *path, const char *token)
{
	const uint64_t one = 1;
	if (event_count < EVENTS) {
		const size_t at = (event_first + event_count++) % EVENTS;
		strcpy(events[at].path, path);
		strcpy(events[at].token, token);
		events[at].handle = h;
	}
	(void)!write(h->fd, &one, sizeof(one));
}

void fake_fire(const char *path)
{
	for (size_t i = 0; i < WATCHES; i++) {
		const size_t length = strlen(watches[i].path);
		if (watches[i].handle != NULL && strncmp(watches[i].path, path, length) == 0 &&
		    (path[length] == '\0' || path[length] == '/')) {
			fire_to(watches[i].handle, path, watches[i].token);
		}
	}
}

static void drop(const char *path)
{
	const size_t length = strlen(path);
	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].bytes != NULL && strncmp(nodes[i].path, path, length) == 0 &&
		    (nodes[i].path[length] == '\0' || nodes[i].path[length] == '/')) {
			free(nodes[i].bytes);
			nodes[i].bytes = NULL;
		}
	}
}

/* A removal is news for those, too, who watch something below. */
static void fire_below(const char *path)
{
	const size_t length = strlen(path);
	for (size_t i = 0; i < WATCHES; i++) {
		if (watches[i].handle != NULL && strncmp(watches[i].path, path, length) == 0 &&
		    watches[i].path[length] == '/') {
			fire_to(watches[i].handle, watches[i].path, watches[i].token);
		}
	}
}

void fake_node_locked(const char *path, const void *bytes, size_t length)
{
	changes++;
	if (bytes == NULL) {
		drop(path);
		fake_fire(path);
		fire_below(path);
		return;
	}
	struct node *n = find(path);
	for (size_t i = 0; n == NULL && i < NODES; i++) {
		n = nodes[i].bytes == NULL ? &nodes[i] : NULL;
	}
	if (n == NULL) {
		abort();
	}
	free(n->bytes);
	n->bytes = malloc(length + 1);
	strcpy(n->path, path);
	memcpy(n->bytes, bytes, length);
	n->bytes[length] = '\0';
	n->length = length;
	fake_fire(path);
}

void fake_node_bytes(const char *path, const void *bytes, size_t length)
{
	fake_lock();
	fake_node_locked(path, bytes, length);
	fake_unlock();
}

void fake_node(const char *path, const char *text)
{
	fake_node_bytes(path, text, text != NULL ? strlen(text) : 0);
}

const char *fake_read(const char *path, char out[64])
{
	fake_lock();
	const struct node *n = find(path);
	out[0] = '\0';
	if (n != NULL && n->length < 64) {
		memcpy(out, n->bytes, n->length + 1);
	}
	fake_unlock();
	return out;
}

void fake_store_breaks(void)
{
	const uint64_t one = 1;
	fake_lock();
	if (handle != NULL) {
		handle->broken = true;
		(void)!write(handle->fd, &one, sizeof(one));
	}
	fake_unlock();
}

unsigned fake_commits(void)
{
	fake_lock();
	const unsigned count = commits;
	fake_unlock();
	return count;
}

unsigned fake_refused(void)
{
	fake_lock();
	const unsigned count = refused;
	fake_unlock();
	return count;
}

unsigned fake_reads(void)
{
	fake_lock();
	const unsigned count = reads;
	fake_unlock();
	return count;
}

void fake_store_reset(void)
{
	drop("/local");
	drop("/libxl");
	memset(watches, 0, sizeof(watches));
	event_first = event_count = write_count = 0;
	commits = reads = refused = 0;
	handle = NULL;
}

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	fake_lock();
	if (fake_faults[FAKE_CONNECT_ERRNO] != 0) {
		errno = fake_faults[FAKE_CONNECT_ERRNO];
		fake_unlock();
		return NULL;
	}
	handle = calloc(1, sizeof(*handle));
	handle->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct xs_handle *h = handle;
	fake_unlock();
	return h;
}

void xs_close(struct xs_handle *h)
{
	if (h == NULL) {
		return;
	}
	fake_lock();
	for (size_t i = 0; i < WATCHES; i++) {
		watches[i].handle = watches[i].handle == h ? NULL : watches[i].handle;
	}
	handle = handle == h ? NULL : handle;
	fake_unlock();
	close(h->fd);
	free(h);
}

int xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	if (!enter(h)) {
		return false;
	}
	for (size_t i = 0; i < WATCHES; i++) {
		if (watches[i].handle == NULL) {
			strcpy(watches[i].path, path);
			strcpy(watches[i].token, token);
			watches[i].handle = h;
			fire_to(h, path, token); /* As xenstored does. */
			break;
		}
	}
	fake_unlock();
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	if (!enter(h)) {
		return false;
	}
	for (size_t i = 0; i < WATCHES; i++) {
		if (watches[i].handle == h && strcmp(watches[i].path, path) == 0 &&
		    strcmp(watches[i].token, token) == 0) {
			watches[i].handle = NULL;
		}
	}
	fake_unlock();
	return true;
}

char **xs_check_watch(struct xs_handle *h)
{
	uint64_t count;
	fake_lock();
	while (event_count > 0) {
		const size_t at = event_first;
		event_first = (event_first + 1) % EVENTS;
		event_count--;
		if (events[at].handle != h) {
			continue;
		}
		/* One block, as libxenstore's: the vector, then its strings. */
		char **out = malloc(2 * sizeof(char *) + sizeof(events[at].path) +
				    sizeof(events[at].token));
		out[XS_WATCH_PATH] = (char *)&out[2];
		out[XS_WATCH_TOKEN] = out[XS_WATCH_PATH] + sizeof(events[at].path);
		strcpy(out[XS_WATCH_PATH], events[at].path);
		strcpy(out[XS_WATCH_TOKEN], events[at].token);
		fake_unlock();
		return out;
	}
	(void)!read(h->fd, &count, sizeof(count));
	errno = h->broken ? EINVAL : EAGAIN;
	fake_unlock();
	return NULL;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	if (!enter(h)) {
		return XBT_NULL;
	}
	write_count = 0;
	changes_seen = changes;
	fake_unlock();
	return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort_it)
{
	(void)t;
	if (!enter(h)) {
		return false;
	}
	bool done = true;
	if (!abort_it && fake_faults[FAKE_COMMIT_EAGAIN] != 0) {
		fake_faults[FAKE_COMMIT_EAGAIN] -= fake_faults[FAKE_COMMIT_EAGAIN] > 0;
		refused++;
		errno = EAGAIN;
		done = false;
	} else if (!abort_it && changes_seen != changes) {
		errno = EAGAIN;
		done = false;
	} else if (!abort_it) {
		commits += write_count > 0;
		for (size_t i = 0; i < write_count; i++) {
			fake_node_locked(writes[i].path, writes[i].text, strlen(writes[i].text));
		}
	}
	write_count = 0;
	fake_unlock();
	return done;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *length)
{
	(void)t;
	if (!enter(h)) {
		return NULL;
	}
	reads++;
	const struct node *n = find(path);
	char *out = NULL;
	errno = fake_faults[FAKE_READ_ERRNO] != 0 ? fake_faults[FAKE_READ_ERRNO]
		: n == NULL                       ? ENOENT
						  : 0;
	if (errno == 0) {
		out = malloc(n->length + 1);
		memcpy(out, n->bytes, n->length + 1);
		*length = (unsigned)n->length;
	}
	fake_unlock();
	return out;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned length)
{
	(void)t;
	if (!enter(h)) {
		return false;
	}
	errno = fake_faults[FAKE_WRITE_ERRNO];
	if (errno == 0 && write_count < WRITES && length < sizeof(writes[0].text)) {
		strcpy(writes[write_count].path, path);
		memcpy(writes[write_count].text, data, length);
		writes[write_count++].text[length] = '\0';
	}
	const bool done = errno == 0;
	fake_unlock();
	return done;
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned domid)
{
	if (!enter(h)) {
		return false;
	}
	const bool introduced = fake_introduced(domid);
	fake_unlock();
	return introduced;
}
