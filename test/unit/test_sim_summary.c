/* SPDX-License-Identifier: MIT */
/* Scenarios under policies as a whole: runs in several processes, and sums over the set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batch.h"
#include "summary.h"

/* A scenario's result under a policy. */
static struct sim_result result_of(const char *policy, double stall_ms, double work)
{
	struct sim_result r = {
		.swap_out = 10,
		.swap_in = 5,
		.refault = 7,
		.moved = 100,
		.reversals = 2,
		.violations = 1,
		.oom_kills = 3,
		.stall_ms = stall_ms,
		.work = work,
		.worst_work = work / 2.0,
		.relief_ms_worst = stall_ms / 10.0,
		.idle_pages = stall_ms,
	};

	snprintf(r.policy, sizeof(r.policy), "%s", policy);
	return r;
}

static void test_sums_add_up_and_the_best_comes_first(void **state)
{
	const struct sim_result result[] = {
		result_of("oracle", 100.0, 1.0), result_of("a", 400.0, 0.8),
		result_of("b:x=1", 500.0, 0.9),  result_of("best", 0.0, 1.0),
		result_of("oracle", 300.0, 1.0), result_of("a", 600.0, 0.6),
		result_of("b:x=1", 250.0, 0.7),  result_of("best", 10.0, 1.0),
	};
	struct sim_summary s[4];

	(void)state;
	sim_summary_make(result, 2, 4, s);
	assert_string_equal(s[0].policy, "best");
	assert_string_equal(s[1].policy, "oracle");
	assert_string_equal(s[2].policy, "b:x=1");
	assert_string_equal(s[3].policy, "a");
	assert_int_equal(s[3].swap_out, 20);
	assert_int_equal(s[3].swap_in, 10);
	assert_int_equal(s[3].refault, 14);
	assert_int_equal(s[3].moved, 200);
	assert_int_equal(s[3].reversals, 4);
	assert_int_equal(s[3].violations, 2);
	assert_int_equal(s[3].oom_kills, 6);
	assert_true(s[3].stall_ms == 1000.0);
	assert_true(s[3].relief_ms_worst == 60.0);
	assert_true(fabs(s[3].work - 0.7) < 1e-9);
	assert_true(s[3].worst_work == 0.3);
	assert_true(s[3].idle_pages == 500.0);
	/* Against 400 ms of the oracle's. */
	assert_true(fabs(s[3].over_oracle - 1.5) < 1e-9);
	assert_true(fabs(s[2].over_oracle - 0.875) < 1e-9);
	/* a is the best in the first scenario, b in the second; nobody is behind hindsight. */
	assert_true(s[2].behind_ms == 100.0);
	assert_int_equal(s[2].behind_at, 0);
	assert_true(s[3].behind_ms == 350.0);
	assert_int_equal(s[3].behind_at, 1);
	assert_true(s[1].behind_ms == 50.0);
	assert_true(s[0].behind_ms == 0.0);
}

static void test_without_an_oracle_no_gap_is_told(void **state)
{
	const struct sim_result result[] = {result_of("a", 400.0, 0.8)};
	struct sim_summary s;

	(void)state;
	sim_summary_make(result, 1, 1, &s);
	assert_true(isnan(s.over_oracle));
	assert_true(s.behind_ms == 0.0);
	assert_true(sim_summary_is_hindsight("oracle:ahead=0"));
	assert_false(sim_summary_is_hindsight("oracles"));
	assert_false(sim_summary_is_hindsight("bes"));
}

static struct sim_scenario *read_scenario(const char *path)
{
	char error[SIM_ERROR_MAX];
	struct sim_scenario *s = sim_scenario_read(path, error);

	if (s == NULL) {
		fail_msg("%s", error);
	}
	s->end_ms = 5000;
	return s;
}

static uint64_t last_done;

static void note(void *ctx, uint64_t done, uint64_t all)
{
	assert_int_equal(*(unsigned *)ctx, all);
	last_done = done;
}

static void test_runs_do_not_depend_on_the_number_of_processes(void **state)
{
	static struct sim_result alone[6], together[6], here;
	static const char *const policy[] = {"poise", "static", "squeezed"};
	struct sim_scenario *s[2] = {
		read_scenario("test/scenario/stuck.cfg"),
		read_scenario("test/scenario/hoarder.cfg"),
	};
	const struct sim_run_options options = {.seed = 4};
	struct sim_batch_run run[6];
	char error[SIM_ERROR_MAX];
	unsigned all = 6;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		run[i] = (struct sim_batch_run){
			.scenario = s[i / 3], .policy = policy[i % 3], .seed = 4};
	}
	assert_true(sim_batch(run, 6, 1, alone, note, &all, error));
	assert_int_equal(last_done, 6);
	assert_true(sim_batch(run, 6, 9, together, NULL, NULL, error));
	for (unsigned i = 0; i < 6; i++) {
		assert_true(sim_run(s[i / 3], policy[i % 3], &options, &here, error));
		assert_memory_equal(&alone[i], &here, sizeof(here));
		assert_memory_equal(&together[i], &here, sizeof(here));
	}
	sim_scenario_free(s[0]);
	sim_scenario_free(s[1]);
}

static void test_a_run_that_fails_is_named(void **state)
{
	static struct sim_result result[2];
	struct sim_scenario *s = read_scenario("test/scenario/stuck.cfg");
	const struct sim_batch_run run[] = {{s, "static", 1}, {s, "nobody", 1}};
	char error[SIM_ERROR_MAX];

	(void)state;
	assert_false(sim_batch(run, 2, 2, result, NULL, NULL, error));
	assert_non_null(strstr(error, "stuck under nobody: "));
	assert_non_null(strstr(error, "no such policy"));
	sim_scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_add_up_and_the_best_comes_first),
		cmocka_unit_test(test_without_an_oracle_no_gap_is_told),
		cmocka_unit_test(test_runs_do_not_depend_on_the_number_of_processes),
		cmocka_unit_test(test_a_run_that_fails_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
