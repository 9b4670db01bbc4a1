/* SPDX-License-Identifier: MIT */
/*
 * The threshold search of Melekhova and Markeeva (2015), section IV: how small sigma may be in
 * E = W + sigma * total before a guest's work suffers. Each VM of a scenario is looked at alone, on
 * a machine with its limit: first unmanaged, with all of that, then with the size of policy
 * `counters` for every sigma.
 */
#ifndef SIM_SIGMA_H
#define SIM_SIGMA_H

#include <stdbool.h>
#include <stdint.h>

#include "meter.h"
#include "scenario.h"

struct sim_sigma_sweep {
	double from, to, step; /* of sigma: 0..1, step above 0 */
	double feedback;       /* of policy `counters`; 0: none, as in the search of the paper */
	double loss_percent;   /* a VM may lose so much of its work */
};

struct sim_sigma_point {
	double sigma;
	double loss_percent; /* of the work that it gets done unmanaged */
	struct sim_vm_result vm;
};

struct sim_sigma_vm {
	struct sim_vm_result unmanaged;
	struct sim_sigma_point *point; /* by sigma */
	uint32_t points;
	bool found;
	double threshold; /* from here on no sigma costs more than may be lost */
};

/* How many values of sigma a sweep has. */
uint32_t sim_sigma_points(const struct sim_sigma_sweep *sweep);

/*
 * Sweeps sigma for VM `vm` of the scenario. Returns false with `error`; sim_sigma_free is due in
 * any case.
 */
bool sim_sigma_run(struct sim_sigma_vm *out, const struct sim_scenario *scenario, uint32_t vm,
		   const struct sim_sigma_sweep *sweep, uint64_t seed, char error[SIM_ERROR_MAX]);
void sim_sigma_free(struct sim_sigma_vm *out);

#endif
