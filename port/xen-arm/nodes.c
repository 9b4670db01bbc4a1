/* SPDX-License-Identifier: MIT */
/*
 * Transactions with xenstored. A commit that is answered by EAGAIN is tried again, a few times and
 * later each time; whoever asked decides what comes after that. Nothing is ever half written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nodes.h"

#define PATH_MAX_BYTES 96

static const char *const watched[] = {"name", "data/poise", "memory/target", "memory/poise/target"};
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static void path_of(char out[PATH_MAX_BYTES], uint32_t domid, const char *node)
{
	snprintf(out, PATH_MAX_BYTES, "/local/domain/%" PRIu32 "/%s", domid, node);
}

bool xen_nodes_lost(int error)
{
	return error == EBADF || error == EPIPE || error == ECONNRESET || error == ENOTCONN ||
	       error == ECONNREFUSED || error == EIO;
}

/* Between two tries: 1 ms, 2, 4, ... */
static void back_off(unsigned attempt)
{
	const struct timespec wait = {.tv_nsec = 1000000L << attempt};
	nanosleep(&wait, NULL);
}

/* What one try of a transaction does. Returns 0, or an errno: then the transaction is dropped. */
typedef int transaction_fn(struct xs_handle *xs, xs_transaction_t t, void *arg);

static int try_once(struct xs_handle *xs, transaction_fn *body, void *arg)
{
	const xs_transaction_t t = xs_transaction_start(xs);
	if (t == XBT_NULL) {
		return errno != 0 ? errno : EIO;
	}
	const int error = body(xs, t, arg);
	if (!xs_transaction_end(xs, t, error != 0) && error == 0) {
		return errno != 0 ? errno : EIO;
	}
	return error;
}

static int transaction(struct xs_handle *xs, transaction_fn *body, void *arg)
{
	int error = EAGAIN;
	for (unsigned i = 0; i < XEN_TRIES && error == EAGAIN; i++) {
		if (i > 0) {
			back_off(i - 1);
		}
		error = try_once(xs, body, arg);
	}
	return error;
}

/* Reads one node; not there is no error. value->text is to be freed. Returns 0, or an errno. */
static int node_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
		     struct xen_value *value)
{
	unsigned length = 0;
	char *text = xs_read(xs, t, path, &length);
	if (text == NULL && errno != ENOENT) {
		return errno != 0 ? errno : EIO;
	}
	*value = (struct xen_value){.text = text, .length = length};
	return 0;
}

static void value_free(struct xen_value *value)
{
	free((void *)(uintptr_t)value->text);
	value->text = NULL;
}

struct read_job {
	uint32_t domid;
	struct xen_store_domain *out;
};

/* Reads a number of KiB, or the like; what is not there or makes no sense counts as 0. */
static int number_read(struct xs_handle *xs, xs_transaction_t t, uint32_t domid, const char *node,
		       uint64_t most, uint64_t *out)
{
	char path[PATH_MAX_BYTES];
	struct xen_value value;
	path_of(path, domid, node);
	const int error = node_read(xs, t, path, &value);
	if (error == 0) {
		*out = 0;
		(void)xen_parse_number(value, 1, most, out);
		value_free(&value);
	}
	return error;
}

static int toolstack_nodes(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct read_job *job = arg;
	struct xen_store_domain *d = job->out;
	char path[PATH_MAX_BYTES];
	struct xen_value value;
	path_of(path, job->domid, "name");
	int error = node_read(xs, t, path, &value);
	if (error != 0) {
		return error;
	}
	if (!xen_parse_name(value, d->name)) {
		d->name[0] = '\0';
	}
	value_free(&value);
	path_of(path, job->domid, "memory/poise/offset");
	error = node_read(xs, t, path, &value);
	if (error != 0) {
		return error;
	}
	d->has_offset = xen_parse_offset(value, XEN_OFFSET_MAX, &d->offset_pages);
	value_free(&value);
	error = number_read(xs, t, job->domid, "memory/static-max", XEN_KIB_MAX,
			    &d->static_max_kib);
	if (error == 0) {
		error = number_read(xs, t, job->domid, "memory/target", XEN_KIB_MAX,
				    &d->target_kib);
	}
	return error != 0 ? error
			  : number_read(xs, t, job->domid, "memory/poise/target", XEN_KIB_MAX,
					&d->own_kib);
}

static int guest_nodes(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct read_job *job = arg;
	struct xen_store_domain *d = job->out;
	struct xen_value value[XEN_NODE_COUNT] = {{NULL, 0}};
	int error = 0;
	for (size_t i = 0; i < XEN_NODE_COUNT && error == 0; i++) {
		char path[PATH_MAX_BYTES];
		snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/data/poise/%s", job->domid,
			 xen_announce_names[i]);
		error = node_read(xs, t, path, &value[i]);
	}
	if (error == 0) {
		d->announce_error = xen_parse_announce(value, &d->announce, &d->silent);
		d->has_announce = d->announce_error == NULL;
	}
	for (size_t i = 0; i < XEN_NODE_COUNT; i++) {
		value_free(&value[i]);
	}
	return error;
}

int xen_nodes_read(struct xs_handle *xs, uint32_t domid, struct xen_store_domain *out)
{
	struct xen_store_domain fresh = *out;
	struct read_job job = {.domid = domid, .out = &fresh};
	errno = 0;
	fresh.introduced = xs_is_domain_introduced(xs, domid);
	int error = transaction(xs, toolstack_nodes, &job);
	if (error != 0) {
		return error;
	}
	*out = fresh;
	error = transaction(xs, guest_nodes, &job);
	if (error == 0) {
		*out = fresh;
	}
	return error;
}

struct target_job {
	uint32_t domid;
	uint64_t target_kib;
	int64_t offset_pages;
	bool held;
};

static int node_write(struct xs_handle *xs, xs_transaction_t t, uint32_t domid, const char *node,
		      const char *text)
{
	char path[PATH_MAX_BYTES];
	path_of(path, domid, node);
	if (!xs_write(xs, t, path, text, (unsigned)strlen(text))) {
		return errno != 0 ? errno : EIO;
	}
	return 0;
}

static int target_nodes(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct target_job *job = arg;
	uint64_t target = 0, own = 0;
	char text[24];
	int error = number_read(xs, t, job->domid, "memory/poise/target", XEN_KIB_MAX, &own);
	if (error == 0) {
		error = number_read(xs, t, job->domid, "memory/target", XEN_KIB_MAX, &target);
	}
	if (error != 0) {
		return error;
	}
	if (target == 0) {
		return ENOENT; /* The domain is going, or somebody has put garbage there. */
	}
	job->held = own != 0 && own != target;
	if (job->held) {
		return 0;
	}
	snprintf(text, sizeof(text), "%" PRId64, job->offset_pages);
	error = node_write(xs, t, job->domid, "memory/poise/offset", text);
	snprintf(text, sizeof(text), "%" PRIu64, job->target_kib);
	if (error == 0) {
		error = node_write(xs, t, job->domid, "memory/poise/target", text);
	}
	/* The guest watches this one. */
	return error != 0 ? error : node_write(xs, t, job->domid, "memory/target", text);
}

int xen_nodes_target(struct xs_handle *xs, uint32_t domid, uint64_t target_kib,
		     int64_t offset_pages, bool *held)
{
	struct target_job job = {
		.domid = domid, .target_kib = target_kib, .offset_pages = offset_pages};
	errno = 0;
	const int error = transaction(xs, target_nodes, &job);
	*held = job.held;
	return error;
}

int xen_nodes_watch(struct xs_handle *xs, uint32_t domid, const char *token)
{
	for (size_t i = 0; i < WATCHED; i++) {
		char path[PATH_MAX_BYTES];
		path_of(path, domid, watched[i]);
		if (!xs_watch(xs, path, token) && errno != EEXIST) {
			return errno != 0 ? errno : EIO;
		}
	}
	return 0;
}

void xen_nodes_unwatch(struct xs_handle *xs, uint32_t domid, const char *token)
{
	for (size_t i = 0; i < WATCHED; i++) {
		char path[PATH_MAX_BYTES];
		path_of(path, domid, watched[i]);
		/* It may never have been set, or be gone with the domain. */
		(void)xs_unwatch(xs, path, token);
	}
}
