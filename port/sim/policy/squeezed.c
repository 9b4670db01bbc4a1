/* SPDX-License-Identifier: MIT */
/*
 * Policy `squeezed`, baseline B6, after XenServer's: every VM at the same fraction of the way from
 * its minimum to its maximum, 72 MiB of the host kept free. It knows nothing of need: a larger
 * range is the only weight there is.
 *
 * Every 10 s it looks whether a target would change; if so a run begins that goes on once a second:
 * those who have to give are asked first, those who get only when nobody has to give. A VM that is
 * off its target and has not moved towards it for more than 5 s is left out until the run is over:
 * it keeps what it has, the others are squeezed harder. The run is over when everybody else is
 * where it should be. One page every 5 s is progress enough.
 *
 * Decided here: a VM is at its target within the 4 KiB of inaccuracy and one granule, as no
 * balloon does better; a left-out VM's target becomes min(target, size), because the simulator's
 * target is also the limit that Xen has apart from it; the 10 s count from the end of a run. How a
 * run has ended, the 512 KiB of tolerance that decides about that, and the flag of a VM that is off
 * its target for 20 s are told to an operator, change nothing and are left out.
 */
#include "common.h"

#define LOOP_MS         1000u
#define CHECK_MS        10000u
#define STUCK_MS        5000u
#define HOST_FREE_PAGES (72u * PAGES_PER_MIB)
#define INACCURACY      1u /* pages a VM */

struct domain {
	bool left_out;
	uint64_t last_pages; /* its size a second ago */
	uint64_t moved_ms;   /* it has moved or was at its target */
};

struct state {
	bool running;
	uint64_t check_ms; /* the next look while no run goes on */
	struct domain domain[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

static bool is_above(const struct sim_view *view, uint64_t pages, uint64_t than)
{
	return pages > than + INACCURACY + view->granule - 1u;
}

static bool differ(const struct sim_view *view, uint64_t a, uint64_t b)
{
	return is_above(view, a, b) || is_above(view, b, a);
}

/* The sizes at which all who take part are at the same fraction of their ranges. */
static void share_out(const struct state *s, const struct sim_view *view, uint64_t *ideal)
{
	double surplus = (double)view->free_pages - HOST_FREE_PAGES;
	double range = 0.0, gamma;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const uint64_t least = vm->min_pages + 2u * INACCURACY;

		if (!s->domain[i].left_out) {
			surplus +=
				vm->actual_pages > least ? (double)(vm->actual_pages - least) : 0.0;
			range += (double)(vm->max_pages - vm->min_pages);
		}
	}
	gamma = surplus <= 0.0 || range <= 0.0 ? 0.0 : surplus >= range ? 1.0 : surplus / range;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];

		ideal[i] =
			vm->min_pages + (uint64_t)(gamma * (double)(vm->max_pages - vm->min_pages));
	}
}

/* Does anything have to change, with everybody taking part? */
static bool begins(struct state *s, const struct sim_view *view)
{
	uint64_t ideal[SIM_VM_MAX];
	bool change = false;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		s->domain[i] = (struct domain){
			.last_pages = view->vm[i].actual_pages,
			.moved_ms = view->now_ms,
		};
	}
	share_out(s, view, ideal);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		change = change || differ(view, ideal[i], view->vm[i].target_pages);
	}
	return change;
}

static void watch(struct state *s, const struct sim_view *view)
{
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		struct domain *d = &s->domain[i];
		const bool nearer = vm->actual_pages < vm->target_pages
					    ? vm->actual_pages > d->last_pages
					    : vm->actual_pages < d->last_pages;

		if (nearer || !differ(view, vm->actual_pages, vm->target_pages)) {
			d->moved_ms = view->now_ms;
		} else if (view->now_ms - d->moved_ms > STUCK_MS) {
			d->left_out = true;
		}
		d->last_pages = vm->actual_pages;
	}
}

/* One round of a run. Returns whether the run goes on. */
static bool squeeze(const struct state *s, const struct sim_view *view, uint64_t *target)
{
	uint64_t ideal[SIM_VM_MAX];
	bool giving = false, goes_on = false;

	share_out(s, view, ideal);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		giving = giving || (!s->domain[i].left_out &&
				    is_above(view, view->vm[i].actual_pages, ideal[i]));
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];

		if (s->domain[i].left_out) {
			target[i] = limit_pages(target[i] < vm->actual_pages ? target[i]
									     : vm->actual_pages,
						vm->min_pages, vm->max_pages);
			continue;
		}
		if ((!giving || is_above(view, vm->actual_pages, ideal[i])) &&
		    differ(view, ideal[i], target[i])) {
			target[i] = ideal[i];
			goes_on = true;
		}
		goes_on = goes_on || differ(view, vm->actual_pages, target[i]);
	}
	return goes_on;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;

	if (s->running) {
		watch(s, view);
	} else if (view->now_ms >= s->check_ms) {
		s->check_ms = view->now_ms + CHECK_MS;
		s->running = begins(s, view);
	}
	if (s->running) {
		s->running = squeeze(s, view, target);
		s->check_ms = view->now_ms + CHECK_MS;
	}
}

const struct sim_policy sim_policy_squeezed = {
	.name = "squeezed",
	.text = "B6: XenServer's squeezed, the same fraction of each VM's range",
	.period_ms = LOOP_MS,
	.start = start,
	.stop = free,
	.step = step,
};
