/* SPDX-License-Identifier: MIT */
/* Whole runs: equal inputs give equal results, recordings replay, books and invariants hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"
#include "run.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *const scenarios[] = {
	"all-needy", "antiphase", "bursts", "cache-idle", "channels", "hoarder", "launches", "liar",
	"sixteen",   "stale",     "stuck",  "too-small",  "tv-game",  "tv-web",  "tv-work",
};

static struct sim_scenario *read_scenario(const char *name)
{
	char path[128];
	char error[SIM_ERROR_MAX];
	struct sim_scenario *s;

	snprintf(path, sizeof(path), "test/scenario/%s.cfg", name);
	s = sim_scenario_read(path, error);
	if (s == NULL) {
		fail_msg("%s", error);
	}
	return s;
}

static void run(const struct sim_scenario *s, const char *policy, uint64_t seed, FILE *record,
		struct sim_result *result)
{
	const struct sim_run_options options = {.seed = seed, .record = record};
	char error[SIM_ERROR_MAX];

	if (!sim_run(s, policy, &options, result, error)) {
		fail_msg("%s under %s: %s", s->name, policy, error);
	}
}

static void test_equal_seeds_give_equal_results(void **state)
{
	static struct sim_result a, b, c;
	struct sim_scenario *s = read_scenario("stuck");

	(void)state;
	s->end_ms = 60000;
	run(s, "poise", 7, NULL, &a);
	run(s, "poise", 7, NULL, &b);
	run(s, "poise", 8, NULL, &c);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	sim_scenario_free(s);
}

static void test_every_scenario_keeps_the_invariants_and_replays(void **state)
{
	static struct sim_result result;
	static struct replay_result replay;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		struct sim_scenario *s = read_scenario(scenarios[i]);
		FILE *record = tmpfile();

		assert_non_null(record);
		s->end_ms = 30000;
		run(s, "poise", 1, record, &result);
		assert_int_equal(result.violations, 0);
		assert_true(result.checks > 30);
		assert_int_equal(fflush(record), 0);
		rewind(record);
		if (replay_run(record, NULL, &replay) != 0) {
			fail_msg("%s: line %lu: %s", s->name, replay.line, replay.reason);
		}
		assert_int_equal(replay.checks, 0);
		fclose(record);
		sim_scenario_free(s);
	}
}

static void test_a_live_update_of_the_core_changes_nothing(void **state)
{
	static struct sim_result plain, updated;
	static struct replay_result replay;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		struct sim_scenario *s = read_scenario(scenarios[i]);
		FILE *record = tmpfile();

		assert_non_null(record);
		if (s->event_count != 0) {
			fclose(record);
			sim_scenario_free(s);
			continue; /* The list of events is ours here. */
		}
		s->end_ms = 60000;
		run(s, "poise", 1, NULL, &plain);
		for (uint64_t at = 1500; at < s->end_ms && s->event_count < SIM_EVENTS_MAX;
		     at += 2345) {
			s->event[s->event_count++] =
				(struct sim_event){.at_ms = at, .kind = SIM_EVENT_UPDATE};
		}
		run(s, "poise", 1, record, &updated);
		assert_int_equal(updated.checks, plain.checks + s->event_count);
		updated.checks = plain.checks;
		assert_memory_equal(&plain, &updated, sizeof(plain));
		rewind(record);
		if (replay_run(record, NULL, &replay) != 0) {
			fail_msg("%s: line %lu: %s", s->name, replay.line, replay.reason);
		}
		fclose(record);
		sim_scenario_free(s);
	}
}

static void test_static_moves_nothing_and_best_needs_nothing(void **state)
{
	static struct sim_result result;
	struct sim_scenario *s = read_scenario("launches");

	(void)state;
	s->end_ms = 120000;
	run(s, "static", 1, NULL, &result);
	assert_int_equal(result.moved, 0);
	assert_true(result.swap_out > 0);
	assert_true(result.stall_ms > 0);
	assert_true(result.relief_ms_worst >= result.relief_ms_median);
	run(s, "best", 1, NULL, &result);
	assert_int_equal(result.swap_out, 0);
	assert_true(result.work > 0.99);
	sim_scenario_free(s);
}

static void test_the_simulators_own_policies_move_memory(void **state)
{
	static struct sim_result result;
	struct sim_scenario *s = read_scenario("hoarder");

	(void)state;
	s->end_ms = 60000;
	run(s, "equal", 1, NULL, &result);
	/* 640 and 384 become 512 each. */
	assert_in_range(result.moved, 2u * 127u * 256u, 2u * 129u * 256u);
	run(s, "proportional:period=2", 1, NULL, &result);
	assert_true(result.moved > 0);
	assert_int_equal(result.violations, 0);
	sim_scenario_free(s);
}

static void test_wrong_policies_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"nobody",
		"poise:colour=1",
		"poise:alpha=x",
		"poise:alpha=-1",
		"poise:alpha=7",
		"static:alpha",
		"equal:period=3",
		"best:x=1",
		"proportional:period=0",
		"proportional:x=1",
	};
	const struct sim_run_options options = {.seed = 1};
	static struct sim_result result;
	struct sim_scenario *s = read_scenario("hoarder");
	char error[SIM_ERROR_MAX];

	(void)state;
	s->end_ms = 100;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(sim_run(s, wrong[i], &options, &result, error));
		assert_non_null(strstr(error, "policy "));
	}
	run(s, "poise:alpha=0.5:reserve=20", 1, NULL, &result);
	sim_scenario_free(s);
}

static void test_granule_does_not_decide_the_result(void **state)
{
	static struct sim_result fine, coarse;
	struct sim_scenario *s = read_scenario("tv-web");

	(void)state;
	s->end_ms = 120000;
	s->granule = 8;
	run(s, "static", 1, NULL, &fine);
	s->granule = 64;
	run(s, "static", 1, NULL, &coarse);
	assert_in_range(coarse.swap_out, fine.swap_out / 4u * 3u, fine.swap_out / 4u * 5u);
	assert_in_range(coarse.swap_in, fine.swap_in / 4u * 3u, fine.swap_in / 4u * 5u);
	sim_scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_seeds_give_equal_results),
		cmocka_unit_test(test_every_scenario_keeps_the_invariants_and_replays),
		cmocka_unit_test(test_a_live_update_of_the_core_changes_nothing),
		cmocka_unit_test(test_static_moves_nothing_and_best_needs_nothing),
		cmocka_unit_test(test_the_simulators_own_policies_move_memory),
		cmocka_unit_test(test_wrong_policies_are_refused),
		cmocka_unit_test(test_granule_does_not_decide_the_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
