/* SPDX-License-Identifier: MIT */
/*
 * Synthetic loads: anonymous memory as a simple function of time, a program's own files, and a
 * stream of file data on top. Each parameter has a meaning for each kind, or none.
 */
#ifndef SIM_SYNTH_H
#define SIM_SYNTH_H

#include <stdbool.h>
#include <stdint.h>

#include "load.h"

enum sim_synth_kind {
	SIM_SYNTH_STREAM,   /* `low` for ever, and file data at `stream` */
	SIM_SYNTH_SWEEP,    /* `low` for ever, all of it passed over again and again */
	SIM_SYNTH_PHASES,   /* `low` and `high` in turn, `width` of each `period` high */
	SIM_SYNTH_SPIKE,    /* as phases, but touched while it is high and given back at once */
	SIM_SYNTH_SAWTOOTH, /* from `low` to `high` in a `period`, then back at once */
	SIM_SYNTH_IDLE,     /* `low` once, then next to nothing is touched */
	SIM_SYNTH_KINDS
};

struct sim_synth {
	enum sim_synth_kind kind;
	uint32_t low, high;                     /* pages */
	uint32_t file;                          /* pages of the programs' own files */
	uint32_t stream;                        /* pages a second */
	uint32_t period_ms, width_ms, delay_ms; /* the first period starts after the delay */
	uint32_t burst;                         /* pages a second, fastest growth */
	uint32_t cpu_permille;                  /* of the time at work */
};

/* Makes the load; false without memory. `load` has its defaults already. */
bool sim_synth_load(const struct sim_synth *synth, struct sim_load *load);

#endif
