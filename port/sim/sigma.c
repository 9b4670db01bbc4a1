/* SPDX-License-Identifier: MIT */
/* The sweep over sigma; sigma.h says what for. */
#include "sigma.h"

#include <stdio.h>
#include <stdlib.h>

#include "run.h"

uint32_t sim_sigma_points(const struct sim_sigma_sweep *sweep)
{
	/* A little more than whole steps, since no decimal step is exact. */
	return (uint32_t)((sweep->to - sweep->from) / sweep->step + 1e-6) + 1u;
}

/* The VM alone with all that it may have. */
static void make_alone(const struct sim_scenario *scenario, uint32_t vm, struct sim_scenario *alone)
{
	*alone = *scenario;
	alone->vm_count = 1;
	alone->vm[0] = scenario->vm[vm];
	alone->vm[0].boot_pages = alone->vm[0].max_pages;
	alone->total_pages = alone->vm[0].max_pages;
}

static bool run(const struct sim_scenario *alone, const char *policy, uint64_t seed,
		struct sim_vm_result *vm, char error[SIM_ERROR_MAX])
{
	const struct sim_run_options options = {.seed = seed};
	struct sim_result *result = malloc(sizeof(*result));
	bool ok = result != NULL;

	if (!ok) {
		snprintf(error, SIM_ERROR_MAX, "no memory");
	} else {
		ok = sim_run(alone, policy, &options, result, error);
		*vm = result->vm[0];
	}
	free(result);
	return ok;
}

/* The smallest sigma from which on all are good enough. */
static void find_threshold(struct sim_sigma_vm *out, double loss_percent)
{
	for (uint32_t i = out->points; i > 0 && out->point[i - 1u].loss_percent <= loss_percent;
	     i--) {
		out->found = true;
		out->threshold = out->point[i - 1u].sigma;
	}
}

static bool sweep_alone(struct sim_sigma_vm *out, const struct sim_scenario *alone,
			const struct sim_sigma_sweep *sweep, uint64_t seed,
			char error[SIM_ERROR_MAX])
{
	const uint32_t points = sim_sigma_points(sweep);

	if (!run(alone, "static", seed, &out->unmanaged, error)) {
		return false;
	}
	for (; out->points < points; out->points++) {
		struct sim_sigma_point *p = &out->point[out->points];
		char policy[64];

		p->sigma = sweep->from + out->points * sweep->step;
		p->sigma = p->sigma < 1.0 ? p->sigma : 1.0;
		snprintf(policy, sizeof(policy), "counters:sigma=%.6f:feedback=%.6f", p->sigma,
			 sweep->feedback);
		if (!run(alone, policy, seed, &p->vm, error)) {
			return false;
		}
		/* A VM that gets nothing done even so has nothing to lose. */
		p->loss_percent = out->unmanaged.work > 0.0
					  ? (1.0 - p->vm.work / out->unmanaged.work) * 100.0
					  : 0.0;
	}
	find_threshold(out, sweep->loss_percent);
	return true;
}

bool sim_sigma_run(struct sim_sigma_vm *out, const struct sim_scenario *scenario, uint32_t vm,
		   const struct sim_sigma_sweep *sweep, uint64_t seed, char error[SIM_ERROR_MAX])
{
	struct sim_scenario *alone = malloc(sizeof(*alone));
	bool ok;

	*out = (struct sim_sigma_vm){0};
	out->point = calloc(sim_sigma_points(sweep), sizeof(*out->point));
	ok = alone != NULL && out->point != NULL;
	if (!ok) {
		snprintf(error, SIM_ERROR_MAX, "no memory");
	} else {
		make_alone(scenario, vm, alone);
		ok = sweep_alone(out, alone, sweep, seed, error);
	}
	free(alone);
	return ok;
}

void sim_sigma_free(struct sim_sigma_vm *out)
{
	free(out->point);
	*out = (struct sim_sigma_vm){0};
}
