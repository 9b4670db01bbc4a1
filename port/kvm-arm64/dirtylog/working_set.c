/* SPDX-License-Identifier: MIT */
/*
 * Working sets from dirty pages. Pure but for the page it publishes: it knows neither KVM nor the
 * core, so that it runs on counts from anywhere.
 */
#include "working_set.h"

#define WINDOW_DEFAULT        4u
#define HEADROOM_PERMILLE_MAX 10000u
/* Far above any VM: products below do not wrap. */
#define PAGES_MAX (UINT64_C(1) << 40)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int kvm_ws_init(struct kvm_ws *ws, const struct kvm_ws_config *config, uint64_t boot_id,
		uint64_t total_pages, const struct poise_host_page *host)
{
	if (config->window > KVM_WS_WINDOW_MAX || total_pages > PAGES_MAX ||
	    config->headroom_permille > HEADROOM_PERMILLE_MAX) {
		return -1;
	}
	*ws = (struct kvm_ws){.config = *config};
	if (ws->config.window == 0) {
		ws->config.window = WINDOW_DEFAULT;
	}
	return gd_init(&ws->gd, &ws->page, host, boot_id, total_pages, 0);
}

/* The largest of the intervals that count. */
static uint64_t most_seen(const struct kvm_ws *ws)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < ws->steps; i++) {
		most = ws->seen[i] > most ? ws->seen[i] : most;
	}
	return most;
}

uint64_t kvm_ws_step(struct kvm_ws *ws, uint64_t dirty_pages)
{
	ws->seen[ws->next] = least(dirty_pages, ws->gd.total_pages);
	ws->next = (ws->next + 1) % ws->config.window;
	ws->steps += ws->steps < ws->config.window;
	return most_seen(ws);
}

uint64_t kvm_ws_pages(const struct kvm_ws *ws, uint64_t size_pages)
{
	const uint64_t most = most_seen(ws);
	/* Rounded up: against giving memory away. */
	return least(most + (most * ws->config.headroom_permille + 999) / 1000, size_pages);
}

int kvm_ws_publish(struct kvm_ws *ws, uint64_t now_ms, uint64_t balloon_pages)
{
	if (balloon_pages >= ws->gd.total_pages) {
		return -1;
	}
	const uint64_t size = ws->gd.total_pages - balloon_pages;
	const uint64_t used = kvm_ws_pages(ws, size);
	const struct poise_abi_guest counters = {
		.guest_ms = now_ms,
		.balloon_pages = balloon_pages,
		.active_anon_pages = used,
		.free_pages = size - used,
	};
	gd_publish(&ws->gd, &counters);
	return 0;
}
