/* SPDX-License-Identifier: MIT */
/*
 * Policy `proxmox`, baseline B4, after the automatic ballooning of Proxmox VE: every 10 s the host
 * is moved towards `target` percent of its memory in use (option, 80 as shipped; then a fifth of
 * the machine stays idle by design). What that leaves to hand out or to take back goes to those who
 * need it or comes from those who do not, by shares above each VM's minimum, at most 100 MiB a VM
 * and round. Whether a guest suffers decides who is asked first, never how much there is.
 *
 * Decided here: weights are the shares, which nobody sets to 0 here; memory is the machine's share
 * for VMs, used is what they have of it; free memory is the guest's free list without its cache;
 * "current" in the limit of 100 MiB is the size at the beginning of the round, or a second pass
 * would lift the limit; a request in force stays when a round plans the size that the VM has.
 */
#include <math.h>

#include "common.h"

#define PERIOD_MS   10000u
#define CHANGE_MOST (100.0 * PAGES_PER_MIB)
#define DEAD_BAND   (10.0 * PAGES_PER_MIB)

struct state {
	double target_percent;
};

/* A VM in one round. */
struct row {
	bool taking_part, comfortable;
	double min, max, shares, current, planned;
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = calloc(1, sizeof(*s));

	(void)view;
	if (s == NULL) {
		*error = "no memory";
		return NULL;
	}
	s->target_percent = sim_option(options, "target", 80.0);
	if (sim_option_unknown(options, "target") != NULL ||
	    !(s->target_percent > 0.0 && s->target_percent <= 100.0)) {
		*error = "the only option is target, in percent of the host's memory, 1 to 100";
		free(s);
		return NULL;
	}
	return s;
}

/* One VM's size by its share `unit` of the memory above the minimums. Returns whether it was cut.
 */
static bool want(const struct row *r, double unit, double *desired)
{
	const double size = r->min + floor(unit * r->shares);

	*desired = size < r->min ? r->min : size > r->max ? r->max : size;
	return *desired != size;
}

/*
 * Plans `pages` more (or less, below 0) for the comfortable, the pressured or both. A VM above its
 * share shrinks in a request to grow, too. Returns what could not be planned.
 */
static double change(struct row *row, uint32_t count, bool comfortable, bool pressured,
		     double pages)
{
	bool done[SIM_VM_MAX] = {false};
	bool again = true, moved = true;
	double rest = pages;

	while (rest != 0.0 && again && moved) {
		double shares = 0.0, above = rest, sum = 0.0;

		for (uint32_t i = 0; i < count; i++) {
			done[i] = done[i] || !row[i].taking_part ||
				  !(row[i].comfortable ? comfortable : pressured);
			if (!done[i]) {
				shares += row[i].shares;
				above += row[i].planned - row[i].min;
			}
		}
		again = false;
		moved = false;
		for (uint32_t i = 0; i < count; i++) {
			struct row *r = &row[i];
			double desired, plan;

			if (done[i]) {
				continue;
			}
			again = want(r, above / shares, &desired) || again;
			if (pages > 0.0 && desired > r->current) {
				plan = fmin(desired, r->current + CHANGE_MOST);
			} else if (desired < r->current) {
				plan = fmax(desired, r->current - CHANGE_MOST);
			} else {
				done[i] = true;
				continue;
			}
			moved = moved || plan != r->planned;
			sum += plan - r->planned;
			r->planned = plan;
		}
		rest -= sum;
	}
	return rest;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	const struct state *s = state;
	const double used = (double)(view->total_pages - view->free_pages);
	const double goal = floor((double)view->total_pages * s->target_percent / 100.0) - used;
	const uint32_t count = view->vm_count;
	struct row row[SIM_VM_MAX];
	double rest;

	if (fabs(goal) <= DEAD_BAND) {
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double min = (double)vm->min_pages;
		const double current = (double)vm->actual_pages;

		row[i] = (struct row){
			.taking_part = vm->stats.sample != 0 && vm->min_pages != 0,
			.comfortable = (double)vm->stats.free_pages > 0.25 * min && current >= min,
			.min = min,
			.max = (double)vm->max_pages,
			.shares = (double)vm->weight,
			.current = current,
			.planned = current,
		};
	}
	rest = change(row, count, goal<0.0, goal> 0.0, goal);
	if (goal > 0.0 ? rest >= goal : rest <= goal) {
		change(row, count, true, true, rest);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (row[i].planned != row[i].current) {
			target[i] = (uint64_t)row[i].planned;
		}
	}
}

const struct sim_policy sim_policy_proxmox = {
	.name = "proxmox",
	.text = "B4: Proxmox VE, shares of 80 % of the host, option target=PERCENT",
	.period_ms = PERIOD_MS,
	.start = start,
	.stop = free,
	.step = step,
};
