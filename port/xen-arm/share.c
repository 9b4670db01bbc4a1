/* SPDX-License-Identifier: MIT */
/*
 * Grants and event channels. Every number here comes from a guest and has been through parse.c;
 * Xen itself checks that the references are the guest's own and meant for us.
 */
#include <sys/mman.h>

#include "share.h"

/* A doorbell stays masked for so long after a ring: a guest that rings without end wakes the daemon
 * a hundred times a second, not a million. */
#define BELL_GAP_US 10000

static void rang(evutil_socket_t fd, short what, void *arg)
{
	struct xen_share *share = arg;
	(void)fd, (void)what;
	const xenevtchn_port_or_error_t port = xenevtchn_pending(share->events);
	if (port < 0) {
		return; /* Nothing, or interrupted: the file says so again. */
	}
	for (uint32_t vm = 0; vm < POISE_VM_MAX; vm++) {
		struct xen_shared *shared = share->bell[vm];
		if (shared != NULL && shared->port == (uint32_t)port) {
			const struct timeval gap = {.tv_usec = BELL_GAP_US};
			evtimer_add(shared->quiet, &gap);
			share->rung(share->ctx, vm);
			return;
		}
	}
	/* A port that has been given back meanwhile stays masked. */
}

static void gap_over(evutil_socket_t fd, short what, void *arg)
{
	const struct xen_shared *shared = arg;
	(void)fd, (void)what;
	if (shared->port != 0) {
		(void)xenevtchn_unmask(shared->share->events, shared->port);
	}
}

const char *xen_share_open(struct xen_share *share, xentoollog_logger *logger,
			   struct event_base *base, void (*rung)(void *ctx, uint32_t vm), void *ctx)
{
	*share = (struct xen_share){.base = base, .rung = rung, .ctx = ctx};
	share->grants = xengnttab_open(logger, 0);
	if (share->grants == NULL) {
		return "cannot open /dev/xen/gntdev: is the module xen_gntdev loaded?";
	}
	share->events = xenevtchn_open(logger, 0);
	if (share->events == NULL) {
		return "cannot open /dev/xen/evtchn: is the module xen_evtchn loaded?";
	}
	share->event =
		event_new(base, xenevtchn_fd(share->events), EV_READ | EV_PERSIST, rang, share);
	return share->event != NULL && event_add(share->event, NULL) == 0 ? NULL : "no memory";
}

void xen_share_close(struct xen_share *share)
{
	if (share->event != NULL) {
		event_free(share->event);
	}
	if (share->events != NULL) {
		xenevtchn_close(share->events);
	}
	if (share->grants != NULL) {
		xengnttab_close(share->grants);
	}
	*share = (struct xen_share){0};
}

static bool bind_bell(struct xen_share *share, struct xen_shared *shared, uint32_t domid,
		      uint32_t port)
{
	shared->quiet = evtimer_new(share->base, gap_over, shared);
	if (shared->quiet == NULL) {
		return false;
	}
	const xenevtchn_port_or_error_t ours =
		xenevtchn_bind_interdomain(share->events, domid, port);
	if (ours <= 0) {
		return false;
	}
	shared->port = (uint32_t)ours;
	share->bell[shared->vm] = shared;
	return true;
}

const char *xen_share_map(struct xen_share *share, struct xen_shared *shared, uint32_t vm,
			  uint32_t domid, const struct xen_announce *announce, bool *no_bell)
{
	*shared = (struct xen_shared){.share = share, .vm = vm};
	const void *guest =
		xengnttab_map_grant_ref(share->grants, domid, announce->guest_ref, PROT_READ);
	if (guest == NULL) {
		return "the guest page's grant cannot be mapped";
	}
	void *host = xengnttab_map_grant_ref(share->grants, domid, announce->host_ref,
					     PROT_READ | PROT_WRITE);
	shared->guest = guest;
	if (host == NULL) {
		xen_share_unmap(share, shared);
		return "the host page's grant cannot be mapped";
	}
	shared->host = host;
	shared->generation = announce->generation;
	*no_bell = !bind_bell(share, shared, domid, announce->port);
	return NULL;
}

void xen_share_unmap(struct xen_share *share, struct xen_shared *shared)
{
	if (shared->port != 0) {
		share->bell[shared->vm] = NULL;
		(void)xenevtchn_unbind(share->events, shared->port);
	}
	if (shared->quiet != NULL) {
		event_free(shared->quiet);
	}
	if (shared->guest != NULL) {
		(void)xengnttab_unmap(share->grants, (void *)(uintptr_t)shared->guest, 1);
	}
	if (shared->host != NULL) {
		(void)xengnttab_unmap(share->grants, shared->host, 1);
	}
	*shared = (struct xen_shared){0};
}
