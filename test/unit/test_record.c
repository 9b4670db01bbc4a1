/* SPDX-License-Identifier: MIT */
/*
 * Recordings as text: what is written is read back, and what is no recording is refused with a
 * reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "poise_names.h"
#include "replay.h"

/* Fills memory with one byte, so that each field of each width is written once with every bit set.
 */
static struct record filled(uint32_t code, int byte)
{
	struct record record;

	memset(&record, byte, sizeof(record));
	record.event.code = code;
	record.event.rule = POISE_RULE_FAIR;
	record.event.err = POISE_E_TORN;
	return record; /* The caller points data into its own copy. */
}

static void every_event_is_read_back(void **state)
{
	static const int bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
	char line[RECORD_LINE_MAX], again[RECORD_LINE_MAX];

	(void)state;
	for (uint32_t code = 0; code < POISE_EVENT_COUNT; code++) {
		for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
			struct record out = filled(code, bytes[i]);
			struct record in;
			/* Signed values have no smallest one in text that is not also a largest
			 * one. */
			out.event.data = &out.data;
			if (code == POISE_EVENT_PLAN && bytes[i] == 0x80) {
				out.event.b = (uint64_t)-INT64_MAX;
				out.event.c = (uint64_t)INT64_MAX;
			}
			const size_t length = record_format(&out.event, line, sizeof(line));
			assert_int_equal(length, strlen(line));
			assert_true(length < sizeof(line) - 1);
			assert_int_equal(line[length - 1], '\n');
			const char *mistake = record_parse(line, &in);
			if (mistake != NULL) {
				fail_msg("%s in: %s", mistake, line);
			}
			assert_int_equal(in.event.code, code);
			assert_true(in.event.now_ms == out.event.now_ms);
			record_format(&in.event, again, sizeof(again));
			assert_string_equal(again, line);
		}
	}
}

static void every_name_is_known(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < POISE_EVENT_COUNT; code++) {
		assert_true(strcmp(poise_event_name(code), "?") != 0);
	}
	for (uint32_t rule = 0; rule < POISE_RULE_COUNT; rule++) {
		assert_true(strcmp(poise_rule_name(rule), "?") != 0);
	}
	assert_string_equal(poise_event_name(POISE_EVENT_COUNT), "?");
	assert_string_equal(poise_event_name(UINT32_MAX), "?");
	assert_string_equal(poise_rule_name(POISE_RULE_COUNT), "?");
}

static void an_unknown_event_is_written_as_such(void **state)
{
	const struct poise_event event = {.now_ms = 7, .code = POISE_EVENT_COUNT};
	char line[RECORD_LINE_MAX];

	(void)state;
	assert_int_equal(record_format(&event, line, sizeof(line)), 4);
	assert_string_equal(line, "7 ?\n");
}

static void a_line_is_cut_rather_than_overrun(void **state)
{
	struct record record = filled(POISE_EVENT_SAMPLE, 0xff);
	char line[RECORD_LINE_MAX];

	record.event.data = &record.data;
	(void)state;
	for (size_t size = 1; size < 400; size++) {
		memset(line, '#', sizeof(line));
		assert_int_equal(record_format(&record.event, line, size), size - 1);
		assert_int_equal(line[size - 1], '\0');
		assert_int_equal(line[size], '#');
	}
}

static void wrong_lines_are_refused(void **state)
{
	static const struct {
		const char *line, *mistake;
	} rows[] = {
		{"", "does not start with a time"},
		{"tick at=1\n", "does not start with a time"},
		{"-1 tick at=1\n", "does not start with a time"},
		{"01 tick at=1\n", "does not start with a time"},
		{"1\ttick at=1\n", "does not start with a time"},
		{"18446744073709551616 tick at=1\n", "does not start with a time"},
		{"1 tock at=1\n", "unknown event"},
		{"1 ticks at=1\n", "unknown event"},
		{"1 ? at=1\n", "unknown event"},
		{"1 tick\n", "a key is missing or in the wrong place"},
		{"1 tick to=1\n", "a key is missing or in the wrong place"},
		{"1 tick  at=1\n", "a key is missing or in the wrong place"},
		{"1 urgent due=1 vm=0\n", "a key is missing or in the wrong place"},
		{"1 urgent vm=0\n", "a key is missing or in the wrong place"},
		{"1 tick at=\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=x\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=1x\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=1.5\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=-1\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=+1\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=0x1\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=00\n", "a value is not of its key's kind, or out of range"},
		{"1 tick at=18446744073709551616\n",
		 "a value is not of its key's kind, or out of range"},
		{"1 urgent vm=4294967296 due=1\n",
		 "a value is not of its key's kind, or out of range"},
		{"1 bad vm=0 err=NONSENSE\n", "a value is not of its key's kind, or out of range"},
		{"1 bad vm=0 err=TORNS\n", "a value is not of its key's kind, or out of range"},
		{"1 bad vm=0 err=?\n", "a value is not of its key's kind, or out of range"},
		{"1 plan vm=0 rule=fair size=1 delta_q16=0 reclaimable_q16=0 goal=1\n",
		 "a value is not of its key's kind, or out of range"},
		{"1 plan vm=0 rule=FAIR size=1 delta_q16=9223372036854775808 reclaimable_q16=0 "
		 "goal=1\n",
		 "a value is not of its key's kind, or out of range"},
		{"1 plan vm=0 rule=FAIR size=1 delta_q16=--1 reclaimable_q16=0 goal=1\n",
		 "a value is not of its key's kind, or out of range"},
		{"1 tick at=1 at=1\n", "something follows the last key"},
		{"1 tick at=1 \n", "something follows the last key"},
		{"1 tick at=1\n\n", "something follows the last key"},
		{"1 tick at=1\r\n", "a value is not of its key's kind, or out of range"},
	};
	struct record record;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *mistake = record_parse(rows[i].line, &record);
		if (mistake == NULL || strcmp(mistake, rows[i].mistake) != 0) {
			fail_msg("%s says: %s", rows[i].line, mistake == NULL ? "fine" : mistake);
		}
	}
}

static void a_line_needs_no_newline(void **state)
{
	struct record record;

	(void)state;
	assert_null(record_parse("12 bad vm=3 err=CHECKSUM", &record));
	assert_int_equal(record.event.vm, 3);
	assert_int_equal(record.event.err, POISE_E_CHECKSUM);
	assert_true(record.event.now_ms == 12);
}

#define INIT                                                                              \
	"0 init pool_pages=1000 policy=0 rules_off=0 interval_ms=1000 alpha_q10=768 "     \
	"headroom_permille=100 reserve_permille=16 urgent_permille=8 urgent_gap_ms=100 "  \
	"dead_band_permille=4 slew_permille=2000 idle_tax_permille=750 hold_intervals=3 " \
	"freeze_intervals=10 answer_intervals=3 progress_permille=2\n"
#define ADD                                                                                \
	"0 add vm=0 min_pages=10 boot_pages=100 max_pages=500 weight=100 basis=0 flags=0 " \
	"actual=0\n"                                                                       \
	"0 state vm=0 from=0 to=1\n"                                                       \
	"0 resize vm=0 target=100 epoch=1 err=OK\n"

static int replay_text(const char *text, struct replay_result *result)
{
	FILE *file = tmpfile();
	int status;

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	rewind(file);
	status = replay_run(file, result);
	fclose(file);
	return status;
}

static void replay_tells_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text;
		int status;
		unsigned long line;
		const char *reason;
	} rows[] = {
		{"", 2, 1, "does not start with \"" RECORD_HEADER "\""},
		{"# poise-recording 2\n" INIT, 2, 1, "does not start with \"" RECORD_HEADER "\""},
		{RECORD_HEADER "\n", 2, 2, "the first event is not init"},
		{RECORD_HEADER "\n1 tick at=1\n", 2, 2, "the first event is not init"},
		{RECORD_HEADER "\n" INIT, 0, 0, NULL},
		{RECORD_HEADER "\n# words\n\n" INIT "# more\n" ADD "# end\n", 0, 0, NULL},
		{RECORD_HEADER "\n" INIT ADD "1000 tick at=1000\n", 0, 0, NULL},
		{RECORD_HEADER "\n" INIT ADD INIT ADD, 0, 0, NULL},
		/* A decision that the core does not make; one that it makes and the file has not.
		 */
		{RECORD_HEADER "\n" INIT ADD "0 state vm=0 from=1 to=2\n", 1, 6, NULL},
		{RECORD_HEADER "\n" INIT
			       "0 add vm=0 min_pages=10 boot_pages=100 max_pages=500 weight=100 "
			       "basis=0 flags=0 actual=0\n0 state vm=0 from=0 to=1\n",
		 1, 5, "differs"},
		{RECORD_HEADER "\n" INIT ADD "1000 tick at=1001\n", 1, 6, "differs"},
		/* Calls that the core refuses. */
		{RECORD_HEADER "\n" INIT ADD ADD, 1, 6, "this VM slot is in use"},
		{RECORD_HEADER "\n" INIT "0 remove vm=0 back=0\n", 1, 3, "no VM in this slot"},
		{RECORD_HEADER "\n" INIT "0 urgent vm=4000000000 due=1\n", 1, 3,
		 "argument out of range"},
		/* Broken in the middle. */
		{RECORD_HEADER "\n" INIT "nonsense\n", 2, 3, "does not start with a time"},
	};
	static struct replay_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int status = replay_text(rows[i].text, &result);
		if (status != rows[i].status || result.line != rows[i].line ||
		    (rows[i].reason != NULL && strcmp(result.reason, rows[i].reason) != 0)) {
			fail_msg("row %zu: status %d line %lu: %s", i, status, result.line,
				 result.reason == NULL ? "fine" : result.reason);
		}
	}
}

static void a_line_of_a_megabyte_is_refused(void **state)
{
	static struct replay_result result;
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	fputs(RECORD_HEADER "\n" INIT, file);
	for (int i = 0; i < 1000000; i++) {
		fputc('1', file);
	}
	rewind(file);
	assert_int_equal(replay_run(file, &result), 2);
	assert_string_equal(result.reason, "line too long");
	assert_int_equal(result.line, 3);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_read_back),
		cmocka_unit_test(every_name_is_known),
		cmocka_unit_test(an_unknown_event_is_written_as_such),
		cmocka_unit_test(a_line_is_cut_rather_than_overrun),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(a_line_needs_no_newline),
		cmocka_unit_test(replay_tells_what_is_wrong_and_where),
		cmocka_unit_test(a_line_of_a_megabyte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
