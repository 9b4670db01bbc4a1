/* SPDX-License-Identifier: MIT */
/*
 * Policy `cagma`: critical amount guaranteed memory allocation, after Wu and Sun (2017). A critical
 * memory amount (CMA) is worked out for each VM: what it uses, and a guaranteed amount that is to
 * be available to it. Every period VMs below theirs get what they lack from the host's free memory,
 * then from VMs above theirs. When a VM swaps before the period is over, its CMA is worked out anew
 * and it gets what it lacks at once (`emergency=0`: it has to wait).
 *
 * Decided here, as only the outline is public: a VM uses what it has without what is available in
 * it, and what it has in swap; the guaranteed amount is a tenth of what the VM starts with
 * (`guarantee`); the period is 10 s (`period`). VMs above their CMA give in proportion to what they
 * have above it, none below its reservation; when that is not enough, VMs below theirs get in
 * proportion to what they lack. A VM's doorbell, or a rise of its swap-out counter looked at
 * once a second, is a swapping event. Books are kept of what has been asked for, so that memory
 * that is still on its way is not given twice. Weights do not count.
 */
#include <math.h>

#include "common.h"

#define STEP_MS 1000u
#define ALL     UINT32_MAX

struct state {
	uint32_t period, steps; /* seconds */
	double guarantee;       /* part of the size at the start */
	bool emergency;
	uint64_t swap_out[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = calloc(1, sizeof(*s));
	const double period = sim_option(options, "period", 10.0);
	const double emergency = sim_option(options, "emergency", 1.0);

	(void)view;
	if (s == NULL) {
		*error = "no memory";
		return NULL;
	}
	s->guarantee = sim_option(options, "guarantee", 0.1);
	s->emergency = emergency > 0.0;
	s->period = (uint32_t)(period >= 1.0 && period <= 3600.0 ? period : 0.0);
	if (sim_option_unknown(options, "period,emergency,guarantee") != NULL || s->period == 0 ||
	    !(emergency >= 0.0 && emergency <= 1.0) ||
	    !(s->guarantee >= 0.0 && s->guarantee <= 1.0)) {
		*error = "options are period (seconds, 1 or more), emergency (0 or 1), guarantee "
			 "(part of the size at the start, 0 to 1)";
		free(s);
		return NULL;
	}
	return s;
}

static double critical(const struct state *s, const struct sim_vm_view *vm)
{
	const struct poise_abi_guest *g = &vm->stats;
	const double size = (double)(g->total_pages - g->balloon_pages);
	const double amount = size - (double)g->available_pages + (double)g->swap_used_pages +
			      s->guarantee * (double)vm->boot_pages;

	return fmin(fmax(amount, (double)vm->min_pages), (double)vm->max_pages);
}

/* Gives VM `only`, or all of them, what they lack. */
static void adjust(const struct state *s, const struct sim_view *view, uint32_t only,
		   uint64_t *target)
{
	double over[SIM_VM_MAX];
	double spare = (double)view->total_pages;
	double lack = 0.0;
	double surplus = 0.0;
	double taken, given;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		const double size = (double)target[i];

		over[i] = view->vm[i].stats.sample != 0 ? size - critical(s, &view->vm[i]) : 0.0;
		if (over[i] < 0.0 && only != ALL && i != only) {
			over[i] = 0.0;
		}
		lack -= fmin(over[i], 0.0);
		surplus += fmax(over[i], 0.0);
		spare -= size;
	}
	spare = fmax(spare, 0.0);
	taken = fmin(fmax(lack - spare, 0.0), surplus);
	given = fmin(lack, spare + taken);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const double change = over[i] > 0.0   ? -over[i] / surplus * taken
				      : over[i] < 0.0 ? -over[i] / lack * given
						      : 0.0;

		/* Rounded down for those who get and up for those who give. */
		target[i] = limit_size((double)target[i] + floor(change), 1, view->vm[i].max_pages);
	}
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	const bool due = ++s->steps % s->period == 0;

	if (due) {
		adjust(s, view, ALL, target);
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const uint64_t swap_out = view->vm[i].stats.swap_out_pages;

		if (s->emergency && !due && swap_out > s->swap_out[i]) {
			adjust(s, view, i, target);
		}
		s->swap_out[i] = swap_out;
	}
}

static void urgent(void *state, const struct sim_view *view, uint32_t vm, uint64_t *target)
{
	const struct state *s = state;

	if (s->emergency) {
		adjust(s, view, vm, target);
	}
}

const struct sim_policy sim_policy_cagma = {
	.name = "cagma",
	.text = "critical memory amounts, periodic and in emergencies; options period, emergency, "
		"guarantee",
	.period_ms = STEP_MS,
	.start = start,
	.stop = free,
	.step = step,
	.urgent = urgent,
};
