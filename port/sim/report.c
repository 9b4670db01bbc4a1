/* SPDX-License-Identifier: MIT */
/* What a guest's page says, honest or not. */
#include "report.h"

bool sim_report_is(const struct sim_guest *g, enum sim_report kind)
{
	return g->config->report == kind &&
	       sim_guest_is_time(g->clock_us / 1000u, g->config->report_from_ms,
				 g->config->report_until_ms);
}

bool sim_guest_is_silent(const struct sim_guest *g)
{
	return sim_report_is(g, SIM_REPORT_STALE) || sim_report_is(g, SIM_REPORT_TORN);
}

bool sim_guest_is_greedy(const struct sim_guest *g)
{
	return sim_report_is(g, SIM_REPORT_OVER) ||
	       (sim_report_is(g, SIM_REPORT_WAVE) && g->driver.sample % 2u == 0);
}

static struct poise_abi_guest count(const struct sim_guest *g)
{
	const struct mm *m = &g->mm;
	const uint64_t k = g->granule;

	return (struct poise_abi_guest){
		.guest_ms = g->clock_us / 1000u,
		.total_pages = g->config->max_pages,
		.balloon_pages = m->balloon_pages * k,
		.free_pages = m->free_pages * k,
		.active_file_pages = m->lru_pages[LRU_ACTIVE_FILE] * k,
		.inactive_file_pages = m->lru_pages[LRU_INACTIVE_FILE] * k,
		.active_anon_pages = m->lru_pages[LRU_ACTIVE_ANON] * k,
		.inactive_anon_pages = m->lru_pages[LRU_INACTIVE_ANON] * k,
		.swap_used_pages = m->swap_used * k,
		.available_pages = mm_available(m) * k,
		.swap_out_pages = m->swap_out * k - g->rewound.swap_out_pages,
		.swap_in_pages = m->swap_in * k - g->rewound.swap_in_pages,
		.refault_anon_pages = m->refault_anon * k - g->rewound.refault_anon_pages,
		.refault_file_pages = m->refault_file * k - g->rewound.refault_file_pages,
		.committed_pages = m->committed * k,
		.direct_reclaims = m->direct_reclaims - g->rewound.direct_reclaims,
		.oom_kills = m->oom_kills,
		.floor_pages = g->config->floor_pages,
	};
}

/* All that is free or could be is in use, and more is in swap. */
static void lie_over(struct poise_abi_guest *c)
{
	const uint64_t idle = c->free_pages + c->inactive_file_pages;
	const uint64_t part = idle / 20u * 19u;

	c->active_anon_pages += part;
	c->free_pages -= part < c->free_pages ? part : c->free_pages;
	c->inactive_file_pages = idle - part - c->free_pages;
	c->available_pages = idle - part;
	c->swap_used_pages += c->total_pages / 4u;
	c->refault_anon_pages += c->guest_ms;
	c->swap_in_pages += c->guest_ms;
	c->committed_pages = c->total_pages;
}

/* Most of what is in use is free. */
static void lie_under(struct poise_abi_guest *c)
{
	uint64_t part = c->inactive_anon_pages / 5u * 4u;

	c->inactive_anon_pages -= part;
	c->free_pages += part;
	part = c->active_anon_pages / 5u * 4u;
	c->active_anon_pages -= part;
	c->free_pages += part;
	c->available_pages = c->free_pages;
}

static void rewind_counters(struct sim_guest *g, struct poise_abi_guest *c)
{
	if (g->rewinds == 0) {
		g->rewinds = 1;
		g->rewound = *c;
		*c = count(g);
		g->driver.sample = 0;
	}
}

/* An eighth of the total is gone; it was in the balloon, so that the rest adds up. */
static void shrink_total(struct sim_guest *g, struct poise_abi_guest *c)
{
	const uint64_t part = g->config->max_pages / 8u;

	if (c->balloon_pages >= part) {
		c->balloon_pages -= part;
		g->driver.total_pages = g->config->max_pages - part;
	}
}

static void lie(struct sim_guest *g, struct poise_abi_guest *c)
{
	static const uint64_t leaps[] = {0, UINT64_MAX, 1000000, 999999, 999999};

	switch (g->config->report) {
	case SIM_REPORT_OVER:
		lie_over(c);
		break;
	case SIM_REPORT_UNDER:
		lie_under(c);
		break;
	case SIM_REPORT_WAVE:
		if (g->driver.sample % 2u == 0) {
			lie_over(c);
		} else {
			lie_under(c);
		}
		break;
	case SIM_REPORT_REPEAT:
		g->driver.sample -= g->driver.sample > 0 ? 1u : 0u;
		break;
	case SIM_REPORT_REWIND:
		rewind_counters(g, c);
		break;
	case SIM_REPORT_REBOOT:
		g->driver.boot_id += SIM_VM_MAX;
		g->driver.sample = 0;
		break;
	case SIM_REPORT_TOTAL:
		shrink_total(g, c);
		break;
	case SIM_REPORT_CLOCK:
		c->guest_ms = leaps[g->driver.sample % (sizeof(leaps) / sizeof(leaps[0]))];
		break;
	default:
		break;
	}
}

void sim_guest_publish(struct sim_guest *g)
{
	struct poise_abi_guest counters = count(g);

	g->driver.total_pages = g->config->max_pages;
	if (sim_report_is(g, SIM_REPORT_TORN)) {
		g->page->head.seq = g->driver.seq + 1u;
	}
	if (sim_guest_is_silent(g)) {
		return;
	}
	if (sim_report_is(g, g->config->report)) {
		lie(g, &counters);
	}
	gd_publish(&g->driver, &counters);
}

void sim_guest_ring(struct sim_guest *g, uint32_t gap_ms)
{
	if (gd_urgent(&g->driver, g->clock_us / 1000u, gap_ms) != 0) {
		g->rang = true;
		g->rings++;
	}
}
