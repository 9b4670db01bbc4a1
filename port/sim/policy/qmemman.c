/* SPDX-License-Identifier: MIT */
/*
 * Policy `qmemman`, baseline B7, after Qubes OS: each guest's agent looks every 100 ms at what is
 * used, without cache but with swap, and tells it when it has changed much. With every such report
 * all memory but 50 MiB is shared out by preference, 1.3 times what is used. When preferences
 * exceed what there is, those above theirs are asked to give and those below have to wait for a
 * later report. A guest that does not give within 500 ms is left out of the sums for a while.
 *
 * Neither weights nor reservations: 200 MiB is everybody's minimum.
 *
 * Decided here: the agent's threshold is the service's default of 30000 KiB; the control domain is
 * no VM here; the waits for memory are steps in which reports are kept for later; what is granted
 * and not yet taken is not free; "what there is" leaves the same 45 MiB free; the culprits are the
 * donors that have not moved at all. That a donor moves too slowly is logged there and changes
 * nothing, and no VM starts during a run, so both are left out.
 */
#include <math.h>

#include "common.h"

#define POLL_MS    100u
#define THRESHOLD  7500.0 /* 30000 KiB */
#define MIB        ((double)PAGES_PER_MIB)
#define LEAST      (200.0 * MIB)
#define KEPT       (50.0 * MIB)
#define KEPT_LEAST (45.0 * MIB)
#define MARGIN     1.3
#define OVERHEAD   1.00781
#define SLACK      0.999
#define DONATION   (10.0 * MIB)
#define GAIN       (15.0 * MIB)
#define TRAFFIC    (150.0 * MIB)
#define NEAR       (25.0 * MIB)
#define WAITS      5u

struct domain {
	bool reported, no_progress;
	double used; /* last told */
	double pref, size, max, goal;
	uint64_t before; /* size when asked to give, 0: is not asked */
};

struct state {
	bool news, handing_out;
	uint32_t waits, count;
	struct domain *in[SIM_VM_MAX]; /* those who take part in this balance */
	struct domain domain[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

/* The guests' agents: does one of them have something to tell? */
static void listen(struct state *s, const struct sim_view *view)
{
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct poise_abi_guest *g = &view->vm[i].stats;
		const double memory = (double)g->total_pages - (double)g->balloon_pages;
		const double free =
			(double)(g->free_pages + g->active_file_pages + g->inactive_file_pages);
		const double used = fmax(memory - free + (double)g->swap_used_pages, 0.0);
		struct domain *d = &s->domain[i];
		const double change = used - d->used;

		if (g->sample != 0 && (!d->reported || fabs(change) > THRESHOLD ||
				       (change > THRESHOLD / 2.0 && used * MARGIN > memory))) {
			d->reported = true;
			d->used = used;
			s->news = true;
		}
	}
}

/* Granted to the others but not yet taken from the host. */
static double in_flight(const struct sim_view *view, const uint64_t *target, uint32_t but)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		if (i != but && target[i] > view->vm[i].actual_pages) {
			sum += (double)(target[i] - view->vm[i].actual_pages);
		}
	}
	return sum;
}

/* There is more than all prefer: the rest goes by preference, and evenly where limits leave some.
 */
static void share_surplus(const struct state *s, double avail, double prefs)
{
	double share = 0.0, left = 0.0;

	for (uint32_t i = 0; i < s->count; i++) {
		s->in[i]->goal = SLACK * s->in[i]->pref * (1.0 + avail / prefs);
	}
	do {
		uint32_t open = 0;

		left = 0.0;
		for (uint32_t i = 0; i < s->count; i++) {
			struct domain *d = s->in[i];
			const double goal = d->goal < d->max ? d->goal + share : d->goal;

			d->goal = fmin(goal, d->max);
			left += goal - d->goal;
			open += d->goal < d->max;
		}
		share = open > 0 ? left / open : 0.0;
	} while (share >= 1.0);
}

/* There is less: donors go down to what they prefer, others get what donations leave, if anything.
 */
static void share_shortage(const struct state *s, double squeezed)
{
	double prefs = 0.0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct domain *d = s->in[i];

		if (d->size <= d->pref && d->size < d->max) {
			prefs += d->pref;
		} else if (d->size - d->pref >= DONATION) {
			squeezed -= d->size - d->pref;
			d->goal = d->pref;
		}
	}
	for (uint32_t i = 0; squeezed >= 0.0 && i < s->count; i++) {
		struct domain *d = s->in[i];

		if (d->size <= d->pref && d->size < d->max) {
			d->goal = fmin(SLACK * (d->size + squeezed * d->pref / prefs), d->max);
		}
	}
}

/* Makes goals. Returns whether they are worth the trouble. */
static bool balance(struct state *s, const struct sim_view *view, const uint64_t *target)
{
	const double xen_free = (double)view->free_pages;
	const double free_pages = xen_free / OVERHEAD - in_flight(view, target, SIM_VM_MAX) - KEPT;
	double avail = free_pages, prefs = 0.0, traffic = fabs(xen_free - KEPT);
	bool gain = false;

	s->count = 0;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const double actual = (double)view->vm[i].actual_pages;
		struct domain *d = &s->domain[i];

		d->max = (double)view->vm[i].max_pages;
		d->pref = fmin(fmax(MARGIN * d->used, LEAST), d->max);
		d->goal = (double)target[i];
		d->size = fmax(actual, d->goal);
		if (fabs(actual - d->goal) < NEAR || actual < d->pref) {
			d->no_progress = false;
		}
		if (d->reported && !d->no_progress) {
			s->in[s->count++] = d;
			avail -= d->pref - d->size;
			prefs += d->pref;
		}
	}
	if (avail > 0.0) {
		share_surplus(s, avail, prefs);
	} else {
		share_shortage(s, free_pages);
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct domain *d = &s->domain[i];
		const double change = d->goal - (double)target[i];

		traffic += fabs(change);
		gain = gain || ((double)target[i] < d->pref && change > GAIN);
	}
	return KEPT - xen_free > GAIN || gain || traffic > TRAFFIC;
}

/* Asks the donors, all at once. */
static void collect(struct state *s, const struct sim_view *view, uint64_t *target)
{
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const uint64_t actual = view->vm[i].actual_pages;
		const uint64_t goal = (uint64_t)s->domain[i].goal;
		const bool gives = goal != target[i] && goal < actual;

		s->domain[i].before = gives ? actual : 0;
		target[i] = gives ? goal : target[i];
	}
}

/* Grants one VM after the other its goal. Returns false while the host has to wait for memory. */
static bool hand_out(struct state *s, const struct sim_view *view, uint64_t *target)
{
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const uint64_t goal = (uint64_t)s->domain[i].goal;
		const double actual = (double)view->vm[i].actual_pages;
		const double free_pages = (double)view->free_pages - in_flight(view, target, i);
		const double spare = fmax(free_pages - KEPT_LEAST, 0.0);

		if (goal == target[i]) {
			continue;
		}
		if ((double)goal - actual <= spare) {
			target[i] = goal;
			s->waits = 0;
			continue;
		}
		if (s->waits++ < WAITS) {
			return false;
		}
		target[i] = (uint64_t)(actual + spare);
		for (uint32_t j = 0; j < view->vm_count; j++) {
			const uint64_t before = s->domain[j].before;

			s->domain[j].no_progress |=
				before != 0 && view->vm[j].actual_pages >= before;
		}
		break;
	}
	return true;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;

	listen(s, view);
	if (!s->handing_out && s->news) {
		s->news = false;
		s->waits = 0;
		s->handing_out = balance(s, view, target);
		if (s->handing_out) {
			collect(s, view, target);
		}
	}
	s->handing_out = s->handing_out && !hand_out(s, view, target);
}

const struct sim_policy sim_policy_qmemman = {
	.name = "qmemman",
	.text = "B7: Qubes OS's qmemman, shares by 1.3 times what is used, on report",
	.period_ms = POLL_MS,
	.stats_ms = POLL_MS,
	.start = start,
	.stop = free,
	.step = step,
};
