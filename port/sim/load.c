/* SPDX-License-Identifier: MIT */
/* What is true of any load; where loads come from is trace.c, pages.c and synth.c. */
#include "load.h"

#include <stdlib.h>

void sim_load_defaults(struct sim_load *load)
{
	/* Fitted on some of the recorded workloads, checked on the others: see README.md. */
	load->touch = 25000;
	load->touch_file = 5000;
	load->touch_new = 1000;
	load->hot_permille = 600;
	load->cold_permille = 30;
	load->code_permille = 250;
}

void sim_load_sweep(struct sim_load *load)
{
	load->pattern = SIM_PATTERN_SWEEP;
	load->touch = 1400000;
}

void sim_load_free(struct sim_load *load)
{
	free(load->row);
	free(load->list);
	*load = (struct sim_load){0};
}

uint64_t sim_load_ms(const struct sim_load *load)
{
	uint64_t ms = 0;

	for (uint32_t i = 0; i < load->rows; i++) {
		ms += load->row[i].ms;
	}
	return ms;
}

uint32_t sim_load_anon_max(const struct sim_load *load)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < load->rows; i++) {
		most = load->row[i].anon > most ? load->row[i].anon : most;
	}
	return most;
}

uint64_t sim_load_file_reads(const struct sim_load *load)
{
	uint64_t reads = 0;
	uint32_t file = 0;

	for (uint32_t i = 0; i < load->rows; i++) {
		reads += load->row[i].file > file ? load->row[i].file - file : 0;
		file = load->row[i].file;
	}
	return reads;
}
