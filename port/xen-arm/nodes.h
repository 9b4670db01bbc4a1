/* SPDX-License-Identifier: MIT */
/*
 * The conversations with xenstored: each function is one question, with all its transactions, tries
 * and ends. Blocking; for the store's thread only.
 */
#ifndef XEN_NODES_H
#define XEN_NODES_H

#include <xenstore.h>

#include "store.h"

/* How often a transaction is tried that xenstored answers with EAGAIN, before the next time. */
#define XEN_TRIES 5

/*
 * Reads all of a domain's nodes that matter. What the toolstack writes and what the guest writes
 * are two transactions, so that a guest which never stops writing spoils its own only; then
 * `announce` and what belongs to it keep their old values in *out.
 * Returns 0, or an errno; *out is changed only as far as it could be read.
 */
int xen_nodes_read(struct xs_handle *xs, uint32_t domid, struct xen_store_domain *out);

/*
 * Writes memory/target, poise/target and poise/offset in one transaction, unless memory/target is
 * not what poise/target says: then somebody else has set it, and *held becomes true. `held` false
 * and 0: written. Returns 0, or an errno.
 */
int xen_nodes_target(struct xs_handle *xs, uint32_t domid, uint64_t target_kib,
		     int64_t offset_pages, bool *held);

/* Sets or removes a domain's watches; `token` comes back with each event. Returns 0, or an errno.
 */
int xen_nodes_watch(struct xs_handle *xs, uint32_t domid, const char *token);
void xen_nodes_unwatch(struct xs_handle *xs, uint32_t domid, const char *token);

/* Whether an errno says that the connection is lost, and not that a request was refused. */
bool xen_nodes_lost(int error);

#endif
