/* SPDX-License-Identifier: MIT */
/* Rows of synthetic loads. */
#include "synth.h"

#include <stdlib.h>

#define ROW_MS 250u
/* Kinds without a period repeat these rows: a minute. */
#define PLAIN_MS 60000u
/* An idle hoarder is at work this part of its time. */
#define IDLE_CPU_PERMILLE 5u

static uint32_t wanted(const struct sim_synth *s, uint32_t at_ms)
{
	switch (s->kind) {
	case SIM_SYNTH_PHASES:
	case SIM_SYNTH_SPIKE:
		return at_ms < s->width_ms ? s->high : s->low;
	case SIM_SYNTH_SAWTOOTH:
		return s->low + (uint32_t)((uint64_t)(s->high - s->low) * at_ms / s->period_ms);
	default:
		return s->low;
	}
}

static bool has_period(const struct sim_synth *s)
{
	return s->kind == SIM_SYNTH_PHASES || s->kind == SIM_SYNTH_SPIKE ||
	       s->kind == SIM_SYNTH_SAWTOOTH;
}

bool sim_synth_load(const struct sim_synth *s, struct sim_load *load)
{
	const uint32_t step = s->burst / (1000u / ROW_MS) + 1u;
	const uint32_t period_ms = has_period(s) ? s->period_ms : PLAIN_MS;
	/* Once: growth to the start, and the delay. */
	const uint32_t intro = s->low / step + 1u + s->delay_ms / ROW_MS;
	const uint32_t rows = intro + period_ms / ROW_MS;
	uint32_t anon = 0;

	load->row = calloc(rows, sizeof(*load->row));
	if (load->row == NULL) {
		return false;
	}
	load->rows = rows;
	load->again = intro;
	if (s->kind == SIM_SYNTH_SWEEP) {
		sim_load_sweep(load);
	}
	load->hot_file = s->file;
	/* All of its files are in use. */
	load->code_permille = 1000;
	for (uint32_t i = 0; i < rows; i++) {
		const uint32_t want = i < intro ? s->low : wanted(s, (i - intro) * ROW_MS);
		const bool idle = s->kind == SIM_SYNTH_IDLE && i >= intro;
		const uint32_t cpu = idle ? IDLE_CPU_PERMILLE : s->cpu_permille;

		anon = want > anon + step ? anon + step : want;
		load->row[i] = (struct sim_row){
			.ms = ROW_MS,
			.cpu_ms = ROW_MS * cpu / 1000u,
			.anon = anon,
			.file = s->file + (uint32_t)((uint64_t)s->stream * i * ROW_MS / 1000u),
		};
	}
	return true;
}
