/* SPDX-License-Identifier: MIT */
/*
 * The two pages that a guest grants, and its doorbell: libxengnttab and libxenevtchn. A mapped
 * frame stays as it is for as long as it is mapped, whatever the guest does: Xen holds it. So a
 * guest cannot take a page away under the reader; but a domain that has died stays a zombie until
 * its pages have been unmapped.
 */
#ifndef XEN_SHARE_H
#define XEN_SHARE_H

#include <event2/event.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xentoollog.h>

#include "poise_abi.h"
#include "poise_config.h"
#include "parse.h"

struct xen_shared;

/* Handles of both libraries, one of each for all domains. */
struct xen_share {
	xengnttab_handle *grants;
	xenevtchn_handle *events;
	struct event *event;
	struct event_base *base;
	void (*rung)(void *ctx, uint32_t vm);
	void *ctx;
	struct xen_shared *bell[POISE_VM_MAX]; /* those that have one */
};

/* One domain's. All zero: nothing is mapped. */
struct xen_shared {
	const struct poise_guest_page *guest;
	struct poise_host_page *host;
	uint64_t generation; /* of the announcement that these are */
	struct xen_share *share;
	struct event *quiet; /* until then the doorbell stays masked */
	uint32_t vm;
	uint32_t port; /* ours, bound to the guest's; 0: none */
};

/* Opens both devices. `rung`: the doorbell of a VM. Returns NULL, or what is missing. */
const char *xen_share_open(struct xen_share *share, xentoollog_logger *logger,
			   struct event_base *base, void (*rung)(void *ctx, uint32_t vm),
			   void *ctx);
void xen_share_close(struct xen_share *share);

/*
 * Maps what a guest announces. Returns NULL, or what could not be had, and then nothing is mapped;
 * but a doorbell that cannot be bound is no reason to do without the pages: *no_bell.
 */
const char *xen_share_map(struct xen_share *share, struct xen_shared *shared, uint32_t vm,
			  uint32_t domid, const struct xen_announce *announce, bool *no_bell);
/* Takes everything back; harmless when nothing is mapped. */
void xen_share_unmap(struct xen_share *share, struct xen_shared *shared);

#endif
