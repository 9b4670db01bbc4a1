/* SPDX-License-Identifier: MIT */
/*
 * Policy `oracle`: the best allocation with hindsight, once a `period`: of all ways to hand the
 * machine out above the reservations the one with the fewest misses, found by dynamic programming
 * over the VMs' exact LRU miss curves, in 256ths of the machine. No real host can do that; what a
 * policy could reach is to be seen next to it.
 *
 * Hindsight means: it knows each VM's touches in the coming `ahead` seconds of its work
 * (oracle_ahead.c), as if a run with all the memory in the world had been watched before; the
 * first count fully, the last hardly, because memory can be moved again by then. With `ahead=0` it
 * knows those of the last period only, which is what a perfect monitor could tell.
 *
 * The miss curves are exact, the costs are not: guests do not keep exact LRU lists, a page read
 * from a file is cheaper than one from swap, a page that somebody uses has to be written when it is
 * taken and comes back some day. For the last, taking a page that is in use has to save `move`
 * misses. So it is no proven bound, and where memory is short for all, it can be beaten by a
 * little. Weights do not count: a miss is a miss.
 */
#include <math.h>

#include "common.h"
#include "oracle_ahead.h"

#define STEP_MS 1000u
#define UNITS   256u /* parts of the machine that are handed out */
#define SIZES   (UNITS + 1u)
#define STAY    1e-4 /* misses that moving a page has to save if nothing is in it */

struct state {
	struct ahead *ahead;    /* NULL: goes by the last period */
	uint32_t period, steps; /* seconds */
	double move;
	double best[SIZES]; /* fewest misses of the VMs so far, by units that they have together */
	uint16_t units[SIM_VM_MAX][SIZES]; /* what the last of them has then */
};

static void stop(void *state)
{
	struct state *s = state;

	ahead_stop(s->ahead);
	free(s);
}

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	const double period = sim_option(options, "period", 1.0);
	const double ahead = sim_option(options, "ahead", 10.0);
	const double move = sim_option(options, "move", 0.5);
	struct state *s;

	if (sim_option_unknown(options, "period,ahead,move") != NULL ||
	    !(period >= 1.0 && period <= 3600.0) || !(ahead >= 0.0 && ahead <= 300.0) ||
	    !(move >= 0.0 && move <= 100.0)) {
		*error = "options are period (seconds, 1 or more), ahead (seconds up to 300, 0: "
			 "goes by the "
			 "last period), move (misses that taking a page has to save, 0 to 100)";
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		*error = "no memory";
		return NULL;
	}
	s->period = (uint32_t)period;
	s->move = move;
	if (ahead > 0.0) {
		s->ahead = ahead_start(view->host, (uint32_t)ceil(ahead), SIZES);
		if (s->ahead == NULL) {
			*error = "no memory";
			free(s);
			return NULL;
		}
	} else {
		sim_truth_curves(view->host);
	}
	return s;
}

/* What VM `vm` loses with its reservation and 0, 1, ... units more. */
static void losses(struct state *s, const struct sim_view *view, uint32_t vm, double unit,
		   double *loss)
{
	const struct sim_vm_view *v = &view->vm[vm];
	struct sim_guest *g = &view->host->guest[vm];
	/* No program can have what the kernel has and what it keeps free. */
	const double kernel =
		(double)(g->config->kernel_pages + (uint64_t)g->mm.wmark_high * g->granule);
	const double held = (double)g->granule *
			    (g->mm.lru_pages[LRU_ACTIVE_FILE] + g->mm.lru_pages[LRU_INACTIVE_FILE] +
			     g->mm.lru_pages[LRU_ACTIVE_ANON] + g->mm.lru_pages[LRU_INACTIVE_ANON]);
	double pages[SIZES];

	for (uint32_t k = 0; k < SIZES; k++) {
		pages[k] = fmax((double)v->min_pages + k * unit - kernel, 0.0);
	}
	if (s->ahead != NULL) {
		ahead_misses(s->ahead, view->host, vm, pages, loss);
	} else {
		past_misses(g, SIZES, pages, loss);
		sim_truth_clear(view->host, vm);
	}
	for (uint32_t k = 0; k < SIZES; k++) {
		const double size = (double)v->min_pages + k * unit;

		loss[k] += s->move * fmax(held - pages[k], 0.0) +
			   STAY * fmax((double)v->target_pages - size, 0.0);
		/* The last unit may reach beyond the limit: it is cut there. */
		if (k > 0 && size >= (double)v->max_pages + unit) {
			loss[k] = INFINITY;
		}
	}
}

/* Adds VM `vm`: for every number of units, how many of them it should have. */
static void add_vm(struct state *s, uint32_t vm, const double *loss)
{
	for (uint32_t all = SIZES; all-- > 0;) {
		double least = INFINITY;

		for (uint32_t k = 0; k <= all; k++) {
			const double sum = (vm == 0 ? 0.0 : s->best[all - k]) + loss[k];

			if (sum < least) {
				least = sum;
				s->units[vm][all] = (uint16_t)k;
			}
		}
		s->best[all] = least;
	}
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	double spare = (double)view->total_pages;
	uint32_t left = UNITS;
	double unit, loss[SIZES];

	if (s->steps++ % s->period != 0) {
		return;
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		spare -= (double)view->vm[i].min_pages;
	}
	spare = fmax(spare, 0.0);
	unit = spare / UNITS;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		losses(s, view, i, unit, loss);
		add_vm(s, i, loss);
	}
	for (uint32_t i = view->vm_count; i-- > 0;) {
		const uint32_t k = s->units[i][left];

		left -= k;
		target[i] = limit_size((double)view->vm[i].min_pages + k * unit, 1,
				       view->vm[i].max_pages);
	}
	/* What would be idle in the host is more use to whoever needs it first. */
	for (uint32_t i = 0; i < view->vm_count; i++) {
		spare -= (double)target[i] - (double)view->vm[i].min_pages;
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		target[i] = limit_size((double)target[i] + fmax(spare, 0.0) / view->vm_count, 1,
				       view->vm[i].max_pages);
	}
}

const struct sim_policy sim_policy_oracle = {
	.name = "oracle",
	.text = "fewest misses, from exact miss curves of what comes; options period, ahead, move",
	.period_ms = STEP_MS,
	.start = start,
	.stop = stop,
	.step = step,
};
