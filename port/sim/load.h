/* SPDX-License-Identifier: MIT */
/*
 * Loads: what a VM's programs want from memory, as rows over time, whatever they came from: a
 * recorded trace, a list of page numbers, or parameters. The player turns rows into page touches.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the programs have and do in one stretch of time. Pages of 4 KiB. */
struct sim_row {
	uint32_t ms; /* how long it takes when no memory is missing */
	/* Of that the processor is at work: at most `ms`; the rest waits for users. */
	uint32_t cpu_ms;
	uint32_t anon;  /* anonymous pages at its end */
	uint32_t file;  /* file pages that a system without limits would hold at its end */
	uint32_t churn; /* anonymous pages freed and allocated again within the row */
};

enum sim_pattern {
	SIM_PATTERN_HOT,   /* a hot part of the set gets most touches */
	SIM_PATTERN_SWEEP, /* the whole set is passed over again and again */
	SIM_PATTERN_LIST,  /* the pages of `list`, one after the other */
};

struct sim_load {
	struct sim_row *row;
	uint32_t rows;
	uint32_t again; /* a load that loops goes on with this row; those before it come once */
	enum sim_pattern pattern;
	uint32_t *list; /* of page numbers, SIM_PATTERN_LIST */
	uint32_t list_count;
	uint32_t unit; /* pages that one number of the list stands for */

	/* What no recording tells: how memory is used. Fitted, see README.md. */
	uint32_t touch;         /* anonymous touches a second of processor time */
	uint32_t touch_file;    /* touches of the code that runs, a second of processor time */
	uint32_t touch_new;     /* touches of the programs' files for 1000 new anonymous pages */
	uint32_t hot_permille;  /* of the regions that are hot at a time */
	uint32_t cold_permille; /* of the touches that go anywhere in the set */
	uint32_t hot_file;      /* pages of the programs' files */
	uint32_t code_permille; /* of those, that the code which runs takes up */
};

/* Fills in the figures that no recording tells with their fitted values. */
void sim_load_defaults(struct sim_load *load);

/* Makes it pass over its set again and again, as fast as a processor does that. */
void sim_load_sweep(struct sim_load *load);

/* One of several programs in a VM. */
struct sim_load_part {
	struct sim_load load; /* SIM_PATTERN_HOT */
	uint32_t delay_ms;    /* it starts so late */
};

/*
 * Makes the load of a VM in which several programs run: what they have and do at each time, added
 * up. It takes as long as the longest of them; the others begin again. `load` has its defaults
 * already. Returns false without memory, or when that would be too long or too large.
 */
bool sim_load_sum(const struct sim_load_part *part, uint32_t parts, struct sim_load *load);

/* Frees what the load holds. */
void sim_load_free(struct sim_load *load);

/* Returns the time that all rows take, in ms. */
uint64_t sim_load_ms(const struct sim_load *load);

/* Most anonymous pages in any row; and file pages that are read in one pass through the rows. */
uint32_t sim_load_anon_max(const struct sim_load *load);
uint64_t sim_load_file_reads(const struct sim_load *load);

#endif
