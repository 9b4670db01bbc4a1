/* SPDX-License-Identifier: MIT */
/*
 * Policy `hypeman`, baseline B14: looks at the host alone, every 2 s. Pressure begins with 10 % of
 * the host's memory available and ends with 15 %. What is missing to 15 % is taken from the VMs in
 * proportion to what each is assigned above max(512 MiB, half of it). A VM moves by 64 MiB or more
 * and 256 MiB at most, and then not for 5 s.
 *
 * The plan is absolute: assigned size without the VM's share of what is missing now. What has been
 * taken already is not added, so as soon as taking has helped, less is missing and the plan gives
 * back what was taken: the VMs swing for ever. That is how it is, and what this baseline is for.
 *
 * Decided here: available is what no VM has; assigned is the VM's limit, and what it has now is the
 * last target; this host never pages, so it has no pressure stall (PSI) of its own to begin with.
 */
#include "common.h"

#define STEP_MS      2000u
#define PRESSURE_ON  0.10
#define PRESSURE_OFF 0.15
#define FLOOR        (512u * PAGES_PER_MIB)
#define CHANGE_LEAST (64u * PAGES_PER_MIB)
#define CHANGE_MOST  (256u * PAGES_PER_MIB)
#define COOL_DOWN_MS 5000u

struct state {
	bool pressure;
	uint64_t quiet_ms[SIM_VM_MAX]; /* left alone until then */
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

static double headroom(const struct sim_vm_view *vm)
{
	const uint64_t half = vm->max_pages / 2u;
	const uint64_t floor = half > FLOOR ? half : FLOOR;

	return vm->max_pages > floor ? (double)(vm->max_pages - floor) : 0.0;
}

/* What is to be taken from all VMs together. */
static double missing(struct state *s, const struct sim_view *view)
{
	const double total = (double)view->total_pages;
	const double available = (double)view->free_pages;

	if (available <= PRESSURE_ON * total) {
		s->pressure = true;
	} else if (available >= PRESSURE_OFF * total) {
		s->pressure = false;
	}
	return s->pressure ? PRESSURE_OFF * total - available : 0.0;
}

/* One step from `now` towards `goal`. */
static uint64_t approach(uint64_t now, uint64_t goal)
{
	const uint64_t way = goal > now ? goal - now : now - goal;
	const uint64_t change = way < CHANGE_MOST ? way : CHANGE_MOST;

	if (way < CHANGE_LEAST) {
		return now;
	}
	return goal > now ? now + change : now - change;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	const double wanted = missing(s, view);
	double all = 0.0;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		all += headroom(&view->vm[i]);
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double part = wanted < all ? wanted / all : 1.0;
		const double share = all > 0.0 ? headroom(vm) * part : 0.0;
		const uint64_t now = vm->target_pages;

		if (view->now_ms < s->quiet_ms[i]) {
			continue;
		}
		target[i] =
			approach(now, limit_size((double)vm->max_pages - share, 1, vm->max_pages));
		if (target[i] != now) {
			s->quiet_ms[i] = view->now_ms + COOL_DOWN_MS;
		}
	}
}

const struct sim_policy sim_policy_hypeman = {
	.name = "hypeman",
	.text = "B14: takes what is missing to 15 % of the host, gives it back when it is not",
	.period_ms = STEP_MS,
	.start = start,
	.stop = free,
	.step = step,
};
