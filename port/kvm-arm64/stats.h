/* SPDX-License-Identifier: MIT */
/*
 * Statistics of a guest without our driver: what virtio-balloon's driver told QEMU, put into a page
 * as the guest's own driver would, so that it goes the one way into the core. Pure but for the
 * page.
 */
#ifndef KVM_STATS_H
#define KVM_STATS_H

#include <jansson.h>
#include <stdalign.h>
#include <stdbool.h>

#include "publish.h"

struct stats {
	alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page page;
	struct poise_host_page host; /* nobody writes to it; gd_init wants one */
	struct gd gd;
	uint64_t last_update; /* of the numbers that are in the page, seconds */
	uint64_t ram_pages;   /* 0: not started */
	uint32_t features;
};

/* Starts anew: `boot_id` not 0 and new for each boot, `ram_pages` what the guest booted with. */
void stats_start(struct stats *stats, uint64_t boot_id, uint64_t ram_pages);
void stats_stop(struct stats *stats);

/*
 * Takes the answer to qom-get guest-stats. `actual_pages`: the VM's size, balloon taken off, at the
 * same time. `now_ms`: host's time. Returns NULL when the page holds something new, or why it does
 * not: nothing new, no driver that tells, or numbers that cannot be.
 */
const char *stats_take(struct stats *stats, const json_t *answer, uint64_t actual_pages,
		       uint64_t now_ms);

/* The page, if it has ever held something. */
const struct poise_guest_page *stats_page(const struct stats *stats);

#endif
