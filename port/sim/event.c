/* SPDX-License-Identifier: MIT */
/* What happens to the machine while it runs: VMs come, go and start anew, memory comes and goes. */
#include "event.h"

#include "core.h"
#include "guest.h"
#include "rival.h"

static void set_pool(struct sim_host *h, uint64_t pages)
{
	pages -= pages % h->books.scenario->granule;
	if (pages >= h->books.total_pages) {
		sim_books_put(&h->books, pages - h->books.total_pages);
	} else {
		sim_books_use(&h->books, h->books.total_pages - pages);
	}
	h->books.total_pages = pages;
}

/* Whatever its balloon held, a guest that boots has its boot size. */
static void boot(struct sim_host *h, uint32_t vm)
{
	struct sim_guest *g = &h->guest[vm];
	const uint64_t before = sim_guest_pages(g);
	uint64_t after;

	if (!sim_guest_boot(g)) {
		sim_books_fail(&h->books, "no memory for a guest", vm, 0, 0);
		return;
	}
	after = sim_guest_pages(g);
	if (after > before) {
		sim_books_use(&h->books, after - before);
	} else {
		sim_books_put(&h->books, before - after);
	}
	if (!h->with_core && h->policy != NULL) {
		sim_rival_repeat(h, vm);
	}
}

static void happen(struct sim_host *h, const struct sim_event *e)
{
	struct sim_guest *g = e->vm < h->books.scenario->vm_count ? &h->guest[e->vm] : NULL;

	switch (e->kind) {
	case SIM_EVENT_POOL:
		set_pool(h, e->pages);
		break;
	case SIM_EVENT_REMOVE:
		sim_books_put(&h->books, sim_guest_pages(g));
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
	const struct sim_scenario *s = h->books.scenario;

	/* On the machine of policy `best` nothing is shared out. */
	while ((h->with_core || h->policy != NULL) && h->next_event < s->event_count &&
	       s->event[h->next_event].at_ms * 1000u <= h->books.now_us) {
		happen(h, &s->event[h->next_event++]);
	}
}
