/* SPDX-License-Identifier: MIT */
/* virtio-balloon's statistics as a page; see stats.h. */
#include "stats.h"

#include "poise.h"
#include "qmp.h"

#include <string.h>

/* What is always there is checked; what may be missing (2^64-1) has its bit in `have`. */
enum { FREE, TOTAL, CACHES, AVAILABLE, SWAP_IN, SWAP_OUT, STATS };

static const char *const names[STATS] = {
	[FREE] = "stat-free-memory",   [TOTAL] = "stat-total-memory",
	[CACHES] = "stat-disk-caches", [AVAILABLE] = "stat-available-memory",
	[SWAP_IN] = "stat-swap-in",    [SWAP_OUT] = "stat-swap-out",
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t over(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void stats_start(struct stats *stats, uint64_t boot_id, uint64_t ram_pages)
{
	memset(stats, 0, sizeof(*stats));
	/* It refuses nothing that can come here: aligned, not null, not 0. */
	if (gd_init(&stats->gd, &stats->page, &stats->host, boot_id, ram_pages, 0) == 0) {
		stats->ram_pages = ram_pages;
	}
}

void stats_stop(struct stats *stats)
{
	stats->ram_pages = 0;
	stats->last_update = 0;
}

const struct poise_guest_page *stats_page(const struct stats *stats)
{
	return stats->ram_pages != 0 && stats->last_update != 0 ? &stats->page : NULL;
}

/* Bytes of each statistic to pages. Returns which are there. */
static unsigned read_all(const json_t *answer, uint64_t pages[STATS])
{
	const json_t *group = json_object_get(answer, "stats");
	unsigned have = 0;

	for (unsigned i = 0; i < STATS; i++) {
		uint64_t bytes;

		pages[i] = 0;
		if (qmp_number(json_object_get(group, names[i]), UINT64_C(1) << 53, &bytes)) {
			pages[i] = bytes / POISE_ABI_PAGE_BYTES;
			have |= 1u << i;
		}
	}
	return have;
}

static bool has(unsigned have, unsigned stat)
{
	return (have >> stat & 1u) != 0;
}

/*
 * The driver tells no lists. What the kernel calls available beyond free memory is page cache that
 * can go: the inactive list. The rest of the cache is the active one; what is neither free nor
 * cache is anonymous (and the kernel's own), and counts as in use.
 */
static void fill(struct poise_abi_guest *body, const uint64_t pages[STATS], unsigned have,
		 uint64_t ram_pages, uint64_t actual_pages, uint64_t now_ms)
{
	/* With deflate-on-oom the guest's total has the balloon in it, without it has not. */
	const uint64_t total = least(pages[TOTAL], actual_pages);
	const uint64_t free_pages = least(pages[FREE], total);
	const uint64_t caches = has(have, CACHES) ? least(pages[CACHES], total - free_pages) : 0;
	const uint64_t available =
		has(have, AVAILABLE) ? least(pages[AVAILABLE], total) : free_pages + caches / 2u;

	*body = (struct poise_abi_guest){
		.guest_ms = now_ms,
		.balloon_pages = over(ram_pages, actual_pages),
		.free_pages = free_pages,
		.inactive_file_pages = least(over(available, free_pages), caches),
		.available_pages = available,
		.swap_used_pages = over(pages[SWAP_OUT], pages[SWAP_IN]),
		.swap_out_pages = pages[SWAP_OUT],
		.swap_in_pages = pages[SWAP_IN],
	};
	body->active_file_pages = caches - body->inactive_file_pages;
	body->inactive_anon_pages = total - free_pages - caches;
}

const char *stats_take(struct stats *stats, const json_t *answer, uint64_t actual_pages,
		       uint64_t now_ms)
{
	struct poise_abi_guest body;
	uint64_t pages[STATS];
	uint64_t updated;
	unsigned have;

	if (stats->ram_pages == 0) {
		return "not started";
	}
	if (!qmp_number(json_object_get(answer, "last-update"), UINT64_C(1) << 53, &updated)) {
		return "no last-update";
	}
	/* 0: the guest's driver has never told anything. The same again: it does not tell now. */
	if (updated == 0 || updated == stats->last_update) {
		return "nothing new";
	}
	have = read_all(answer, pages);
	if (!has(have, FREE) || !has(have, TOTAL) || pages[TOTAL] == 0 ||
	    actual_pages > stats->ram_pages) {
		return "the guest tells no free or total memory";
	}
	fill(&body, pages, have, stats->ram_pages, actual_pages, now_ms);
	/* Anonymous pages count as in use wherever the guest's kernel keeps them. */
	stats->gd.features = POISE_GF_ANON_INACTIVE | POISE_GF_AVAILABLE;
	if (has(have, SWAP_IN) && has(have, SWAP_OUT)) {
		stats->gd.features |= POISE_GF_SWAP_FLOW;
	}
	gd_publish(&stats->gd, &body);
	stats->last_update = updated;
	return NULL;
}
