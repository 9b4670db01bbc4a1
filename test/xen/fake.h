/* SPDX-License-Identifier: MIT */
/*
 * A small Xen, in place of the libraries: domains with pages and limits, xenstore with transactions
 * and watches, grants, event channels. The backend is linked with it instead of libxenstore,
 * libxenctrl, libxengnttab and libxenevtchn, so that each of their calls can be made to fail.
 *
 * xenstore's calls come from the store's thread: everything is under one lock.
 */
#ifndef TEST_XEN_FAKE_H
#define TEST_XEN_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "poise_abi.h"

/* Faults, to be set by fake_fault; -1: for ever. */
enum fake_fault {
	FAKE_COMMIT_EAGAIN, /* so many commits are answered by EAGAIN */
	FAKE_READ_ERRNO,    /* each read fails with this errno, 0: none */
	FAKE_WRITE_ERRNO,   /* likewise */
	FAKE_CONNECT_ERRNO, /* xs_open */
	FAKE_HANG,          /* every call waits until this is 0 again */
	FAKE_LIMIT_FAILS,   /* xc_domain_setmaxmem */
	FAKE_LIST_FAILS,    /* xc_domain_getinfolist */
	FAKE_MAP_FAILS,     /* so many grants cannot be mapped */
	FAKE_BIND_FAILS,    /* event channels */
	FAKE_FAULTS
};

struct fake_free {
	uint64_t free_pages, scrub_pages, outstanding_pages;
};

/* An empty machine without faults. */
void fake_reset(void);
void fake_fault(enum fake_fault which, int value);

/*
 * A domain that has been built by xl and runs: `pages` beyond which `extra` are not balloon, target
 * and limit as libxl leaves them.
 */
void fake_domain(uint32_t domid, const char *name, uint64_t pages, uint64_t extra);
/* The same, not yet introduced, and without a target: being built. */
void fake_domain_building(uint32_t domid, const char *name, uint64_t limit);
void fake_domain_gone(uint32_t domid);
/* Flags: XEN_DOMINF_*. */
void fake_domain_flags(uint32_t domid, uint32_t flags);
void fake_domain_ran(uint32_t domid);
/* The balloon moves by at most `step` pages towards the target, within the limit. */
void fake_domain_balloon(uint32_t domid, uint64_t step);
/* Its kernel takes all that Xen lets it have. */
void fake_domain_greedy(uint32_t domid);
uint64_t fake_domain_pages(uint32_t domid);
uint64_t fake_domain_limit(uint32_t domid);
void fake_domain_set(uint32_t domid, uint64_t pages, uint64_t limit);
void fake_free_memory(const struct fake_free *memory);

/* A guest's driver: two pages, announced. Returns the guest page. */
struct poise_guest_page *fake_announce(uint32_t domid, unsigned ref, const char *generation);
void fake_ring(uint32_t port); /* the remote port of an announcement: ref + 100 */
unsigned fake_mapped(void);    /* grants that are mapped now */

/* xenstore: NULL removes a node and those below it. Watches fire. */
void fake_node(const char *path, const char *text);
void fake_node_bytes(const char *path, const void *bytes, size_t length);
/* Copies a node's text; "" if it is not there. */
const char *fake_read(const char *path, char out[64]);
/* xenstored ends: connections break; a new one has all nodes. */
void fake_store_breaks(void);
unsigned fake_commits(void); /* transactions that have written, and been committed */
unsigned fake_refused(void); /* commits that FAKE_COMMIT_EAGAIN has answered */
unsigned fake_reads(void);

#endif
