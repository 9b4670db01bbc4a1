/* SPDX-License-Identifier: MIT */
/*
 * Policy `proportional`, the smallest that balances at all, and the file to start a new policy
 * from: every `period` seconds each VM gets its reservation, and what is left goes by what each
 * uses above it (anonymous memory, active page cache, swap). Nothing damps it.
 */
#include <stdlib.h>

#include "../policy.h"

struct state {
	double period_s;
	uint64_t next_ms;
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = calloc(1, sizeof(*s));

	(void)view;
	if (s == NULL) {
		*error = "no memory";
		return NULL;
	}
	s->period_s = sim_option(options, "period", 5.0);
	if (sim_option_unknown(options, "period") != NULL || !(s->period_s >= 1.0)) {
		*error = "the only option is period, in seconds, 1 or more";
		free(s);
		return NULL;
	}
	return s;
}

static void stop(void *state)
{
	free(state);
}

/* What the VM uses above its reservation, weighted; never 0, so that the shares are defined. */
static double claim(const struct sim_vm_view *vm)
{
	const struct poise_abi_guest *s = &vm->stats;
	const double used = (double)(s->active_anon_pages + s->inactive_anon_pages +
				     s->active_file_pages + s->swap_used_pages);

	return (used > (double)vm->min_pages ? used - (double)vm->min_pages : 1.0) * vm->weight;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	double spare = (double)view->total_pages;
	double claims = 0.0;

	if (view->now_ms < s->next_ms) {
		return;
	}
	s->next_ms = view->now_ms + (uint64_t)(s->period_s * 1000.0);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		if (view->vm[i].stats.sample == 0) {
			return;
		}
		spare -= (double)view->vm[i].min_pages;
		claims += claim(&view->vm[i]);
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double share = spare * claim(vm) / claims;

		target[i] = vm->min_pages + (uint64_t)share;
		if (target[i] > vm->max_pages) {
			target[i] = vm->max_pages;
		}
	}
}

const struct sim_policy sim_policy_proportional = {
	.name = "proportional",
	.text = "example: reservation plus a share by what is used, option period=SECONDS",
	.period_ms = 1000,
	.start = start,
	.stop = stop,
	.step = step,
};
