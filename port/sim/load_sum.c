/* SPDX-License-Identifier: MIT */
/* Several programs in one VM: their rows, cut at equal times and added up. */
#include <stdlib.h>

#include "load.h"

#define ROW_MS 250u
/* 11 days, as for a trace. */
#define ROWS_MAX 4000000u

/* Where one program is. */
struct place {
	const struct sim_load *load;
	uint32_t delay_ms; /* still to wait */
	uint32_t row;
	uint32_t into_ms; /* of the row */
	uint32_t anon, file;
};

/* What falls into [from, to) of a row that takes `ms`, so that all pieces add up to `whole`. */
static uint32_t piece(uint32_t whole, uint32_t from, uint32_t to, uint32_t ms)
{
	return (uint32_t)((uint64_t)whole * to / ms - (uint64_t)whole * from / ms);
}

/*
 * Moves on by `ms`, and adds what the program does in it, and has at its end, to `sum`. Returns
 * false when the sum is more than pages can be counted.
 */
static bool advance(struct place *p, uint32_t ms, struct sim_row *sum)
{
	const uint32_t wait_ms = ms < p->delay_ms ? ms : p->delay_ms;

	p->delay_ms -= wait_ms;
	ms -= wait_ms;
	while (ms > 0 && p->load->rows > 0) {
		const struct sim_row *row = &p->load->row[p->row];
		const uint32_t left_ms = row->ms - p->into_ms;
		const uint32_t to_ms = p->into_ms + (left_ms < ms ? left_ms : ms);

		sum->cpu_ms += piece(row->cpu_ms, p->into_ms, to_ms, row->ms);
		sum->churn += piece(row->churn, p->into_ms, to_ms, row->ms);
		p->anon = row->anon;
		p->file = row->file;
		ms -= to_ms - p->into_ms;
		p->into_ms = to_ms;
		if (to_ms == row->ms) {
			p->into_ms = 0;
			p->row = p->row + 1u < p->load->rows ? p->row + 1u : p->load->again;
		}
	}
	sum->anon += p->anon;
	sum->file += p->file;
	return sum->anon >= p->anon && sum->file >= p->file;
}

bool sim_load_sum(const struct sim_load_part *part, uint32_t parts, struct sim_load *load)
{
	struct place *place = calloc(parts, sizeof(*place));
	uint64_t longest_ms = ROW_MS;
	bool ok = place != NULL;

	for (uint32_t i = 0; ok && i < parts; i++) {
		const uint64_t ms = part[i].delay_ms + sim_load_ms(&part[i].load);

		longest_ms = ms > longest_ms ? ms : longest_ms;
		place[i] = (struct place){.load = &part[i].load, .delay_ms = part[i].delay_ms};
		load->hot_file += part[i].load.hot_file;
	}
	ok = ok && longest_ms / ROW_MS <= ROWS_MAX;
	load->row = ok ? calloc((size_t)(longest_ms / ROW_MS), sizeof(*load->row)) : NULL;
	ok = load->row != NULL;
	for (; ok && load->rows < longest_ms / ROW_MS; load->rows++) {
		struct sim_row *row = &load->row[load->rows];

		row->ms = ROW_MS;
		for (uint32_t i = 0; i < parts; i++) {
			ok = advance(&place[i], ROW_MS, row) && ok;
		}
		/* More than one processor's worth is as much work in the same time. */
		row->cpu_ms = row->cpu_ms < ROW_MS ? row->cpu_ms : ROW_MS;
	}
	free(place);
	return ok;
}
