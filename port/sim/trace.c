/* SPDX-License-Identifier: MIT */
/* The reader of recorded traces, and what the player makes of a row. */
#include "trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER        "# poise-trace 1"
#define LINE_MAX_SIZE 8192
#define VALUE_MAX     999999999u
#define ROWS_MAX      4000000u /* 11 days at 4 rows a second */

static const char *const names[TRACE_COLUMNS] = {
	"t_ms",         "active_anon",  "inactive_anon", "active_file", "inactive_file",
	"unevictable",  "swap_used",    "swap_out",      "swap_in",     "refault_anon",
	"refault_file", "major_faults", "minor_faults",  "cpu_ms",
};

struct reader {
	FILE *in;
	const char *path;
	char *error;
	unsigned long line;
	char text[LINE_MAX_SIZE];
	int place[TRACE_COLUMNS]; /* which column a field belongs to */
	uint32_t room;
};

static bool fail(struct reader *r, const char *reason, const char *detail)
{
	if (r->line == 0) {
		snprintf(r->error, SIM_TRACE_ERROR_MAX, "%s: %s%s", r->path, reason, detail);
	} else {
		snprintf(r->error, SIM_TRACE_ERROR_MAX, "%s:%lu: %s%s", r->path, r->line, reason,
			 detail);
	}
	return false;
}

enum line { LINE_OK, LINE_END, LINE_BAD };

static enum line next_line(struct reader *r)
{
	size_t length = 0;
	int c = getc(r->in);

	if (c == EOF) {
		if (ferror(r->in)) {
			fail(r, strerror(errno), "");
			return LINE_BAD;
		}
		return LINE_END;
	}
	r->line++;
	for (; c != EOF && c != '\n'; c = getc(r->in)) {
		if (length == sizeof(r->text) - 1u) {
			fail(r, "the line is too long", "");
			return LINE_BAD;
		}
		if (c == '\0') {
			fail(r, "a zero byte", "");
			return LINE_BAD;
		}
		r->text[length++] = (char)c;
	}
	r->text[length] = '\0';
	return LINE_OK;
}

/* Reads the number of a comment "# key: number". Returns 0 for any other. */
static uint32_t comment_number(const char *text, const char *key)
{
	const size_t length = strlen(key);
	unsigned long value;
	char *end;

	if (strncmp(text, "# ", 2) != 0 || strncmp(text + 2, key, length) != 0 ||
	    text[2 + length] != ':') {
		return 0;
	}
	value = strtoul(text + 3 + length, &end, 10);
	return *end == '\0' && value <= VALUE_MAX ? (uint32_t)value : 0;
}

static void read_comment(struct sim_trace *t, const char *text)
{
	const uint32_t limit = comment_number(text, "limit_pages");
	const uint32_t usage = comment_number(text, "max_usage_pages");

	t->limit_pages = limit != 0 ? limit : t->limit_pages;
	t->max_usage_pages = usage != 0 ? usage : t->max_usage_pages;
	t->sweeps = t->sweeps || strncmp(text, "# workload: numeric", 19) == 0;
}

static bool read_header(struct reader *r)
{
	char *rest = r->text;
	bool seen[TRACE_COLUMNS] = {false};
	int field = 0;

	for (char *name = strsep(&rest, ","); name != NULL; name = strsep(&rest, ",")) {
		int column = 0;

		while (column < TRACE_COLUMNS && strcmp(name, names[column]) != 0) {
			column++;
		}
		if (column == TRACE_COLUMNS) {
			return fail(r, "no column of a trace: ", name[0] == '\0' ? "''" : name);
		}
		if (seen[column]) {
			return fail(r, "a column twice: ", name);
		}
		seen[column] = true;
		r->place[field++] = column;
	}
	for (int column = 0; column < TRACE_COLUMNS; column++) {
		if (!seen[column]) {
			return fail(r, "missing column ", names[column]);
		}
	}
	return true;
}

static bool read_value(struct reader *r, const char *text, int column, uint32_t *value)
{
	char detail[64];
	unsigned long number = 0;

	if (text[0] == '-') {
		return fail(r, "negative number in column ", names[column]);
	}
	for (const char *c = text; *c != '\0'; c++) {
		if (!isdigit((unsigned char)*c)) {
			return fail(r, "not a number in column ", names[column]);
		}
		number = number * 10u + (unsigned long)(*c - '0');
		if (number > VALUE_MAX) {
			snprintf(detail, sizeof(detail), "%u in column %s", VALUE_MAX,
				 names[column]);
			return fail(r, "number above ", detail);
		}
	}
	*value = (uint32_t)number;
	return true;
}

/* Counts up since the start of the run, so it cannot fall. */
static bool is_counter(int column)
{
	return column >= TRACE_SWAP_OUT && column <= TRACE_CPU_MS;
}

static bool read_row(struct reader *r, struct sim_trace *t)
{
	struct sim_trace_row row = {0};
	const struct sim_trace_row *last = t->rows > 0 ? &t->row[t->rows - 1u] : NULL;
	char *rest = r->text;
	int field = 0;

	for (char *text = strsep(&rest, ","); text != NULL; text = strsep(&rest, ",")) {
		const int column = field < TRACE_COLUMNS ? r->place[field] : TRACE_COLUMNS;

		if (column == TRACE_COLUMNS) {
			return fail(r, "more fields than columns", "");
		}
		if (text[0] != '\0') {
			if (!read_value(r, text, column, &row.value[column])) {
				return false;
			}
			t->recorded[column] = true;
		} else if (column == TRACE_T_MS) {
			return fail(r, "no time", "");
		} else if (last != NULL && is_counter(column)) {
			row.value[column] = last->value[column];
		}
		field++;
	}
	if (field < TRACE_COLUMNS) {
		return fail(r, "fewer fields than columns", "");
	}
	if (last != NULL && row.value[TRACE_T_MS] <= last->value[TRACE_T_MS]) {
		return fail(r, "time does not go forward", "");
	}
	for (int column = 0; column < TRACE_COLUMNS; column++) {
		if (last != NULL && is_counter(column) && row.value[column] < last->value[column]) {
			return fail(r, "counter goes backwards in column ", names[column]);
		}
	}
	if (t->rows == r->room) {
		const uint32_t room = r->room * 2u + 1024u;
		struct sim_trace_row *more = realloc(t->row, room * sizeof(*more));

		if (more == NULL || room > ROWS_MAX) {
			t->row = more != NULL ? more : t->row;
			return fail(r, "too many rows", "");
		}
		t->row = more;
		r->room = room;
	}
	t->row[t->rows++] = row;
	return true;
}

static bool read_lines(struct reader *r, struct sim_trace *t)
{
	bool header = false;

	for (;;) {
		switch (next_line(r)) {
		case LINE_BAD:
			return false;
		case LINE_END:
			if (r->line == 0) {
				return fail(r, "empty file", "");
			}
			return t->rows > 0 || fail(r, header ? "no rows" : "no header line", "");
		case LINE_OK:
			break;
		}
		if (r->line == 1) {
			if (strcmp(r->text, HEADER) != 0) {
				return fail(r, "a trace starts with the line ", HEADER);
			}
		} else if (r->text[0] == '#') {
			read_comment(t, r->text);
		} else if (!header) {
			header = true;
			if (!read_header(r)) {
				return false;
			}
		} else if (!read_row(r, t)) {
			return false;
		}
	}
}

bool sim_trace_read(struct sim_trace *trace, const char *path, char error[SIM_TRACE_ERROR_MAX])
{
	struct reader r = {.path = path, .error = error};
	bool ok;

	*trace = (struct sim_trace){0};
	r.in = fopen(path, "r");
	if (r.in == NULL) {
		return fail(&r, strerror(errno), "");
	}
	ok = read_lines(&r, trace);
	fclose(r.in);
	if (!ok) {
		sim_trace_free(trace);
	}
	return ok;
}

void sim_trace_free(struct sim_trace *trace)
{
	free(trace->row);
	*trace = (struct sim_trace){0};
}

uint32_t sim_trace_used(const struct sim_trace_row *row)
{
	uint32_t sum = 0;

	for (int column = TRACE_ACTIVE_ANON; column <= TRACE_UNEVICTABLE; column++) {
		sum += row->value[column];
	}
	return sum;
}

bool sim_trace_load(const struct sim_trace *trace, struct sim_load *load)
{
	const struct sim_trace_row *first = trace->row;

	load->row = calloc(trace->rows, sizeof(*load->row));
	if (load->row == NULL) {
		return false;
	}
	if (trace->sweeps) {
		sim_load_sweep(load);
	}
	for (uint32_t i = 1; i < trace->rows; i++) {
		const uint32_t *now = trace->row[i].value;
		const uint32_t *before = trace->row[i - 1u].value;
		const uint32_t ms = now[TRACE_T_MS] - before[TRACE_T_MS];
		const uint32_t cpu_ms = now[TRACE_CPU_MS] - before[TRACE_CPU_MS];

		load->row[load->rows++] = (struct sim_row){
			.ms = ms,
			/* More than one processor's worth is as much work in the same time. */
			.cpu_ms = cpu_ms < ms ? cpu_ms : ms,
			.anon = now[TRACE_ACTIVE_ANON] + now[TRACE_INACTIVE_ANON] +
				now[TRACE_SWAP_USED] + now[TRACE_UNEVICTABLE],
			.file = now[TRACE_ACTIVE_FILE] + now[TRACE_INACTIVE_FILE],
			.churn = now[TRACE_MINOR_FAULTS] - before[TRACE_MINOR_FAULTS],
		};
		/* The programs' own files are half of what was read in the first five seconds. */
		if (now[TRACE_T_MS] - first->value[TRACE_T_MS] <= 5000u) {
			load->hot_file = load->row[load->rows - 1u].file / 2u;
		}
	}
	return true;
}
