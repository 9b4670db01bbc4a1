/* SPDX-License-Identifier: MIT */
/*
 * What Xen itself says and does, by libxenctrl: domains, their page counts and limits, free memory.
 * Hypercalls: short, never waiting for a guest, and their answers are trusted.
 */
#ifndef XEN_HYPER_H
#define XEN_HYPER_H

#include <stdbool.h>
#include <stdint.h>
#include <xentoollog.h>

/* Bytes of a domain's UUID. */
#define XEN_HANDLE_BYTES 16

struct xen_hyper; /* a connection with Xen */

struct xen_info {
	uint32_t domid;
	uint8_t handle[XEN_HANDLE_BYTES]; /* its UUID: a domid is used again one day, this is not */
	uint64_t pages;                   /* it has now: tot_pages */
	uint64_t max_pages;               /* Xen gives it no more than that */
	bool dying;   /* being destroyed; its pages come free one after the other */
	bool stopped; /* has shut down or crashed, and is still there */
	bool paused;
	bool ran; /* has had the CPU: whoever builds it is done */
};

/* Connects. Returns NULL if this is no dom0. */
struct xen_hyper *xen_hyper_open(xentoollog_logger *logger);
void xen_hyper_close(struct xen_hyper *xc); /* NULL is allowed */

/* Lists domains from `first` on, in order. Returns how many (0: no more), or -1. */
int xen_hyper_list(struct xen_hyper *xc, uint32_t first, struct xen_info *info, unsigned count);

/* Asks for one domain. Returns false if it is not there, or not the one with `handle`. */
bool xen_hyper_get(struct xen_hyper *xc, uint32_t domid, const uint8_t handle[XEN_HANDLE_BYTES],
		   struct xen_info *info);

/* Sets the most that a domain can have. Returns false if Xen refuses. */
bool xen_hyper_limit(struct xen_hyper *xc, uint32_t domid, uint64_t pages);

/*
 * Reads what Xen has free for domains. Pages that wait to be scrubbed are part of Xen's free pages
 * since 4.10, before that they could not be had yet: `scrub_pages` is never added. Pages that are
 * promised to a domain being built are not free. Returns false if Xen does not say.
 */
bool xen_hyper_free(struct xen_hyper *xc, uint64_t *pages);

#endif
