/* SPDX-License-Identifier: MIT */
/* Touches, reads and reclaim in the background; see touch.h. */
#include "touch.h"

/* Background reclaim waits when the device has more than this to do: 20 ms. */
#define CONGESTED_NS 20000000u
/* Frames that one step of it frees at most. */
#define KEEP_FRAMES (RECLAIM_BATCH * 4u)
/* What a guest takes from its balloon at a time before it kills: 1 MiB, as virtio-balloon does. */
#define OOM_PAGES 256u

void sim_guest_housekeeping(struct sim_guest *g)
{
	if (!reclaim_is_easy(&g->mm) && g->books->device.backlog_ns > CONGESTED_NS) {
		return;
	}
	g->background = true;
	reclaim_background(&g->mm, KEEP_FRAMES);
	g->background = false;
}

/* Before it kills, a guest of this kind takes pages from its balloon, whatever its target says. */
static void deflate_on_oom(struct sim_guest *g)
{
	struct mm *m = &g->mm;
	const uint32_t target = m->balloon.target;

	if (m->free_pages > m->wmark_min || m->swap_used < m->slot_count ||
	    m->lru_pages[LRU_INACTIVE_FILE] + m->lru_pages[LRU_ACTIVE_FILE] > RECLAIM_BATCH) {
		return;
	}
	g->allowed_pages = sim_guest_pages(g) + OOM_PAGES + g->granule;
	m->balloon.target = balloon_size(m) + OOM_PAGES / g->granule + 1u;
	m->balloon.mode = BALLOON_OK;
	balloon_deflate(m, OOM_PAGES / g->granule + 1u);
	m->balloon.mode = BALLOON_STUCK;
	m->balloon.target = target;
}

void sim_guest_touch(struct sim_guest *g, uint32_t vpn, bool write)
{
	if (g->frame_of[vpn] == 0) {
		if (g->config->deflate_on_oom) {
			deflate_on_oom(g);
		}
		mm_anon_fault(&g->mm, vpn);
	}
	g->young[vpn] = 1;
	g->probe[g->frame_of[vpn] - 1u] |= (uint8_t)(SIM_ACCESSED | (write ? SIM_DIRTY : 0));
	sim_truth_touch(&g->truth, vpn, (uint32_t)(g->clock_us / 1000u));
}

void sim_guest_read(struct sim_guest *g, uint32_t block, bool first)
{
	uint32_t pfn;

	g->first_read = first;
	pfn = cache_read(&g->mm, block);
	g->probe[pfn] |= SIM_ACCESSED;
	sim_truth_touch(&g->truth, g->mm.anon_limit + block, (uint32_t)(g->clock_us / 1000u));
}
