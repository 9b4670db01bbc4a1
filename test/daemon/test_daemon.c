/* SPDX-License-Identifier: MIT */
/*
 * The daemon on a backend that is played in the same process: what it tells the core, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "control.h"
#include "fake.h"
#include "history.h"
#include "interval.h"
#include "metrics.h"
#include "poise_names.h"
#include "recording.h"
#include "replay.h"

/* --- tests --- */

static void a_needy_guest_gets_memory(void **state)
{
	struct bench *b = bench_start_all("\"384M\"");

	(void)state;
	fake.guest[0].need = 200u * MIB;
	bench_tick(b, 20);
	assert_true(fake.guest[0].actual > 160u * MIB);
	assert_true(bench_charged(b) <= 384u * MIB);
	assert_int_equal(b->d.vm[0].source, SOURCE_PAGE);
	assert_true(fake.told > 0);
	bench_end(b);
}

static void f54_host_memory_unreadable_or_absurd(void **state)
{
	struct bench *b = bench_start_all("\"512M\"");
	const struct {
		enum poise_err err;
		uint64_t pages;
	} readings[] = {{POISE_E_PORT, 1024u * MIB},
			{POISE_OK, UINT64_MAX},
			{POISE_OK, 0},
			{POISE_OK, POISE_PAGES_MAX + 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		const uint64_t before = bench_charged(b);

		fake.host_err = readings[i].err;
		fake.host_free = readings[i].pages;
		fake.guest[0].need = 250u * MIB;
		bench_tick(b, 10);
		/* Nothing from the pool; what others give may go round. */
		assert_true(bench_charged(b) <= before);
		fake.guest[0].need = 64u * MIB;
		fake.host_err = POISE_OK;
		fake.host_free = 1024u * MIB;
		bench_tick(b, 40);
		assert_int_equal(b->d.core.config.pool_pages, 512u * MIB);
	}
	assert_true(b->d.host_errors > 0);
	fake.guest[0].need = 250u * MIB;
	bench_tick(b, 40);
	assert_true(fake.guest[0].actual > 200u * MIB);
	bench_end(b);
}

static void nothing_is_given_before_all_are_known(void **state)
{
	struct bench *b = bench_start("\"384M\"");

	(void)state;
	fake.guest[1].adopting = true;
	fake.guest[2].adopting = true;
	fake.guest[0].actual = 64u * MIB;
	fake.guest[1].actual = 256u * MIB;
	interval_run(&b->d);
	bench_appear(b, 0);
	bench_tick(b, 10);
	/* Below its boot size, and most of the pool seems free: it is b's and c's. */
	assert_true(fake.guest[0].actual <= 64u * MIB);
	bench_appear(b, 1);
	assert_true(fake.guest[0].actual <= 64u * MIB);
	bench_tick(b, 3);
	bench_appear(b, 2);
	assert_true(bench_charged(b) <= 448u * MIB);
	bench_tick(b, 50);
	assert_true(bench_charged(b) <= 384u * MIB);
	assert_true(fake.guest[0].actual > 64u * MIB);
	assert_int_equal(b->d.core.vm[0].config.min_pages, 32u * MIB);
	assert_int_equal(b->d.core.vm[0].config.boot_pages, 128u * MIB);
	bench_end(b);
}

/* Said once, even if it has been so from the start. */
static void f54_host_has_less_than_the_pool(void **state)
{
	struct bench *b = bench_start("\"512M\"");

	(void)state;
	assert_false(b->d.pool_short);
	fake.host_free = 1;
	for (uint32_t i = 0; i < VMS; i++) {
		bench_appear(b, i);
	}
	bench_tick(b, 3);
	assert_true(b->d.pool_short);
	assert_true(b->d.core.config.pool_pages < b->d.pool_pages);
	fake.host_free = 1024u * MIB;
	bench_tick(b, 3);
	assert_false(b->d.pool_short);
	assert_int_equal(b->d.core.config.pool_pages, b->d.pool_pages);
	/* Not to be read is another message. */
	fake.host_err = POISE_E_PORT;
	bench_tick(b, 3);
	assert_false(b->d.pool_short);
	bench_end(b);
}

static void f33_stuck_balloon_is_told_of(void **state)
{
	struct bench *b = bench_start_all("\"384M\"");
	const uint64_t before = fake.guest[0].actual;

	(void)state;
	assert_false(b->d.vm[0].stuck);
	fake.guest[0].obeys = false;
	fake.guest[1].need = 200u * MIB; /* Somebody wants what the first one has. */
	bench_tick(b, 30);
	assert_true(b->d.vm[0].stuck);
	assert_false(b->d.vm[2].stuck);
	assert_int_equal(fake.guest[0].actual, before);
	fake.guest[0].obeys = true;
	fake.guest[0].need = 200u * MIB; /* It is asked again, as it wants to grow. */
	fake.guest[1].need = 64u * MIB;
	bench_tick(b, 100);
	assert_false(b->d.vm[0].stuck);
	assert_true(fake.guest[0].actual > before);
	bench_end(b);
}

static void a_word_is_served_before_the_tick(void **state)
{
	struct bench *b = bench_start_all("\"512M\"");
	const uint64_t before = fake.guest[0].actual;

	(void)state;
	bench_tick(b, 40);
	fake.guest[0].need = 200u * MIB;
	fake_publish(0);
	assert_int_equal(gd_urgent(&fake.guest[0].gd, 1, 1), 1);
	fake.env.calls->doorbell(&b->d, 0);
	assert_true(fake.guest[0].actual > before);
	assert_int_equal(b->d.vm[0].urgents, 1);
	/* The same word again, and a doorbell for one that is not there: nothing. */
	fake.env.calls->doorbell(&b->d, 0);
	fake.env.calls->gone(&b->d, 1);
	fake.env.calls->doorbell(&b->d, 1);
	assert_int_equal(b->d.vm[0].urgents, 1);
	assert_int_equal(b->d.relief.count, 1);
	bench_end(b);
}

static void calls_about_vms_that_are_not_there(void **state)
{
	struct bench *b = bench_start("\"384M\"");
	const struct backend_calls *calls = fake.env.calls;

	(void)state;
	interval_run(&b->d);
	calls->gone(&b->d, 0);
	calls->restarted(&b->d, 0, 5);
	calls->balloon_changed(&b->d, 0, 1, 5);
	calls->paused(&b->d, 0, true);
	assert_int_equal(bench_charged(b), 0);
	bench_appear(b, 0);
	calls->started(&b->d, 0, 200u * MIB); /* twice */
	assert_int_equal(b->d.core.vm[0].actual_pages, 128u * MIB);
	calls->balloon_changed(&b->d, 0, 77, 5); /* no such request */
	assert_int_equal(b->d.core.vm[0].actual_pages, 128u * MIB);
	calls->gone(&b->d, 0);
	calls->gone(&b->d, 0);
	assert_int_equal(bench_charged(b), 0);
	bench_end(b);
}

static void an_automatic_pool_is_the_host_less_its_reserve(void **state)
{
	struct bench *b = bench_start_all("\"auto\"");

	(void)state;
	assert_int_equal(b->d.pool_pages, 448u * MIB);
	bench_end(b);
}

static void answers_fit_for_the_longest_names(void **state)
{
	struct bench *b = bench_start_all("\"384M\"");
	json_t *metrics;
	const char *last;

	(void)state;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		b->d.vm[i].configured = i < VMS;
		memset(b->d.vm[i].conf.name, 'n', BACKEND_NAME_MAX - 1);
	}
	for (int i = 1; i < POISE_ERR_COUNT; i++) {
		b->d.core.errors[i] = UINT64_MAX;
	}
	metrics = metrics_json(&b->d);
	last = json_string_value(json_object_get(metrics, "text"));
	/* What would not fit is left out at the end; a table five times as large fits. */
	assert_true(strlen(last) < 65536u / 6u * 2u);
	assert_non_null(strstr(last, "alarm=\"refused\"} 0\n"));
	json_decref(metrics);
	bench_end(b);
}

static void requests_are_done_or_refused(void **state)
{
	struct bench *b = bench_start_all("\"384M\"");
	static const struct {
		const char *line;
		bool ok;
	} lines[] = {
		{"{\"do\": \"status\"}", true},
		{"{\"do\": \"metrics\"}", true},
		{"{\"do\": \"why\", \"vm\": \"a\"}", true},
		{"{\"do\": \"set\", \"vm\": \"a\", \"key\": \"weight\", \"value\": \"7\"}", true},
		{"{\"do\": \"set\", \"vm\": \"a\", \"key\": \"max\", \"value\": \"999G\"}", false},
		{"{\"do\": \"set\", \"vm\": \"a\", \"key\": \"min\", \"value\": \"129M\"}", false},
		{"{\"do\": \"freeze\", \"vm\": \"a\"}", true},
		{"{\"do\": \"freeze\", \"vm\": \"z\"}", false},
		{"{\"do\": \"record\"}", true},
		{"[]", false},
		{"", false},
		{"{\"do\": [[[[[[1]]]]]]}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		json_t *answer = control_answer(&b->d, lines[i].line, strlen(lines[i].line), NULL);

		assert_int_equal(json_is_true(json_object_get(answer, "ok")), lines[i].ok);
		assert_true(lines[i].ok || json_object_get(answer, "error") != NULL);
		json_decref(answer);
	}
	assert_int_equal(b->d.core.vm[0].config.weight, 7);
	assert_int_equal(b->d.core.vm[0].state, POISE_VM_FROZEN);
	bench_end(b);
}

static void a_size_is_whole_mib_or_has_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t pages; /* 0: refused */
	} sizes[] = {{"64M", 16384},
		     {"64", 16384},
		     {"4K", 1},
		     {"65536K", 16384},
		     {"2G", 524288},
		     {"0", 0},
		     {"0M", 0},
		     {"3K", 0},
		     {"", 0},
		     {"M", 0},
		     {"-1", 0},
		     {"+1", 0},
		     {" 1", 0},
		     {"1 M", 0},
		     {"1m", 0},
		     {"1MB", 0},
		     {"1.5G", 0},
		     {"0x10", 0},
		     {"16385G", 0},
		     {"18446744073709551616", 0},
		     {"99999999999999999999999K", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t found = 0;
		const bool right = setting_parse_pages(sizes[i].text, POISE_PAGES_MAX, &found);

		assert_int_equal(right, sizes[i].pages != 0);
		assert_int_equal(found, sizes[i].pages);
	}
}

static void every_record_has_words(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < POISE_EVENT_COUNT; code++) {
		const struct poise_event event = {.code = code,
						  .rule = 9999,
						  .a = UINT64_MAX,
						  .b = UINT64_MAX,
						  .c = UINT64_MAX,
						  .d = 5,
						  .err = POISE_E_TORN};
		char words[HISTORY_TEXT_MAX];

		history_text(&event, words, sizeof(words));
		assert_true(strlen(words) >= 3);
	}
}

/* poisectl why: who asks for the reason is told it, for plans and for requests. */
static void every_rule_of_a_record_is_told_in_words_and_by_name(void **state)
{
	static const uint32_t codes[] = {POISE_EVENT_PLAN, POISE_EVENT_RESIZE};

	(void)state;
	for (uint32_t rule = 0; rule < POISE_RULE_COUNT; rule++) {
		for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
			const struct poise_event event = {.code = codes[i],
							  .rule = rule,
							  .a = POISE_PAGES_MAX,
							  .b = UINT64_MAX,
							  .c = UINT64_MAX,
							  .d = POISE_PAGES_MAX,
							  .err = POISE_E_NOT_FOUND};
			char words[HISTORY_TEXT_MAX];

			history_text(&event, words, sizeof(words));
			assert_non_null(strstr(words, poise_rule_words(rule)));
			assert_non_null(strstr(words, poise_rule_name(rule)));
			/* Nothing is cut off. */
			assert_true(strlen(words) + 1u < sizeof(words));
		}
	}
}

/* What is known of a VM's guest and its balloon, as another daemon has to know it, too. */
static void assert_same_history(const struct poise_vm *a, const struct poise_vm *b)
{
	assert_int_equal(a->state, b->state);
	assert_memory_equal(&a->forecast, &b->forecast, sizeof(a->forecast));
	assert_memory_equal(&a->last.body, &b->last.body, sizeof(a->last.body));
	assert_true(a->sample_ms == b->sample_ms && a->urgent_ms == b->urgent_ms);
	assert_true(a->actual_pages == b->actual_pages && a->target_pages == b->target_pages);
}

/* Brings the bench to a point where sizes are not those of the start. */
static struct bench *start_in_motion(void)
{
	struct bench *b = bench_start_all("\"384M\"");

	fake.guest[0].need = 200u * MIB;
	bench_tick(b, 40);
	assert_true(fake.guest[0].actual > 160u * MIB);
	return b;
}

static void a_daemon_that_comes_after_decides_as_the_one_before_would_have(void **state)
{
	/* The same needs twice: once one daemon sees all of them, once two do. */
	uint64_t actual[2][VMS][30];

	(void)state;
	for (unsigned run = 0; run < 2; run++) {
		struct bench *b = start_in_motion();

		if (run == 1) {
			static struct poise before;

			before = b->d.core;
			bench_again(b, true);
			interval_run(&b->d); /* As a daemon does when it has started. */
			for (uint32_t i = 0; i < VMS; i++) {
				bench_appear(b, i);
				assert_same_history(&before.vm[i], &b->d.core.vm[i]);
			}
		}
		fake.guest[1].need = 150u * MIB;
		for (unsigned tick = 0; tick < 30; tick++) {
			bench_tick(b, 1);
			for (uint32_t i = 0; i < VMS; i++) {
				actual[run][i][tick] = fake.guest[i].actual;
				assert_int_equal(b->d.core.vm[i].state, POISE_VM_MANAGED);
			}
		}
		bench_end(b);
	}
	assert_memory_equal(actual[0], actual[1], sizeof(actual[0]));
}

static void a_vm_that_was_started_anew_meanwhile_has_no_history(void **state)
{
	struct bench *b = start_in_motion();

	(void)state;
	bench_again(b, true);
	fake.guest[1].start++;
	bench_appear(b, 0);
	bench_appear(b, 1);
	assert_int_equal(b->d.core.vm[0].state, POISE_VM_MANAGED);
	assert_int_equal(b->d.core.vm[1].state, POISE_VM_UNMANAGED);
	/* Nor has one that goes and comes again while the daemon runs. */
	fake.env.calls->gone(&b->d, 0);
	bench_appear(b, 0);
	assert_int_equal(b->d.core.vm[0].state, POISE_VM_UNMANAGED);
	bench_end(b);
}

static void the_state_is_written_while_the_daemon_runs(void **state)
{
	struct bench *b = start_in_motion();

	(void)state;
	assert_int_equal(access(bench_state(b), F_OK), -1);
	bench_tick(b, 1001); /* Ten seconds and an interval. */
	assert_int_equal(access(bench_state(b), F_OK), 0);
	bench_again(b, false);
	bench_appear(b, 2);
	assert_int_equal(b->d.core.vm[2].state, POISE_VM_MANAGED);
	bench_end(b);
}

static void the_state_is_not_overwritten_before_all_are_known(void **state)
{
	struct bench *b = start_in_motion();

	(void)state;
	bench_again(b, true);
	fake.guest[2].adopting = true;
	bench_tick(b, 5);
	bench_again(b, true);
	fake.guest[2].adopting = false;
	bench_appear(b, 2);
	assert_int_equal(b->d.core.vm[2].state, POISE_VM_MANAGED);
	bench_end(b);
}

/* Replaces the file's first `from` by `to`. */
static void edit_state(const struct bench *b, const char *from, const char *to)
{
	static char text[65536];
	FILE *file = fopen(bench_state(b), "r");
	char *at;
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	at = strstr(text, from);
	assert_non_null(at);
	file = fopen(bench_state(b), "w");
	assert_non_null(file);
	fwrite(text, 1, (size_t)(at - text), file);
	fputs(to, file);
	fputs(at + strlen(from), file);
	fclose(file);
}

static void a_state_that_does_not_fit_is_not_used(void **state)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{"\"format\": 1", "\"format\": 2"},
		{"\"backend\": \"fake\"", "\"backend\": \"kvm\""},
		{"\"boot\": \"", "\"boot\": \"0"},
		{"\"saved_ms\": ", "\"saved_ms\": 9"},
		{"\"slot\": 0", "\"slot\": 99"},
		{"\"slot\": 0", "\"slot\": 1"},
		{"\"state\": \"", "\"state\": \"g0"},
		{"\"state\": \"50", "\"state\": \"51"},
		{"{", "["},
		{"\"vms\"", "\"wms\""},
		{"\"state\": \"50", "\"state\": \"5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct bench *b = start_in_motion();

		/* The daemon writes its state; what it finds is another one. */
		bench_again(b, true);
		edit_state(b, edits[i].from, edits[i].to);
		bench_again(b, false);
		bench_appear(b, 0);
		bench_appear(b, 2);
		assert_int_equal(b->d.core.vm[0].state, POISE_VM_UNMANAGED);
		assert_int_equal(b->d.core.vm[2].state, POISE_VM_UNMANAGED);
		bench_tick(b, 5);
		assert_int_equal(b->d.core.vm[0].state, POISE_VM_MANAGED);
		bench_end(b);
	}
}

static bool take_lines(void *ctx, const char *line, size_t size)
{
	return fwrite(line, 1, size, ctx) == size;
}

static void a_recording_that_starts_later_changes_nothing_and_replays(void **state)
{
	static struct replay_result result;
	static struct poise before;
	struct bench *b = start_in_motion();
	FILE *file = tmpfile();
	const struct sink sink = {take_lines, file};

	(void)state;
	assert_non_null(file);
	before = b->d.core;
	assert_null(recording_start(&b->d, &sink));
	assert_memory_equal(&b->d.core, &before, sizeof(before));
	fake.guest[1].need = 200u * MIB;
	bench_tick(b, 30);
	fake.env.calls->gone(&b->d, 2);
	bench_tick(b, 5);
	bench_appear(b, 2);
	bench_tick(b, 20);
	recording_stop(&b->d, file);
	rewind(file);
	if (replay_run(file, NULL, &result) != 0) {
		fail_msg("line %lu: %s: %s / %s", result.line, result.reason, result.expected,
			 result.found);
	}
	assert_true(result.checks == 0 && result.lines > 100);
	fclose(file);
	bench_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_needy_guest_gets_memory),
		cmocka_unit_test(f54_host_memory_unreadable_or_absurd),
		cmocka_unit_test(f54_host_has_less_than_the_pool),
		cmocka_unit_test(nothing_is_given_before_all_are_known),
		cmocka_unit_test(f33_stuck_balloon_is_told_of),
		cmocka_unit_test(a_word_is_served_before_the_tick),
		cmocka_unit_test(calls_about_vms_that_are_not_there),
		cmocka_unit_test(an_automatic_pool_is_the_host_less_its_reserve),
		cmocka_unit_test(answers_fit_for_the_longest_names),
		cmocka_unit_test(requests_are_done_or_refused),
		cmocka_unit_test(a_size_is_whole_mib_or_has_a_unit),
		cmocka_unit_test(every_record_has_words),
		cmocka_unit_test(every_rule_of_a_record_is_told_in_words_and_by_name),
		cmocka_unit_test(a_daemon_that_comes_after_decides_as_the_one_before_would_have),
		cmocka_unit_test(a_vm_that_was_started_anew_meanwhile_has_no_history),
		cmocka_unit_test(the_state_is_written_while_the_daemon_runs),
		cmocka_unit_test(the_state_is_not_overwritten_before_all_are_known),
		cmocka_unit_test(a_state_that_does_not_fit_is_not_used),
		cmocka_unit_test(a_recording_that_starts_later_changes_nothing_and_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
