/* SPDX-License-Identifier: MIT */
/*
 * Policy `counters`: the effective working set from the guest's own counters, after Melekhova and
 * Markeeva (Cloud Computing 2015): W = commit - balloon, E = W + sigma * total, sigma being what
 * the kind of guest needs for its caches. Found there: 0.2 and 0.15 for two versions of Windows;
 * here sigma is 0.15 unless the option `sigma`, or `sigma-NAME` for the VM of that name, says
 * otherwise. The size is set to E at once; what nobody needs stays with the host. If not all of it
 * is there, reservations come first, then weights decide.
 *
 * Feedback: what a VM reads back from swap and what it evicts and wants again is what E lacks. A
 * period's pages are added, and an eighth of that is forgotten with each period (`feedback=0`:
 * off).
 *
 * Decided here: the period is 5 s. The commit counter of a page does not contain the balloon, so
 * nothing is subtracted; nor does it contain the kernel, which that of Windows does, so what is
 * neither free nor on a list is added. A page that comes back from swap and is a refault as well
 * counts once.
 */
#include <math.h>
#include <stdio.h>

#include "common.h"
#include "share.h"

#define STEP_MS 1000u
#define SIGMA   0.15
#define FORGET  (1.0 / 8.0)

struct state {
	uint32_t period, steps; /* seconds */
	double feedback;        /* 0 or more: pages of E for a page that came back */
	double sigma[SIM_VM_MAX];
	struct poise_abi_guest last[SIM_VM_MAX];
	double lacking[SIM_VM_MAX];
};

/* Reads sigma for each VM. Returns false when an option is none of ours or out of its range. */
static bool read_sigmas(struct state *s, const struct sim_view *view, const char *options)
{
	const size_t room = SIM_VM_MAX * 80u;
	char *known = malloc(room);
	size_t used;
	bool ok = known != NULL;

	if (!ok) {
		return false;
	}
	used = (size_t)snprintf(known, room, "sigma,period,feedback");
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const char *name = known + used + 1u;

		used += (size_t)snprintf(known + used, room - used, ",sigma-%.64s",
					 view->vm[i].name);
		s->sigma[i] = sim_option(options, name, sim_option(options, "sigma", SIGMA));
		ok = ok && s->sigma[i] >= 0.0 && s->sigma[i] <= 1.0;
	}
	ok = ok && sim_option_unknown(options, known) == NULL;
	free(known);
	return ok;
}

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = calloc(1, sizeof(*s));
	const double period = sim_option(options, "period", 5.0);

	if (s == NULL) {
		*error = "no memory";
		return NULL;
	}
	s->feedback = sim_option(options, "feedback", 1.0);
	if (!read_sigmas(s, view, options) || !(period >= 1.0 && period <= 3600.0) ||
	    !(s->feedback >= 0.0 && s->feedback <= 100.0)) {
		*error = "options are sigma and sigma-VM (part of the VM's limit, 0 to 1), period "
			 "(seconds, 1 or more), feedback (0 to 100, 0: off)";
		free(s);
		return NULL;
	}
	s->period = (uint32_t)period;
	return s;
}

static double rise(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) : 0.0;
}

/* Pages that have come back since the last period. */
static double came_back(const struct poise_abi_guest *last, const struct poise_abi_guest *now)
{
	if (last->sample == 0) {
		return 0.0;
	}
	return fmax(rise(last->swap_in_pages, now->swap_in_pages),
		    rise(last->refault_anon_pages, now->refault_anon_pages)) +
	       rise(last->refault_file_pages, now->refault_file_pages);
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	double need[SIM_VM_MAX];

	if (++s->steps % s->period != 0) {
		return;
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double total = (double)vm->max_pages;

		if (vm->stats.sample == 0) {
			need[i] = (double)vm->actual_pages;
			continue;
		}
		s->lacking[i] = s->lacking[i] * (1.0 - FORGET) +
				came_back(&s->last[i], &vm->stats) * s->feedback;
		s->lacking[i] = fmin(s->lacking[i], total);
		s->last[i] = vm->stats;
		need[i] = (double)(vm->stats.committed_pages + kernel_pages(vm)) +
			  s->sigma[i] * total + s->lacking[i];
	}
	sim_share_by_weight(view, need, target);
}

const struct sim_policy sim_policy_counters = {
	.name = "counters",
	.text = "working set from guest counters, W + sigma * total; options sigma, sigma-VM, "
		"period, feedback",
	.period_ms = STEP_MS,
	.start = start,
	.stop = free,
	.step = step,
};
