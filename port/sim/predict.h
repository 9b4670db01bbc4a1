/* SPDX-License-Identifier: MIT */
/*
 * Demand against forecast on a recorded trace: equations (1) to (3) of Kim et al., "Symbiotic
 * Dynamic Memory Balancing for Virtual Machines in Smart TV Systems" (2014), in floating point.
 * What the core does in fixed point is tested against the same numbers.
 */
#ifndef SIM_PREDICT_H
#define SIM_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

struct sim_predict_row {
	uint32_t t_ms;
	double dm;    /* (1): change of the memory in use since the row before */
	double delta; /* (2): after this row, the forecast for the next one */
	double r;     /* (3): reclaimable */
};

struct sim_predict {
	struct sim_predict_row *row; /* one a second, without the first sample */
	uint32_t rows;
	/* Forecast made at one row against the change at the next: mean, and its two sides. */
	double mean_abs, over, under;
};

/*
 * `resident`: all anonymous pages count as in use, not the active ones alone. `total_pages`: of the
 * VM, for (3). Returns NULL, or why not; *row is then the row of the trace, from 1, or 0.
 */
const char *sim_predict_run(struct sim_predict *p, const struct sim_trace *trace, double alpha,
			    bool resident, uint32_t total_pages, uint32_t *row);
void sim_predict_free(struct sim_predict *p);

/* The VM's size that a trace suggests: its limit, else the most that was charged, else the most
 * that is on its lists in any row. */
uint32_t sim_predict_total(const struct sim_trace *trace);

#endif
