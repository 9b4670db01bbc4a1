/* SPDX-License-Identifier: MIT */
/*
 * The port: what a hypervisor has to supply. One const struct of four functions, context first.
 *
 * The core calls them from within its own calls, on the caller's stack, never one from within
 * another: `event` from each, `measure` from poise_tick and poise_urgent, `resize` and `notify`
 * from these, from poise_ack and from whatever else may free or claim memory: VMs added, removed or
 * restarted, another size of the pool, a report of a guest that has rebooted. They may not call
 * back into the same `struct poise` (that answers POISE_E_STATE). They should not block: the other
 * VMs wait meanwhile. A port holds no policy; what is measured is trusted, what a guest says is
 * not.
 */
#ifndef POISE_PORT_H
#define POISE_PORT_H

#include <stdint.h>

#include "poise_err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct poise_event;

/* What the guest is to be told; poise_host_page_write puts it into the host page. */
struct poise_notice {
	uint64_t boot_id; /* from the VM's last sample, 0 before the first */
	uint64_t interval_ms;
	uint64_t target_pages; /* never 0 */
	uint64_t epoch;
	uint32_t state; /* POISE_HOST_STATE_* */
};

struct poise_port {
	/*
	 * Asks for a VM's size to become `target_pages` (at least 1; above its limit only on the
	 * way down from there; absolute, so that a repeated call is harmless). Returns POISE_OK
	 * when the request is under way; the answer comes through poise_ack with the same epoch,
	 * whenever it is there, also in parts. Any error means that nothing was asked; the core
	 * repeats it at a later tick. A later epoch replaces the earlier ones.
	 */
	enum poise_err (*resize)(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch);
	/*
	 * Counts what a VM can have now: its size by the hypervisor's own books, balloon taken off,
	 * in pages. Never what the guest claims. On any error the last count stays in force. Called
	 * for each VM at each tick and at each early tick.
	 */
	enum poise_err (*measure)(void *ctx, uint32_t vm, uint64_t *pages);
	/* Publishes the notice to the guest, normally by poise_host_page_write. Called when it has
	 * changed, with the next tick at the latest. */
	void (*notify)(void *ctx, uint32_t vm, const struct poise_notice *notice);
	/*
	 * Takes one record of what came in and what was decided, in order. Whoever keeps all of
	 * them can replay the run. The record is valid during the call only.
	 */
	void (*event)(void *ctx, const struct poise_event *event);
};

#ifdef __cplusplus
}
#endif

#endif
