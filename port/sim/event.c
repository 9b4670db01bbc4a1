/* SPDX-License-Identifier: MIT */
/* What happens to the machine while it runs: VMs come, go and start anew, memory comes and goes. */
#include "host.h"

static void set_pool(struct sim_host *h, uint64_t pages)
{
	pages -= pages % h->scenario->granule;
	if (pages >= h->total_pages) {
		sim_host_put(h, pages - h->total_pages);
	} else {
		sim_host_use(h, h->total_pages - pages);
	}
	h->total_pages = pages;
}

/* Whatever its balloon held, a guest that boots has its boot size. */
static void boot(struct sim_host *h, uint32_t vm)
{
	struct sim_guest *g = &h->guest[vm];
	const uint64_t before = sim_guest_pages(g);
	uint64_t after;

	if (!sim_guest_boot(g)) {
		sim_host_fail(h, "no memory for a guest", vm, 0, 0);
		return;
	}
	after = sim_guest_pages(g);
	if (after > before) {
		sim_host_use(h, after - before);
	} else {
		sim_host_put(h, before - after);
	}
	if (!h->with_core && h->policy != NULL) {
		sim_rival_repeat(h, vm);
	}
}

static void happen(struct sim_host *h, const struct sim_event *e)
{
	struct sim_guest *g = e->vm < h->scenario->vm_count ? &h->guest[e->vm] : NULL;

	switch (e->kind) {
	case SIM_EVENT_POOL:
		set_pool(h, e->pages);
		break;
	case SIM_EVENT_REMOVE:
		sim_host_put(h, sim_guest_pages(g));
		sim_guest_leave(g);
		break;
	case SIM_EVENT_RESET:
	case SIM_EVENT_REBOOT:
		if (g->present) {
			boot(h, e->vm);
		}
		break;
	default:
		break;
	}
	if (h->with_core) {
		sim_core_event(h, e);
	}
}

void sim_host_events(struct sim_host *h)
{
	const struct sim_scenario *s = h->scenario;

	/* On the machine of policy `best` nothing is shared out. */
	while ((h->with_core || h->policy != NULL) && h->next_event < s->event_count &&
	       s->event[h->next_event].at_ms * 1000u <= h->now_us) {
		happen(h, &s->event[h->next_event++]);
	}
}
