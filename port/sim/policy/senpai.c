/* SPDX-License-Identifier: MIT */
/*
 * Policy `senpai`, baseline B15: a probe for each VM, after Meta's senpai for control groups. Once
 * a second it adds up the time that the VM's work stood still for memory (PSI, "some"). More than
 * 10 ms raise the VM's size at once, by up to all of it; 6 s without that lower it by up to 1 %. So
 * a VM always has a little less than it could do with, and finds out what that is.
 *
 * Nobody arbitrates: what is not there, a VM does not get. Reservations and weights do not matter.
 *
 * Decided here: a VM begins with what it has at the first step; sizes end at its limit.
 */
#include <math.h>

#include "common.h"

#define STEP_MS     1000u
#define INTERVAL    6u      /* steps */
#define TARGET_US   10000.0 /* in an interval */
#define RAISE_MOST  1.0
#define RAISE_SCALE 20.0
#define LOWER_MOST  0.01
#define LOWER_SCALE 10.0
#define SIZE_LEAST  (100u * PAGES_PER_MIB)

struct probe {
	bool begun;
	uint64_t stall_ms; /* at the last step */
	double integral_us;
	uint32_t grace; /* steps until the size may be lowered */
	uint64_t size;
};

struct state {
	struct probe vm[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

static void resize(struct probe *p, double factor, uint64_t most)
{
	p->size = limit_size((double)p->size * factor, SIZE_LEAST < most ? SIZE_LEAST : most, most);
	p->integral_us = 0.0;
	p->grace = INTERVAL;
}

static void probe(struct probe *p, const struct sim_vm_view *vm)
{
	double change;

	p->integral_us += (double)(vm->stall_ms - p->stall_ms) * 1000.0;
	p->stall_ms = vm->stall_ms;
	if (p->integral_us > TARGET_US) {
		change = p->integral_us / TARGET_US / RAISE_SCALE;
		resize(p, 1.0 + fmin(change * change, 1.0) * RAISE_MOST, vm->max_pages);
		return;
	}
	if (--p->grace == 0) {
		change = TARGET_US / fmax(p->integral_us, 1.0) / LOWER_SCALE;
		resize(p, 1.0 - fmin(change * change * LOWER_MOST, LOWER_MOST), vm->max_pages);
	}
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		struct probe *p = &s->vm[i];

		if (p->begun) {
			probe(p, vm);
		} else {
			*p = (struct probe){.begun = true,
					    .stall_ms = vm->stall_ms,
					    .grace = INTERVAL,
					    .size = vm->actual_pages};
		}
		target[i] = p->size;
	}
}

const struct sim_policy sim_policy_senpai = {
	.name = "senpai",
	.text = "B15: probes each VM by its stalled time, -1 % in 6 s to +100 % at once",
	.period_ms = STEP_MS,
	.start = start,
	.stop = free,
	.step = step,
};
