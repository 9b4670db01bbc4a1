/* SPDX-License-Identifier: MIT */
/*
 * The guest model against measurement. A workload was recorded twice: without a limit, which is its
 * true demand, and under a limit. The model gets the first and the limit, and has to come out where
 * the second did.
 */
#ifndef SIM_VALIDATE_H
#define SIM_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "scenario.h"
#include "trace.h"

/* Totals of one run, in pages, and the part of the demanded work that got done in the time. */
struct sim_totals {
	uint64_t swap_out, swap_in, refault_file;
};

struct sim_validation {
	struct sim_totals measured, simulated;
	double work;
};

/* What may be varied to fit the model: fields of struct sim_load, negative: as it is. */
struct sim_fit {
	double touch, touch_file, touch_new, hot, cold;
};

/* Runs the model on the demand under the limit of `limited`. Returns false with `error`. */
bool sim_validate(const struct sim_trace *demand, const struct sim_trace *limited,
		  const struct sim_fit *fit, struct sim_validation *v, char error[SIM_ERROR_MAX]);

#endif
