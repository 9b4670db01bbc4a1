/* SPDX-License-Identifier: MIT */
/* The paper's equations on a trace; see predict.h. */
#include "predict.h"

#include <stdlib.h>

#define SECOND_MS 1000u
/* Rows come every 250 ms, more or less: the one nearest to each second is taken. */
#define NEAR_MS 125u

uint32_t sim_predict_total(const struct sim_trace *trace)
{
	uint32_t most = 0;

	if (trace->limit_pages != 0) {
		return trace->limit_pages;
	}
	for (uint32_t i = 0; i < trace->rows; i++) {
		const uint32_t used =
			sim_trace_used(&trace->row[i]) - trace->row[i].value[TRACE_SWAP_USED];

		most = used > most ? used : most;
	}
	return trace->max_usage_pages > most ? trace->max_usage_pages : most;
}

static double memory_in_use(const struct sim_trace_row *row, bool resident)
{
	double m = (double)row->value[TRACE_ACTIVE_FILE] + row->value[TRACE_ACTIVE_ANON] +
		   row->value[TRACE_SWAP_USED];

	return resident ? m + row->value[TRACE_INACTIVE_ANON] : m;
}

const char *sim_predict_run(struct sim_predict *p, const struct sim_trace *trace, double alpha,
			    bool resident, uint32_t total_pages, uint32_t *row)
{
	const uint32_t start_ms = trace->row[0].value[TRACE_T_MS];
	double before = memory_in_use(&trace->row[0], resident);
	uint32_t second = 1;

	*p = (struct sim_predict){0};
	*row = 0;
	p->row = calloc(trace->rows, sizeof(*p->row));
	if (p->row == NULL) {
		return "no memory";
	}
	for (uint32_t i = 1; i < trace->rows; i++) {
		const struct sim_trace_row *now = &trace->row[i];
		const uint32_t t_ms = now->value[TRACE_T_MS];
		const double m = memory_in_use(now, resident);
		const uint32_t in_ram = sim_trace_used(now);
		struct sim_predict_row *out = &p->row[p->rows];

		if (t_ms - start_ms + NEAR_MS < second * SECOND_MS) {
			continue;
		}
		if (in_ram > total_pages) {
			*row = i + 1u;
			return "more pages on the lists than the VM has";
		}
		second = (t_ms - start_ms + NEAR_MS) / SECOND_MS + 1u;
		out->t_ms = t_ms;
		out->dm = m - before;
		out->delta =
			p->rows == 0 ? out->dm : alpha * out->dm + (1.0 - alpha) * out[-1].delta;
		out->r = (double)now->value[TRACE_INACTIVE_FILE] + (total_pages - in_ram) -
			 total_pages / 10.0;
		before = m;
		p->rows++;
	}
	for (uint32_t i = 1; i < p->rows; i++) {
		const double error = p->row[i - 1u].delta - p->row[i].dm;

		p->over += error > 0.0 ? error / (p->rows - 1u) : 0.0;
		p->under += error < 0.0 ? -error / (p->rows - 1u) : 0.0;
	}
	p->mean_abs = p->over + p->under;
	return NULL;
}

void sim_predict_free(struct sim_predict *p)
{
	free(p->row);
	*p = (struct sim_predict){0};
}
