/* SPDX-License-Identifier: MIT */
/*
 * Working sets from dirty pages: what a VMM knows of a guest that has no driver.
 *
 * A guest with guestdrv tells its own counters through its page. For one without, the VMM keeps a
 * page of its own in that guest's place and publishes there what the dirty log says, with the very
 * publisher that guests use; the core reads that page by poise_poll as it reads any other, so that
 * there is one way in and one set of checks:
 *
 *	kvm_dirty_read -> kvm_ws_step -> kvm_ws_publish -> ws.page -> poise_poll -> poise_sample ->
 *	poise_forecast
 *
 * In that page the working set stands as active anonymous memory and the rest of the VM's size as
 * free, so that equation (1) follows the working set and equation (3) gives the rest away. No
 * feature bit is set: what the log cannot tell counts as zero.
 *
 * What it cannot see: pages that are only read; a need beyond the memory that the VM has (all of it
 * is written, then, and the headroom makes it grow from interval to interval).
 */
#ifndef KVM_WORKING_SET_H
#define KVM_WORKING_SET_H

#include <stdint.h>

#include "publish.h"

#define KVM_WS_WINDOW_MAX 60u

struct kvm_ws_config {
	/*
	 * The largest of so many intervals is the working set: it rises at once and falls when they
	 * have all been quieter. 1..KVM_WS_WINDOW_MAX; 0: 4. Larger: calmer, and slower to give
	 * back.
	 */
	uint32_t window;
	/* Added to what was seen, for what is only read: 0..10000. The simulator's policy `dirty`
	 * has 250. */
	uint32_t headroom_permille;
};

struct kvm_ws {
	struct poise_guest_page page; /* give this one to poise_poll; first: it has to be aligned */
	struct gd gd;
	struct kvm_ws_config config;
	uint32_t steps;                   /* so far, at most `window` of them count */
	uint32_t next;                    /* entry of `seen` for the next step */
	uint64_t seen[KVM_WS_WINDOW_MAX]; /* pages written in each of the last intervals */
} __attribute__((aligned(POISE_ABI_PAGE_BYTES)));

/*
 * Prepares an estimator. `total_pages`: as the VM has started, balloon included, 1 or more.
 * `boot_id`: a new one for each start of the VM, not 0. `host`: the VM's host page, which is the
 * VMM's own; 4096-aligned. Returns 0; -1 for a value out of range.
 */
int kvm_ws_init(struct kvm_ws *ws, const struct kvm_ws_config *config, uint64_t boot_id,
		uint64_t total_pages, const struct poise_host_page *host);

/* Takes one interval's dirty pages (4 KiB). Returns the working set without headroom. */
uint64_t kvm_ws_step(struct kvm_ws *ws, uint64_t dirty_pages);

/* Returns the working set with its headroom, rounded up, at most `size_pages`. */
uint64_t kvm_ws_pages(const struct kvm_ws *ws, uint64_t size_pages);

/*
 * Publishes the working set in ws->page. `balloon_pages`: by the VMM's own count, less than the
 * total. `now_ms`: monotonic. Returns 0; -1 for a balloon that is too large: nothing published.
 */
int kvm_ws_publish(struct kvm_ws *ws, uint64_t now_ms, uint64_t balloon_pages);

#endif
