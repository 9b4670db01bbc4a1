/* SPDX-License-Identifier: MIT */
/* The glue of bare.h: two static pages, and the two calls of the guest's own. */
#include "bare.h"

static struct poise_guest_page guest_page __attribute__((aligned(POISE_ABI_PAGE_BYTES)));
static struct poise_host_page host_page __attribute__((aligned(POISE_ABI_PAGE_BYTES)));

bool gd_bare_attach(struct gd_bare *bare, const struct gd_bare_calls *calls, uint64_t boot_id,
		    uint64_t total_pages, uint32_t features)
{
	*bare = (struct gd_bare){.calls = calls, .interval_ms = GD_INTERVAL_MS};
	/* Both pages were zeroed at start, so they are populated, as they have to be. */
	bare->attached =
		gd_init(&bare->gd, &guest_page, &host_page, boot_id, total_pages, features) == 0 &&
		calls->share(&guest_page, &host_page);
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
		bare->calls->ring();
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
