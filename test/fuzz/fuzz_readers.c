/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: the readers of scenarios, traces, page lists and recordings. The input is a
 * list of edits to a text that is right, since random bytes would not get past the first line.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pages.h"
#include "predict.h"
#include "replay.h"
#include "scenario.h"
#include "series.h"
#include "trace.h"

#define TEXT_SIZE 16384u
#define EDIT_SIZE 4u

static const char scenario_text[] =
	"name = \"s\"; total = 256; seconds = 10.5; seed = 3; granule = 0; step_ms = 10;\n"
	"interval_ms = 1000; jitter = 0.5;\n"
	"device = { latency_us = 100; read_mib_s = 200; write_mib_s = 80; readahead_kib = 128; };\n"
	"vms = (\n"
	"  { name = \"a\"; count = 2; stagger = 1; boot = 64; min = 50; max = 128; weight = 7;\n"
	"    swap = 100; kernel = 20; swappiness = 60; anon_active = true; start = 1; loop = "
	"true;\n"
	"    balloon = { kind = \"flaky\"; mib_s = 10; lower = 55; upper = 100; floor = 52;\n"
	"                from = 1; until = 3; };\n"
	"    report = { kind = \"over\"; from = 2; until = 4; };\n"
	"    load = { kind = \"phases\"; low = 10; high = 30; files = 5; stream = 1; period = 10;\n"
	"             width = 3; delay = 1; burst = 50; cpu = 0.5; hot = 0.3; cold = 0.1; }; },\n"
	"  { name = \"b\"; boot = 64; load = { kind = \"idle\"; low = 5; }; kernel = 8;\n"
	"    absent = true; }\n"
	");\n"
	"events = ( { at = 1; kind = \"pool\"; total = 300; },\n"
	"  { at = 2; kind = \"add\"; vm = \"b\"; }, { at = 2.5; kind = \"reset\"; vm = \"a1\"; },\n"
	"  { at = 3; kind = \"limits\"; vm = \"a2\"; min = 30; max = 90; weight = 3; },\n"
	"  { at = 4; kind = \"pause\"; seconds = 2; }, { at = 5; kind = \"burst\"; count = 9; },\n"
	"  { at = 6; kind = \"clock\"; seconds = -7; }, { at = 7; kind = \"remove\"; vm = \"b\"; } "
	");\n"
	"port = ( { call = \"resize\"; way = \"late\"; number = 3; }, { way = \"error\"; vm = "
	"\"b\";\n"
	"  from = 1; until = 2; } );\n"
	"workloads = (\n"
	"  { name = \"w\"; load = { kind = \"sum\"; of = (\n"
	"    { kind = \"spike\"; low = 4; high = 9; }, { kind = \"stream\"; low = 3; } ); }; },\n"
	"  { name = \"x\"; load = { kind = \"sweep\"; low = 7; }; }\n"
	");\n";

static const char trace_text[] =
	"# poise-trace 1\n# limit_pages: 1000\n# max_usage_pages: 900\n# workload: numeric\n"
	"t_ms,active_anon,inactive_anon,active_file,inactive_file,unevictable,swap_used,swap_out,"
	"swap_in,refault_anon,refault_file,major_faults,minor_faults,cpu_ms\n"
	"0,1,2,3,4,0,5,6,7,8,9,10,11,12\n250,100,2,30,4,,5,6,7,8,9,10,50,100\n"
	"500,1,2,3,4,0,5,6,7,8,9,10,60,112\n1000,1,2,3,4,0,5,6,7,8,9,10,61,200\n";

static const char pages_text[] = "3\n10 9 8 7 6 5 4 3 2 1 0\n4 1 2 3 4\n0\n";

static const char recording_text[] = RECORD_HEADER
	"\n"
	"0 init pool_pages=98304 policy=poise rules_off=DEAD_BAND,SLEW interval_ms=1000 "
	"alpha_q10=768 "
	"headroom_permille=100 reserve_permille=16 urgent_permille=8 urgent_gap_ms=100 "
	"dead_band_permille=4 slew_permille=500 idle_tax_permille=750 hold_intervals=3 "
	"freeze_intervals=10 answer_intervals=3 progress_permille=2\n"
	"0 add vm=0 min_pages=8192 boot_pages=32768 max_pages=65536 weight=100 basis=auto flags=- "
	"actual=0\n"
	"0 resize vm=0 target=32768 epoch=1 err=OK\n1000 tick at=1000\n"
	"1000 ack vm=0 epoch=1 pages=32768 err=OK\n";

static char text[TEXT_SIZE];
static size_t size;

/* One edit: where, and what: a byte put in, taken out, replaced, a line doubled, the end cut off.
 */
static void edit(const uint8_t *e)
{
	const size_t at = ((size_t)e[0] << 8 | e[1]) % (size + 1u);
	const char *end;
	size_t line;

	switch (e[2] % 8u) {
	case 0:
		size = at;
		break;
	case 1:
		if (at < size) {
			memmove(text + at, text + at + 1, size - at - 1u);
			size--;
		}
		break;
	case 2:
		end = memchr(text + at, '\n', size - at);
		line = end == NULL ? size - at : (size_t)(end - (text + at)) + 1u;
		if (size + line < TEXT_SIZE) {
			memmove(text + at + line, text + at, size - at);
			size += line;
		}
		break;
	case 3:
	case 4:
		if (size + 1u < TEXT_SIZE) {
			memmove(text + at + 1, text + at, size - at);
			text[at] = (char)e[3];
			size++;
		}
		break;
	case 5:
		if (at < size) {
			text[at] = (char)('0' + e[3] % 10u);
		}
		break;
	default:
		if (at < size) {
			text[at] = (char)e[3];
		}
		break;
	}
}

static void check_error(bool ok, const char *error)
{
	if (!ok && (error[0] == '\0' || strchr(error, '\n') != NULL)) {
		abort(); /* Not one line that says what is wrong. */
	}
}

static void read_scenario(const char *path)
{
	char error[SIM_ERROR_MAX] = "";
	struct sim_scenario *s = sim_scenario_read(path, error);

	check_error(s != NULL, error);
	sim_scenario_free(s);
}

static void read_trace(const char *path)
{
	char error[SIM_TRACE_ERROR_MAX] = "";
	struct sim_load load = {0};
	struct sim_predict predict;
	struct sim_trace trace;
	uint32_t row;
	const bool ok = sim_trace_read(&trace, path, error);

	check_error(ok, error);
	if (ok) {
		if (sim_predict_run(&predict, &trace, 0.75, true, sim_predict_total(&trace),
				    &row) != NULL) {
			abort(); /* The suggested size is always enough. */
		}
		sim_predict_free(&predict);
		if (sim_trace_load(&trace, &load)) {
			sim_load_free(&load);
		}
		sim_trace_free(&trace);
	}
}

static void read_pages(const char *path)
{
	char error[SIM_PAGES_ERROR_MAX] = "";
	struct sim_pages pages;
	const bool ok = sim_pages_read(&pages, path, error);

	check_error(ok, error);
	if (ok) {
		sim_pages_free(&pages);
	}
}

static void read_recording(const char *path)
{
	static struct replay_result result;
	FILE *in = fopen(path, "r");

	if (in != NULL) {
		const int code = replay_run(in, NULL, &result);

		check_error(code == 0, result.reason == NULL ? "" : result.reason);
		fclose(in);
	}
}

static void read_series(const char *path)
{
	FILE *in = fopen(path, "r");
	FILE *out = fopen("/dev/null", "w");

	if (in != NULL && out != NULL) {
		unsigned long line;
		const char *reason = sim_series_write(in, out, &line);

		check_error(reason == NULL, reason);
	}
	if (in != NULL) {
		fclose(in);
	}
	if (out != NULL) {
		fclose(out);
	}
}

static const struct {
	const char *text;
	void (*read)(const char *path);
} readers[] = {
	{scenario_text, read_scenario},   {trace_text, read_trace},      {pages_text, read_pages},
	{recording_text, read_recording}, {recording_text, read_series},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static char path[32];
	FILE *out;
	uint32_t which;

	if (path[0] == '\0') {
		/* A file without a name: nothing is left behind whatever happens. */
		char name[] = "/tmp/poise-fuzz-XXXXXX";
		const int fd = mkstemp(name);

		if (fd < 0 || unlink(name) != 0) {
			abort();
		}
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (length == 0) {
		return 0;
	}
	which = data[0] % (sizeof(readers) / sizeof(readers[0]));
	size = strlen(readers[which].text);
	memcpy(text, readers[which].text, size);
	for (size_t i = 1; i + EDIT_SIZE <= length; i += EDIT_SIZE) {
		edit(data + i);
	}
	out = fopen(path, "w");
	if (out == NULL || fwrite(text, 1, size, out) != size || fclose(out) != 0) {
		abort();
	}
	readers[which].read(path);
	return 0;
}
