/* SPDX-License-Identifier: MIT */
/*
 * Policy `chromeos`, baseline B10, after ChromeOS's BalanceAvailable: once a second host and guest
 * meet in the middle. Each has a critical level of available memory (the host 5.2 % of its memory;
 * a guest 400 MiB at first, less once it has lived with less although its balloon was not full),
 * and half of the difference between what they have above it moves.
 *
 * A guest with old numbers is left out. There are no minimum, no weights, and a bias that is 0.
 *
 * Decided here: available in the host is what no VM has, and each VM is balanced against all of it,
 * as measured at the start of the second; when the two limits of a step cross, because one side
 * lacks more than the other has, that other gives what it has, and when neither has anything,
 * nothing moves; the critical level is learned when guest and balloon are below theirs in two ticks
 * in a row, the first of which is the second tick; a sample older than its period and the 100 ms
 * that a guest has to answer is old; file pages are what the guest has in caches.
 */
#include <math.h>

#include "common.h"

#define TICK_MS           1000u
#define OLD_MS            (TICK_MS + 100u)
#define HOST_CRITICAL     0.052
#define GUEST_CRITICAL    (400.0 * PAGES_PER_MIB)
#define SLACK             (10.0 * PAGES_PER_MIB)
#define FULL_PERCENT      95u
#define FIRST_BALLOON_NUM 3u /* of 4 parts of the guest */

struct vm_state {
	uint64_t balloon_most;
	double critical;
	double available; /* at the last tick; below 0: not known */
	uint64_t full_percent;
};

struct state {
	struct vm_state vm[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = state_without_options(sizeof(*s), options, error);

	for (uint32_t i = 0; s != NULL && i < view->vm_count; i++) {
		s->vm[i] = (struct vm_state){
			.balloon_most = view->vm[i].max_pages * FIRST_BALLOON_NUM / 4u,
			.critical = GUEST_CRITICAL,
			.available = -1.0,
		};
	}
	return s;
}

static void learn(struct vm_state *v, double available, uint64_t full_percent)
{
	if (v->available >= 0.0 && available < v->critical && v->available < v->critical &&
	    full_percent < FULL_PERCENT && v->full_percent < FULL_PERCENT) {
		v->critical = v->available;
	}
	v->available = available;
	v->full_percent = full_percent;
}

/* Whole percents: less than 2 % is no reason to move. */
static bool is_worth_it(double delta, double above)
{
	return above < PAGES_PER_MIB || floor(fabs(delta) * 100.0 / above) > 1.0;
}

/* Returns by how many pages the balloon is to grow. */
static double balance(const struct vm_state *v, double host)
{
	const double guest = v->available - v->critical;
	const double most = guest + SLACK;
	const double least = -(host + SLACK);
	double delta = (guest - host) / 2.0;

	if (!(is_worth_it(delta, guest) || is_worth_it(delta, host))) {
		return 0.0;
	}
	if (least > most) {
		return least < 0.0 ? least : most > 0.0 ? most : 0.0;
	}
	delta = delta < least ? least : delta;
	return delta > most ? most : delta;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	const double host = (double)view->free_pages - HOST_CRITICAL * (double)view->total_pages;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const uint64_t balloon = vm->max_pages - vm->actual_pages;
		struct vm_state *v = &s->vm[i];
		double delta;

		if (vm->stats.sample == 0 || view->now_ms - vm->stats_ms > OLD_MS) {
			continue;
		}
		v->balloon_most = balloon > v->balloon_most ? balloon : v->balloon_most;
		learn(v,
		      (double)(vm->stats.free_pages + vm->stats.active_file_pages +
			       vm->stats.inactive_file_pages),
		      v->balloon_most == 0 ? 0 : 100u * balloon / v->balloon_most);
		delta = balance(v, host);
		if (delta < 0.0 || delta > 0.0) {
			target[i] = limit_size((double)vm->actual_pages - delta, 1, vm->max_pages);
		}
	}
}

const struct sim_policy sim_policy_chromeos = {
	.name = "chromeos",
	.text = "B10: ChromeOS BalanceAvailable, guest and host meet in the middle every second",
	.period_ms = TICK_MS,
	.start = start,
	.stop = free,
	.step = step,
};
