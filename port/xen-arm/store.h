/* SPDX-License-Identifier: MIT */
/*
 * xenstore, as the backend needs it: what is known of each domain, and the one thing that is
 * written, its balloon's target. libxenstore waits for an answer in every call, and xenstored may
 * give none; so all of them are made by one thread of the store's own, and the daemon's loop only
 * leaves requests and picks up results. All memory is here, of fixed size: a guest that writes
 * without end makes one note after the other to the same place.
 *
 * Functions here are for the daemon's thread, and none of them blocks.
 */
#ifndef XEN_STORE_H
#define XEN_STORE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "parse.h"

#define XEN_DOMAINS_MAX 128

/* How much a domain's page count may differ from its target without moving, either way: 16 MiB. */
#define XEN_OFFSET_MAX 4096

/* Kept below a domain's memory/, which only the toolstack's domain may write:
 * poise/target: the target that poised wrote last, in the same transaction as target itself;
 * poise/offset: pages that the domain has beyond its target, as found when it was first seen. */
struct xen_store_domain {
	bool introduced;         /* xenstored knows it: the toolstack has built it */
	bool has_offset;         /* offset is there */
	bool has_announce;       /* announce holds */
	bool silent;             /* nothing is announced: no driver */
	char name[XEN_NAME_MAX]; /* "" when there is none, or a malformed one */
	uint64_t static_max_kib; /* 0: not there, or malformed */
	uint64_t target_kib;     /* likewise */
	uint64_t own_kib;        /* what poised wrote last; 0: nothing yet */
	int64_t offset_pages;
	struct xen_announce announce;
	const char *announce_error; /* a constant text, or NULL */
};

enum xen_store_write {
	XEN_WRITE_NONE, /* none has been asked for */
	XEN_WRITE_PENDING,
	XEN_WRITE_DONE,
	XEN_WRITE_HELD,  /* somebody else has set the target since: it was left as it is */
	XEN_WRITE_FAILED /* may be asked for again; `write_error` is an errno */
};

/* One domain, as the daemon's thread sees it: a copy. */
struct xen_store_result {
	bool known;     /* it has been read at least once */
	uint64_t reads; /* how often; a new number means a new `domain` */
	struct xen_store_domain domain;
	enum xen_store_write write;
	int write_error;
};

struct xen_store;

/*
 * Starts the thread. `changed` is called in the daemon's loop when there is something to pick up;
 * `rescan` says that domains have come or gone. Returns NULL for no memory or no thread. That
 * xenstored cannot be reached is no error: it is tried again, once a second.
 */
struct xen_store *xen_store_start(struct event_base *base, void (*changed)(void *ctx, bool rescan),
				  void *ctx);

/* Ends the thread, and waits a second at most for it. NULL is allowed. */
void xen_store_stop(struct xen_store *store);

/* Watches and reads a domain from now on, or forgets it. Returns false if there are too many. */
bool xen_store_add(struct xen_store *store, uint32_t domid);
void xen_store_remove(struct xen_store *store, uint32_t domid);

/*
 * Sets a domain's target, unless somebody else has set it since poised did; the last call counts.
 * `offset_pages` is remembered with it. Returns false if the domain has not been added or the store
 * cannot be reached: then nothing will be written.
 */
bool xen_store_target(struct xen_store *store, uint32_t domid, uint64_t target_kib,
		      int64_t offset_pages);

/* Copies what is known of a domain. Returns false if it has not been added. */
bool xen_store_get(struct xen_store *store, uint32_t domid, struct xen_store_result *out);

/* Why xenstored does not answer, or NULL if it does. */
const char *xen_store_trouble(struct xen_store *store);

#endif
