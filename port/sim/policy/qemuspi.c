/* SPDX-License-Identifier: MIT */
/*
 * Policy `qemuspi`, baseline B13: a PI controller for each VM, every 5 s, that keeps 80 % of the
 * host in use: error e = 20 % - free part of the host, integral I in -1..1, size = actual - (0.5 e
 * + 0.05 I) * limit. No VM gets less than a third of its limit, nor less than its guest uses unless
 * more than 90 % of the host are in use. Less than 128 MiB is no reason to move, except to one of
 * the bounds. At a bound the integral is set to what leads there (back-calculation).
 *
 * The VMs are controlled apart from each other by the same error; which of them is in need does not
 * matter, nor do reservations and weights.
 *
 * Decided here: the host's free memory is what no VM has. This host never pages, so it has no
 * pressure stall of its own (PSI) that would lower the upper bound, and no container limit. What a
 * guest uses is what it had in its hands at the time of its sample without what was available then.
 */
#include <math.h>

#include "common.h"

#define STEP_S        5.0
#define SETPOINT      0.80
#define HOST_FULL     0.90
#define GAIN_P        0.5
#define GAIN_I        0.05
#define INTEGRAL_MOST 1.0
#define FLOOR         0.33
#define HYSTERESIS    (128.0 * PAGES_PER_MIB)

struct state {
	double integral[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

static double limit(double value, double least, double most)
{
	return fmin(fmax(value, least), most);
}

static double guest_used(const struct poise_abi_guest *s)
{
	return (double)(s->total_pages - s->balloon_pages) - (double)s->available_pages;
}

/* One step of one VM's controller. Returns false if what was asked for last is to stay. */
static bool control(double *integral, const struct sim_vm_view *vm, double free_part,
		    uint64_t *target)
{
	const double error = 1.0 - SETPOINT - free_part;
	const double now = (double)vm->actual_pages;
	const double most = (double)vm->max_pages;
	const double third = FLOOR * most;
	const double least = 1.0 - free_part > HOST_FULL
				     ? third
				     : fmin(fmax(third, guest_used(&vm->stats)), most);
	double want, size;

	*integral = limit(*integral + error * STEP_S, -INTEGRAL_MOST, INTEGRAL_MOST);
	want = now - (GAIN_P * error + GAIN_I * *integral) * most;
	size = limit(want, least, most);
	*target = limit_size(size, 1, vm->max_pages);
	if (want < size || want > size) {
		const double led = ((now - size) / most - GAIN_P * error) / GAIN_I;

		*integral = limit(led, -INTEGRAL_MOST, INTEGRAL_MOST);
		return true;
	}
	return fabs(size - now) >= HYSTERESIS;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	const double free_part = (double)view->free_pages / (double)view->total_pages;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		uint64_t size;

		if (view->vm[i].stats.sample != 0 &&
		    control(&s->integral[i], &view->vm[i], free_part, &size)) {
			target[i] = size;
		}
	}
}

const struct sim_policy sim_policy_qemuspi = {
	.name = "qemuspi",
	.text = "B13: PI controller per VM that keeps 80 % of the host in use",
	.period_ms = 5000,
	.start = start,
	.stop = free,
	.step = step,
};
