/* SPDX-License-Identifier: MIT */
/*
 * Guest driver, the portable part: publishes a guest's memory counters to its page and reads the
 * host's.
 *
 * Freestanding, no allocation, no state but struct gd. The glue around it (guestdrv/bare,
 * guestdrv/linux) finds the two pages, collects the counters and owns the timer and the doorbell.
 * One context at a time may call gd_publish, not preempted by another publisher of the same page
 * (Linux: preemption off; bare metal: interrupts masked). The pages must be Normal Write-Back
 * Cacheable, Inner Shareable memory in the guest: MMU and data cache on.
 */
#ifndef GUESTDRV_PUBLISH_H
#define GUESTDRV_PUBLISH_H

#include "poise_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GD_INTERVAL_MIN_MS 100u
#define GD_INTERVAL_MAX_MS 60000u
#define GD_INTERVAL_MS     1000u /* until the host says otherwise */

/* What the host asks for, checked. */
struct gd_host {
	uint64_t interval_ms;  /* GD_INTERVAL_MIN_MS..GD_INTERVAL_MAX_MS */
	uint64_t target_pages; /* 1..total_pages */
	uint64_t epoch;        /* quote it when the target has been worked on */
	uint32_t state;        /* POISE_HOST_STATE_* */
	uint32_t features;     /* POISE_HF_*: the known ones of those the host declares */
};

struct gd {
	struct poise_guest_page *page;      /* ours: only written */
	const struct poise_host_page *host; /* theirs: only read */
	uint64_t boot_id;
	uint64_t sample;         /* number of the last update */
	uint64_t total_pages;    /* constant since gd_init */
	uint64_t host_update;    /* number of the host's last update that was taken */
	uint64_t urgent_ms;      /* when the last doorbell was rung */
	uint64_t bad_host_pages; /* how often the host's page made no sense */
	uint32_t features;
	uint32_t seq;         /* private copy: the page is never read back */
	uint32_t urgent;      /* likewise */
	uint32_t urgent_rung; /* 1 after the first doorbell */
};

/*
 * Prepares a driver; writes nothing yet.
 * `page` and `host`: 4096-aligned, mapped for the life of `gd`. `boot_id`: not 0, different for
 * each boot. `total_pages`: memory at boot, balloon included, >= 1. `features`: POISE_GF_* for what
 * will be filled in. Returns 0, or -1 for a null pointer, misaligned page, zero boot_id or zero
 * total.
 */
int gd_init(struct gd *gd, struct poise_guest_page *page, const struct poise_host_page *host,
	    uint64_t boot_id, uint64_t total_pages, uint32_t features);

/*
 * Publishes one update. `counters` is the body of the guest page; its `sample` and `total_pages`
 * are ignored: the driver fills them in itself. Fields without their feature bit are ignored by the
 * host. Context: the only publisher, not preempted by another.
 */
void gd_publish(struct gd *gd, const struct poise_abi_guest *counters);

/*
 * Raises the urgent word, to be called after gd_publish so that the host finds fresh numbers.
 * `now_ms`: guest's monotonic time. `gap_ms`: least time between two doorbells.
 * Returns 1 when the doorbell is to be rung now, 0 when the last one is less than gap_ms ago
 * (nothing was raised then). Context: the publisher's.
 */
int gd_urgent(struct gd *gd, uint64_t now_ms, uint64_t gap_ms);

/*
 * Reads the host's page with the same suspicion that the host has for ours.
 * Returns 1 and fills `out` when there is a new valid update, 0 when there is none, -1 when the
 * page made no sense (counted, `out` untouched, the last values stay in force). Context: any, one
 * at a time.
 */
int gd_host_read(struct gd *gd, struct gd_host *out);

#ifdef __cplusplus
}
#endif

#endif
