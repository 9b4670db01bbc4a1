/* SPDX-License-Identifier: MIT */
/* The readers of traces, page lists and scenarios: every kind of mistake, with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pages.h"
#include "scenario.h"
#include "trace.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD "# poise-trace 1\n"
#define COLUMNS                                                                           \
	"t_ms,active_anon,inactive_anon,active_file,inactive_file,unevictable,swap_used," \
	"swap_out,swap_in,refault_anon,refault_file,major_faults,minor_faults,cpu_ms\n"
#define ROW_0 "0,1,2,3,4,0,5,6,7,8,9,10,11,12\n"
#define ROW_1 "250,1,2,3,4,0,5,6,7,8,9,10,11,13\n"

static char path[] = "/tmp/poise-sim-XXXXXX";

/* Writes the file that the readers get. `size`: of text, 0 for a string. */
static void put(const char *text, size_t size)
{
	FILE *out = fopen(path, "w");

	size = size == 0 ? strlen(text) : size;
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

/* Asserts that an error is "path:line: ...words...", in one line. */
static void assert_error(const char *error, unsigned line, const char *words)
{
	char start[256];

	snprintf(start, sizeof(start), line == 0 ? "%s: " : "%s:%u: ", path, line);
	if (strncmp(error, start, strlen(start)) != 0 || strstr(error, words) == NULL ||
	    strchr(error, '\n') != NULL) {
		fail_msg("expected '%s...%s...', got '%s'", start, words, error);
	}
}

static void test_wrong_traces_are_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *words;
	} wrong[] = {
		{"", 0, "empty"},
		{"\n", 1, "starts with"},
		{"t_ms\n", 1, "starts with"},
		{HEAD, 1, "no header"},
		{HEAD COLUMNS, 2, "no rows"},
		{HEAD "t_ms,active_anon\n", 2, "missing column inactive_anon"},
		{HEAD "t_ms,t_ms\n", 2, "twice"},
		{HEAD "t_ms,colour\n", 2, "colour"},
		{HEAD COLUMNS "0,1,2,3,4,0,5,6,7,8,9,10,11\n", 3, "fewer"},
		{HEAD COLUMNS "0,1,2,3,4,0,5,6,7,8,9,10,11,12,13\n", 3, "more"},
		{HEAD COLUMNS ROW_0 "250,one,2,3,4,0,5,6,7,8,9,10,11,12\n", 4, "not a number"},
		{HEAD COLUMNS ROW_0 "250,-1,2,3,4,0,5,6,7,8,9,10,11,12\n", 4, "negative"},
		{HEAD COLUMNS ROW_0 "250,1.5,2,3,4,0,5,6,7,8,9,10,11,12\n", 4, "not a number"},
		{HEAD COLUMNS ROW_0 "250,1000000000,2,3,4,0,5,6,7,8,9,10,11,12\n", 4, "above"},
		{HEAD COLUMNS ROW_0 "250,99999999999999999999,2,3,4,0,5,6,7,8,9,10,11,12\n", 4,
		 "above"},
		{HEAD COLUMNS ROW_0 ROW_1 ROW_0, 5, "time"},
		{HEAD COLUMNS ROW_0 ROW_0, 4, "time"},
		{HEAD COLUMNS ROW_0 "250,1,2,3,4,0,5,5,7,8,9,10,11,12\n", 4,
		 "backwards in column swap_out"},
		{HEAD COLUMNS ROW_0 ",1,2,3,4,0,5,6,7,8,9,10,11,12\n", 4, "no time"},
		{HEAD COLUMNS ROW_0 "\n", 4, "no time"},
	};
	char error[SIM_TRACE_ERROR_MAX];
	struct sim_trace trace;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		put(wrong[i].text, 0);
		assert_false(sim_trace_read(&trace, path, error));
		assert_error(error, wrong[i].line, wrong[i].words);
	}
}

static void test_a_trace_with_bytes_that_are_no_text_is_refused(void **state)
{
	static const char zero[] = HEAD COLUMNS "0,1\0,2,3,4,0,5,6,7,8,9,10,11,12\n";
	const size_t size = 1u << 20;
	char *line = malloc(size);
	char error[SIM_TRACE_ERROR_MAX];
	struct sim_trace trace;

	(void)state;
	put(zero, sizeof(zero) - 1u);
	assert_false(sim_trace_read(&trace, path, error));
	assert_error(error, 3, "zero byte");
	assert_non_null(line);
	memset(line, '7', size);
	memcpy(line, HEAD, strlen(HEAD));
	put(line, size);
	assert_false(sim_trace_read(&trace, path, error));
	assert_error(error, 2, "too long");
	free(line);
	assert_false(sim_trace_read(&trace, "/nonexistent/trace", error));
}

static void test_a_right_trace_is_read_whole(void **state)
{
	char error[SIM_TRACE_ERROR_MAX];
	struct sim_load load = {0};
	struct sim_trace trace;

	(void)state;
	put(HEAD "# limit_pages: 131072\n# max_usage_pages: 7\n" COLUMNS ROW_0
		 "250,1,2,3,4,,5,6,7,8,9,10,21,100\n",
	    0);
	assert_true(sim_trace_read(&trace, path, error));
	assert_int_equal(trace.rows, 2);
	assert_int_equal(trace.limit_pages, 131072);
	assert_int_equal(trace.max_usage_pages, 7);
	assert_true(trace.recorded[TRACE_UNEVICTABLE]);
	assert_int_equal(sim_trace_used(&trace.row[1]), 10);
	assert_true(sim_trace_load(&trace, &load));
	assert_int_equal(load.rows, 1);
	assert_int_equal(load.row[0].ms, 250);
	assert_int_equal(load.row[0].cpu_ms, 88);
	assert_int_equal(load.row[0].anon, 8);
	assert_int_equal(load.row[0].file, 7);
	assert_int_equal(load.row[0].churn, 10);
	sim_load_free(&load);
	sim_trace_free(&trace);
}

static void test_page_lists_are_read_or_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *words;
	} wrong[] = {
		{"", 1, "ends before the number of VMs"},
		{"0\n", 1, "no VMs"},
		{"two\n", 1, "not a number"},
		{"-2\n", 1, "negative"},
		{"1\n3 1 2\n", 3, "ends before a page"},
		{"1\n2 1 2\n3\n", 3, "more numbers"},
		{"1\n2 1 x\n", 2, "not a number"},
		{"1\n1000000000 1\n", 2, "more than"},
		{"1\n1 1000000000\n", 2, "more than"},
		{"99999\n", 1, "more than"},
	};
	char error[SIM_PAGES_ERROR_MAX];
	struct sim_pages pages;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		put(wrong[i].text, 0);
		assert_false(sim_pages_read(&pages, path, error));
		assert_error(error, wrong[i].line, wrong[i].words);
	}
	put("2\n3 0 7 0\n1\t4\n\n", 0);
	assert_true(sim_pages_read(&pages, path, error));
	assert_int_equal(pages.vms, 2);
	assert_int_equal(pages.vm[0].count, 3);
	assert_int_equal(pages.vm[0].pages, 8);
	assert_int_equal(pages.vm[1].access[0], 4);
	sim_pages_free(&pages);
}

#define VM   "{ name = \"a\"; boot = 64; kernel = 8; load = { kind = \"idle\"; low = 20; }; }"
#define ROOT "name = \"s\";\ntotal = 128;\nseconds = 10;\n"

static void test_wrong_scenarios_are_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *words;
	} wrong[] = {
		{"name = ;\n", 1, "syntax"},
		{ROOT, 0, ""},
		{"name = \"s\";\nseconds = 10;\nvms = ( " VM " );\n", 0, "total is missing"},
		{ROOT "colour = 3;\nvms = ( " VM " );\n", 4, "no such setting: colour"},
		{ROOT "vms = ( );\n", 4, "list of VMs"},
		{ROOT "vms = 7;\n", 4, "list of VMs"},
		{ROOT "vms = (\n" VM ",\n" VM ",\n" VM ");\n", 4, "more than total"},
		{ROOT "vms = (\n{ name = \"a\"; boot = 256; load = { kind = \"idle\"; low = 1; }; }"
		      ");\n",
		 5, "min <= boot <= max"},
		{ROOT "vms = (\n{ name = \"a\"; boot = 64; kernel = 8; }\n);\n", 5,
		 "load is missing"},
		{ROOT "vms = (\n{ name = \"a\";\nboot = \"much\"; }\n);\n", 6,
		 "has to be a number"},
		{ROOT "vms = (\n{ name = \"a\";\nboot = -5; }\n);\n", 6, "has to be in"},
		{ROOT "vms = (\n{ name = \"a\"; boot = 64; kernel = 8;\nload = { kind = \"magic\"; "
		      "}; }\n);\n",
		 6, "has to be one of"},
		{ROOT "vms = (\n{ name = \"a\"; boot = 64; kernel = 8;\nballoon = 3; }\n);\n", 6,
		 "group"},
		{ROOT "vms = (\n{ name = \"a\"; boot = 64; kernel = 8; load = {\nkind = "
		      "\"phases\"; low = 9;\n"
		      "high = 3; }; }\n);\n",
		 5, "high is less than low"},
	};
	char error[SIM_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		put(wrong[i].text, 0);
		assert_null(sim_scenario_read(path, error));
		if (wrong[i].line != 0) {
			assert_error(error, wrong[i].line, wrong[i].words);
		} else {
			assert_non_null(strstr(error, wrong[i].words));
		}
	}
	assert_null(sim_scenario_read("/nonexistent/scenario", error));
}

static void test_a_right_scenario_is_read_whole(void **state)
{
	char error[SIM_ERROR_MAX];
	struct sim_scenario *s;

	(void)state;
	put(ROOT "vms = (\n{ name = \"a\"; count = 2; stagger = 5; boot = 64; kernel = 8; "
		 "load = { kind = \"sawtooth\"; low = 10; high = 20; period = 10; }; }\n);\n",
	    0);
	s = sim_scenario_read(path, error);
	assert_non_null(s);
	assert_string_equal(s->vm[1].name, "a2");
	assert_int_equal(s->vm[1].start_ms, 5000);
	assert_int_equal(s->vm[0].boot_pages, 64 * 256);
	assert_int_equal(s->vm[0].min_pages, 32 * 256);
	assert_int_equal(s->vm[0].max_pages, 128 * 256);
	assert_int_equal(s->granule, 2);
	assert_int_equal(sim_load_anon_max(&s->vm[0].load) / 256, 19);
	sim_scenario_free(s);
}

static int make_path(void **state)
{
	const int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_traces_are_refused),
		cmocka_unit_test(test_a_trace_with_bytes_that_are_no_text_is_refused),
		cmocka_unit_test(test_a_right_trace_is_read_whole),
		cmocka_unit_test(test_page_lists_are_read_or_refused),
		cmocka_unit_test(test_wrong_scenarios_are_refused),
		cmocka_unit_test(test_a_right_scenario_is_read_whole),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
