/* SPDX-License-Identifier: MIT */
/*
 * Guest driver, the glue for bare-metal guests: owns the two shared pages, and says when they are
 * registered and when the doorbell rings. How a guest calls its hypervisor is the guest's concern;
 * board/guest/main.c has an example. Everything else is publish.c's.
 */
#ifndef GUESTDRV_BARE_H
#define GUESTDRV_BARE_H

#include <stdbool.h>
#include <stdint.h>

#include "../publish.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Least time between two doorbells: the host answers none faster than it can move memory. */
#define GD_BARE_URGENT_GAP_MS 20u

/* How the guest reaches its hypervisor. */
struct gd_bare_calls {
	/*
	 * Registers the two pages, by address as the guest sees them. Returns false when there is
	 * no Poise, or it refuses.
	 */
	bool (*share)(const volatile void *guest_page, const volatile void *host_page);
	/* Rings the doorbell: the guest page's urgent word was raised. */
	void (*ring)(void);
};

struct gd_bare {
	struct gd gd;
	const struct gd_bare_calls *calls;
	/* How often the host wants to be told. */
	uint64_t interval_ms;
	bool attached;
};

/*
 * Registers the pages with the hypervisor, if it has Poise. `calls` stays the caller's; `boot_id`,
 * `total_pages`, `features` as for gd_init. Returns false when there is no Poise or it refuses; the
 * guest goes on without. Context: MMU and caches on.
 */
bool gd_bare_attach(struct gd_bare *bare, const struct gd_bare_calls *calls, uint64_t boot_id,
		    uint64_t total_pages, uint32_t features);

/* Publishes one update. Context: interrupts masked. Does nothing when not attached. */
void gd_bare_publish(struct gd_bare *bare, const struct poise_abi_guest *counters);

/* Returns whether a doorbell would be rung now. Context: interrupts masked. */
bool gd_bare_may_ring(const struct gd_bare *bare, uint64_t now_ms);

/* Raises urgent and rings, unless the last time is too short ago. Context: interrupts masked. */
void gd_bare_urgent(struct gd_bare *bare, uint64_t now_ms);

/* Reads the host's page. Returns true when `host` was filled with something new. */
bool gd_bare_host(struct gd_bare *bare, struct gd_host *host);

/* Returns our page as raw memory, for tests that misbehave. */
volatile uint32_t *gd_bare_words(void);

#ifdef __cplusplus
}
#endif

#endif
