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

/* Fills memory with one byte, so that each number of each width is written once with every bit set;
 * values that have names get one. */
static struct record filled(uint32_t code, int byte)
{
	struct record record;

	memset(&record, byte, sizeof(record));
	record.event.code = code;
	record.event.rule = POISE_RULE_FAIR;
	record.event.err = POISE_E_TORN;
	if (code == POISE_EVENT_INIT) {
		record.data.config.policy %= POISE_POLICY_COUNT;
		record.data.config.rules_off %= POISE_RULE_BIT(POISE_RULE_COUNT);
	} else if (code == POISE_EVENT_ADD || code == POISE_EVENT_SET) {
		record.data.vm_config.basis %= POISE_BASIS_COUNT;
		record.data.vm_config.flags &= POISE_VM_FLAGS;
	} else if (code == POISE_EVENT_IMPORT_VM) {
		record.data.vm.config.basis %= POISE_BASIS_COUNT;
		record.data.vm.config.flags &= POISE_VM_FLAGS;
		record.data.vm.state %= POISE_VM_STATE_COUNT;
		record.data.vm.rule %= POISE_RULE_COUNT;
	} else if (code == POISE_EVENT_STATE) {
		record.event.a %= POISE_VM_STATE_COUNT;
		record.event.b %= POISE_VM_STATE_COUNT;
	}
	if (code == POISE_EVENT_SAMPLE) {
		/* Only what a guest can have reported is read back. */
		struct poise_abi_guest *b = &record.data.sample.body;

		record.data.sample.boot_id |= 1;
		b->sample |= 1;
		b->total_pages = POISE_PAGES_MAX;
		b->balloon_pages = b->free_pages = b->available_pages = POISE_PAGES_MAX / 8;
		b->active_file_pages = b->inactive_file_pages = 1;
		b->active_anon_pages = b->inactive_anon_pages = b->unevictable_pages = 2;
		b->swap_used_pages = b->floor_pages = 3;
	}
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
			const char *mistake = record_parse(line, RECORD_FORMAT, &in);
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

#define SAMPLE(number, total, balloon, free)                                                     \
	"1 sample vm=0 boot_id=1 sample=" number " total_pages=" total " balloon_pages=" balloon \
	" free_pages=" free "\n"
#define NOBODY "no guest can have reported this: "

static void wrong_lines_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *mistake;
	} rows[] = {
		{"", "\"\" where the time in milliseconds should be"},
		{"tick at=1\n", "\"tick\" where the time in milliseconds should be"},
		{"-1 tick at=1\n", "\"-1\" where the time in milliseconds should be"},
		{"01 tick at=1\n", "\"01\" where the time in milliseconds should be"},
		{"1\ttick at=1\n", "\"1?tick\" where the time in milliseconds should be"},
		{"18446744073709551616 tick at=1\n",
		 "\"18446744073709551616\" where the time in milliseconds should be"},
		{"1 tock at=1\n", "no event is called \"tock\" in core " POISE_VERSION},
		{"1 ticks at=1\n", "no event is called \"ticks\" in core " POISE_VERSION},
		{"1 tick,at=1\n", "\",at=1\" where this key should be: at"},
		{"1 ? at=1\n", "no event is called \"?\" in core " POISE_VERSION},
		{"1 tick\n", "\"\" where this key should be: at"},
		{"1 tick to=1\n", "\"to=1\" where this key should be: at"},
		{"1 tick  at=1\n", "\"\" where this key should be: at"},
		{"1 urgent due=1 vm=0\n", "\"due=1\" where this key should be: vm"},
		{"1 urgent vm=0\n", "\"\" where this key should be: due"},
		{"1 urgent vm=0 \033[31m\n", "\"?[31m\" where this key should be: due"},
		{"1 tick at=\n", "at= is not a whole number that fits"},
		{"1 tick at=x\n", "at=x is not a whole number that fits"},
		{"1 tick at=1x\n", "at=1x is not a whole number that fits"},
		{"1 tick at=1.5\n", "at=1.5 is not a whole number that fits"},
		{"1 tick at=-1\n", "at=-1 is not a whole number that fits"},
		{"1 tick at=+1\n", "at=+1 is not a whole number that fits"},
		{"1 tick at=0x1\n", "at=0x1 is not a whole number that fits"},
		{"1 tick at=00\n", "at=00 is not a whole number that fits"},
		{"1 tick at=18446744073709551616\n",
		 "at=18446744073709551616 is not a whole number that fits"},
		{"1 tick at=99999999999999999999999999999999999999999999999999\n",
		 "at=9999999999999999999999999999999999999999 is not a whole number that fits"},
		{"1 urgent vm=4294967296 due=1\n", "vm=4294967296 is not a whole number that fits"},
		{"1 bad vm=0 err=NONSENSE\n",
		 "err=NONSENSE is not the name of an error in core " POISE_VERSION},
		{"1 bad vm=0 err=TORNS\n",
		 "err=TORNS is not the name of an error in core " POISE_VERSION},
		{"1 bad vm=0 err=?\n", "err=? is not the name of an error in core " POISE_VERSION},
		{"1 state vm=0 from=1 to=2\n",
		 "from=1 is not the name of a state in core " POISE_VERSION},
		{"1 init pool_pages=1 policy=0\n",
		 "policy=0 is not the name of a policy in core " POISE_VERSION},
		{"1 init pool_pages=1 rules_off=2048\n",
		 "rules_off=2048 is not a list of rules in core " POISE_VERSION},
		{"1 init pool_pages=1 rules_off=SLEW,\n",
		 "rules_off=SLEW, is not a list of rules in core " POISE_VERSION},
		{"1 init pool_pages=1 rules_off=SLEW,SLEW\n",
		 "rules_off=SLEW,SLEW is not a list of rules in core " POISE_VERSION},
		{"1 init pool_pages=1 rules_off=TIDE\n",
		 "rules_off=TIDE is not a list of rules in core " POISE_VERSION},
		{"1 init pool_pages=1 rules_off=-,SLEW\n",
		 "rules_off=-,SLEW is not a list of rules in core " POISE_VERSION},
		{"1 init pool_pages=1 tide_ms=5\n",
		 "\"tide_ms=5\" is unknown, twice there or out of order"},
		{"1 set vm=0 min_pages=1 max_pages=1 flags=locked\n",
		 "flags=locked is not a list of flags in core " POISE_VERSION},
		/* The core need not expect what no page could hold. */
		{SAMPLE("1", "4294967297", "0", "0"),
		 NOBODY "a value is larger than this VM can have"},
		{SAMPLE("1", "0", "0", "0"), NOBODY "a value is larger than this VM can have"},
		{SAMPLE("0", "100", "0", "0"), NOBODY "a value is larger than this VM can have"},
		{SAMPLE("1", "100", "9223372036854775807", "0"),
		 NOBODY "a value is larger than this VM can have"},
		{SAMPLE("1", "100", "100", "0"), NOBODY "the parts are larger than the whole"},
		{SAMPLE("1", "100", "50", "51"), NOBODY "the parts are larger than the whole"},
		{"1 plan vm=0 rule=fair size=1 delta_q16=0 reclaimable_q16=0 goal=1\n",
		 "rule=fair is not the name of a rule in core " POISE_VERSION},
		{"1 plan vm=0 rule=FAIR,SLEW size=1 delta_q16=0 reclaimable_q16=0 goal=1\n",
		 "rule=FAIR,SLEW is not the name of a rule in core " POISE_VERSION},
		{"1 plan vm=0 rule=FAIR size=1 delta_q16=9223372036854775808 reclaimable_q16=0 "
		 "goal=1\n",
		 "delta_q16=9223372036854775808 is not a whole number that fits"},
		{"1 plan vm=0 rule=FAIR size=1 delta_q16=--1 reclaimable_q16=0 goal=1\n",
		 "delta_q16=--1 is not a whole number that fits"},
		{"1 tick at=1 at=1\n", "\"at=1\" is unknown, twice there or out of order"},
		{"1 tick at=1 \n", "\"\" is unknown, twice there or out of order"},
		{"1 tick at=1\n\n", "\"\" is unknown, twice there or out of order"},
		{"1 tick at=1\r\n", "at=1? is not a whole number that fits"},
	};
	struct record record;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *mistake = record_parse(rows[i].line, RECORD_FORMAT, &record);
		if (mistake == NULL || strcmp(mistake, rows[i].mistake) != 0) {
			fail_msg("%s says: %s", rows[i].line, mistake == NULL ? "fine" : mistake);
		}
	}
}

static void a_line_needs_no_newline(void **state)
{
	struct record record;

	(void)state;
	assert_null(record_parse("12 bad vm=3 err=CHECKSUM", RECORD_FORMAT, &record));
	assert_int_equal(record.event.vm, 3);
	assert_int_equal(record.event.err, POISE_E_CHECKSUM);
	assert_true(record.event.now_ms == 12);
}

static void keys_that_may_be_left_out_are_zero(void **state)
{
	struct record record;

	(void)state;
	assert_null(record_parse("0 init pool_pages=7 slew_permille=9", RECORD_FORMAT, &record));
	assert_true(record.data.config.pool_pages == 7);
	assert_int_equal(record.data.config.slew_permille, 9);
	assert_int_equal(record.data.config.interval_ms, 0);
}

static void names_stand_for_numbers(void **state)
{
	static const char line[] = "0 init pool_pages=7 policy=paper rules_off=SLEW,DEAD_BAND";
	struct record record;

	(void)state;
	assert_null(record_parse(line, RECORD_FORMAT, &record));
	assert_int_equal(record.data.config.policy, POISE_POLICY_PAPER);
	assert_int_equal(record.data.config.rules_off,
			 POISE_RULE_BIT(POISE_RULE_DEAD_BAND) | POISE_RULE_BIT(POISE_RULE_SLEW));
	assert_null(record_parse("0 add vm=1 min_pages=1 max_pages=2 basis=resident "
				 "flags=freeze,static actual=0",
				 RECORD_FORMAT, &record));
	assert_int_equal(record.data.vm_config.basis, POISE_BASIS_RESIDENT);
	assert_int_equal(record.data.vm_config.flags, POISE_VM_FREEZE | POISE_VM_STATIC);
}

/* Format 1 has numbers where names belong: those that have always meant the same are taken. */
static void format_1_is_read_where_it_is_unambiguous(void **state)
{
	struct record record;

	(void)state;
	assert_null(record_parse("0 init pool_pages=7 policy=2 rules_off=0", 1, &record));
	assert_int_equal(record.data.config.policy, POISE_POLICY_STATIC);
	assert_null(record_parse("0 set vm=0 min_pages=1 boot_pages=1 max_pages=2 weight=1 basis=1 "
				 "flags=3",
				 1, &record));
	assert_int_equal(record.data.vm_config.basis, POISE_BASIS_ACTIVE);
	assert_int_equal(record.data.vm_config.flags, POISE_VM_FLAGS);
	assert_null(record_parse("0 state vm=0 from=1 to=5", 1, &record));
	assert_true(record.event.b == POISE_VM_QUARANTINED);
	assert_string_equal(
		record_parse("0 init pool_pages=7 policy=0 rules_off=2048", 1, &record),
		"rules_off=2048: format 1 has rules by number, and does not say of which core");
	assert_non_null(record_parse("0 init pool_pages=7 policy=3 rules_off=0", 1, &record));
	assert_non_null(record_parse("0 state vm=0 from=1 to=6", 1, &record));
	assert_non_null(record_parse("0 init pool_pages=7 policy=paper", 1, &record));
}

static void a_difference_is_named_by_its_key(void **state)
{
	static const char line[] =
		"5 plan vm=1 rule=FAIR size=10 delta_q16=-3 reclaimable_q16=4 goal=12";
	struct record record;
	struct poise_event event;

	(void)state;
	assert_null(record_parse(line, RECORD_FORMAT, &record));
	event = record.event;
	assert_null(record_difference(&record, &event, NULL));
	event.rule = POISE_RULE_SLEW;
	assert_string_equal(record_difference(&record, &event, NULL), "rule");
	assert_null(record_difference(&record, &event, "rule"));
	event.d++;
	assert_string_equal(record_difference(&record, &event, "rule"), "goal");
	event.now_ms++;
	assert_string_equal(record_difference(&record, &event, NULL), "time");
	event.code = POISE_EVENT_TICK;
	assert_string_equal(record_difference(&record, &event, NULL), "event");
}

#define INIT                                                                              \
	"0 init pool_pages=1000 policy=poise rules_off=- interval_ms=1000 alpha_q10=768 " \
	"headroom_permille=100 reserve_permille=16 urgent_permille=8 urgent_gap_ms=100 "  \
	"dead_band_permille=4 slew_permille=2000 idle_tax_permille=750 hold_intervals=3 " \
	"freeze_intervals=10 answer_intervals=3 progress_permille=2\n"
#define ADD                                                                                   \
	"0 add vm=0 min_pages=10 boot_pages=100 max_pages=500 weight=100 basis=auto flags=- " \
	"actual=0\n"                                                                          \
	"0 state vm=0 from=absent to=unmanaged\n"                                             \
	"0 resize vm=0 rule=STATIC target=100 epoch=1 err=OK\n"

static int replay_text(const char *text, struct replay_result *result)
{
	FILE *file = tmpfile();
	int status;

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	rewind(file);
	status = replay_run(file, NULL, result);
	fclose(file);
	return status;
}

#define NOT_ONE "does not start with \"# poise-recording 2 core=VERSION\""
#define OTHER   "this program reads \"# poise-recording 1\" and \"# poise-recording 2 core=VERSION\""

static void replay_tells_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text;
		int status;
		unsigned long line;
		const char *reason;
	} rows[] = {
		{"", 2, 1, NOT_ONE},
		{"# poise-recording 2\n" INIT, 2, 1, OTHER},
		{"# poise-recording 3 core=0.3.0\n" INIT, 2, 1, OTHER},
		{"# poise-recording 2 core=\n" INIT, 2, 1, OTHER},
		{"# poise-recording 2 core=1 2\n" INIT, 2, 1, OTHER},
		{"# words\n" INIT, 2, 1, NOT_ONE},
		{RECORD_HEADER "\n" INIT "# poise-recording 9\n" ADD, 2, 3, OTHER},
		{RECORD_HEADER "\n", 2, 2, "the first event is not init"},
		{RECORD_HEADER "\n1 tick at=1\n", 2, 2, "the first event is not init"},
		{RECORD_HEADER "\n" INIT, 0, 0, NULL},
		{RECORD_HEADER "\n# words\n\n" INIT "# more\n" ADD "# end\n", 0, 0, NULL},
		{RECORD_HEADER "\n" INIT ADD "1000 tick at=1000\n", 0, 0, NULL},
		{RECORD_HEADER "\n" INIT ADD INIT ADD, 0, 0, NULL},
		/* A decision that the core does not make; one that it makes and the file has not.
		 */
		{RECORD_HEADER "\n" INIT ADD "0 state vm=0 from=unmanaged to=managed\n", 1, 6,
		 NULL},
		{RECORD_HEADER
		 "\n" INIT "0 add vm=0 min_pages=10 boot_pages=100 max_pages=500 weight=100 "
		 "basis=auto flags=- actual=0\n0 state vm=0 from=absent to=unmanaged\n",
		 1, 5, "the recording ends, and the core goes on"},
		{RECORD_HEADER "\n" INIT ADD "1000 tick at=1001\n", 1, 6, "differs"},
		/* Calls that the core refuses. */
		{RECORD_HEADER "\n" INIT ADD ADD, 1, 6, "this VM slot is in use"},
		{RECORD_HEADER "\n" INIT "0 remove vm=0 back=0\n", 1, 3, "no VM in this slot"},
		{RECORD_HEADER "\n" INIT "0 urgent vm=4000000000 due=1\n", 1, 3,
		 "argument out of range"},
		/* Broken in the middle. */
		{RECORD_HEADER "\n" INIT "nonsense\n", 2, 3,
		 "\"nonsense\" where the time in milliseconds should be"},
		{RECORD_HEADER "\n" INIT "1000 tick at=10", 2, 3,
		 "the last line has no end: it was cut off"},
		{RECORD_HEADER "\r\n" INIT, 2, 1,
		 "the line ends in CR LF; a recording's lines end in LF"},
		{RECORD_HEADER "\n" INIT "1000 tick at=1000\r\n", 2, 3,
		 "the line ends in CR LF; a recording's lines end in LF"},
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
	assert_int_equal(replay_run(file, NULL, &result), 2);
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
		cmocka_unit_test(wrong_lines_are_refused_with_a_reason),
		cmocka_unit_test(a_line_needs_no_newline),
		cmocka_unit_test(keys_that_may_be_left_out_are_zero),
		cmocka_unit_test(names_stand_for_numbers),
		cmocka_unit_test(format_1_is_read_where_it_is_unambiguous),
		cmocka_unit_test(a_difference_is_named_by_its_key),
		cmocka_unit_test(replay_tells_what_is_wrong_and_where),
		cmocka_unit_test(a_line_of_a_megabyte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
