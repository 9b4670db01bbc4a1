/* SPDX-License-Identifier: MIT */
/*
 * Recorded traces: `# poise-trace 1`, comments `# key: value`, a header line with the columns'
 * names, then rows. Strict: what cannot be is an error with file, line and reason.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "load.h"

#define SIM_TRACE_ERROR_MAX 512

enum sim_trace_column {
	TRACE_T_MS,
	TRACE_ACTIVE_ANON,
	TRACE_INACTIVE_ANON,
	TRACE_ACTIVE_FILE,
	TRACE_INACTIVE_FILE,
	TRACE_UNEVICTABLE,
	TRACE_SWAP_USED,
	TRACE_SWAP_OUT,
	TRACE_SWAP_IN,
	TRACE_REFAULT_ANON,
	TRACE_REFAULT_FILE,
	TRACE_MAJOR_FAULTS,
	TRACE_MINOR_FAULTS,
	TRACE_CPU_MS,
	TRACE_COLUMNS
};

/* Values are below 10^9; those that were not recorded are 0. */
struct sim_trace_row {
	uint32_t value[TRACE_COLUMNS];
};

struct sim_trace {
	struct sim_trace_row *row;
	uint32_t rows;                /* at least 1 */
	bool recorded[TRACE_COLUMNS]; /* has a value in some row */
	bool sweeps;                  /* the workload passes over all its memory again and again */
	uint32_t limit_pages;         /* it was recorded under this limit, 0: none */
	uint32_t max_usage_pages;     /* most that was charged, 0: not told */
};

/* Reads a trace. Returns false with `error` = "file:line: reason" (or "file: reason"). */
bool sim_trace_read(struct sim_trace *trace, const char *path, char error[SIM_TRACE_ERROR_MAX]);
void sim_trace_free(struct sim_trace *trace);

/* Pages on all lists in a row: memory in use, swap not counted. */
uint32_t sim_trace_used(const struct sim_trace_row *row);

/* Makes a load of it; false without memory. `load` has its defaults already. */
bool sim_trace_load(const struct sim_trace *trace, struct sim_load *load);

#endif
