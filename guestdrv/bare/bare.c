/* SPDX-License-Identifier: MIT */
/* The glue of bare.h: two static pages and three hypercalls of board/hvc.h. */
#include "bare.h"

#include "../../board/guest/hvc_call.h"

static struct poise_guest_page guest_page __attribute__((aligned(POISE_ABI_PAGE_BYTES)));
static struct poise_host_page host_page __attribute__((aligned(POISE_ABI_PAGE_BYTES)));

bool gd_bare_attach(struct gd_bare *bare, uint64_t boot_id, uint64_t total_pages, uint32_t features)
{
	*bare = (struct gd_bare){.interval_ms = GD_INTERVAL_MS};
	if (hvc_call(HVC_VERSION, 0, 0, 0).status != HVC_ABI_VERSION ||
	    (hvc_call(HVC_FEATURES, 0, 0, 0).status & HVC_FEATURE_POISE) == 0 ||
	    gd_init(&bare->gd, &guest_page, &host_page, boot_id, total_pages, features) != 0) {
		return false;
	}
	/* Linked at their IPAs. Both were zeroed at start, so they are populated, as they have to
	 * be. */
	bare->attached =
		hvc_call(HVC_PAGES, (uintptr_t)&guest_page, (uintptr_t)&host_page, 0).status ==
		HVC_OK;
	return bare->attached;
}

void gd_bare_publish(struct gd_bare *bare, const struct poise_abi_guest *counters)
{
	if (bare->attached) {
		gd_publish(&bare->gd, counters);
	}
}

bool gd_bare_may_ring(const struct gd_bare *bare, uint64_t now_ms)
{
	return bare->attached &&
	       (bare->gd.urgent_rung == 0 || now_ms - bare->gd.urgent_ms >= GD_BARE_URGENT_GAP_MS);
}

void gd_bare_urgent(struct gd_bare *bare, uint64_t now_ms)
{
	if (bare->attached && gd_urgent(&bare->gd, now_ms, GD_BARE_URGENT_GAP_MS) != 0) {
		hvc_call(HVC_URGENT, 0, 0, 0);
	}
}

bool gd_bare_host(struct gd_bare *bare, struct gd_host *host)
{
	if (!bare->attached || gd_host_read(&bare->gd, host) != 1) {
		return false;
	}
	bare->interval_ms = host->interval_ms;
	return true;
}

volatile uint32_t *gd_bare_words(void)
{
	return (volatile uint32_t *)&guest_page;
}
