/* SPDX-License-Identifier: MIT */
/*
 * Plays the scenarios: each fault of the catalogue that takes more than one call to show has one
 * here that carries its number. What is asserted after every single call stands in scenario.h.
 */
#include "support.h"

#include "../scenario/scenario.h"

static struct scenario_run run, reference;

static void play_with(const struct scenario *s, const struct scenario_options *options)
{
	const char *what = scenario_play(&run, s, options);
	if (what != NULL) {
		fail_msg("%s, policy %u, tick %u, VM %u: %s (%lld, %lld)", s->name, options->policy,
			 run.failure_tick, run.failure_vm, what, (long long)run.failure_a,
			 (long long)run.failure_b);
	}
}

static void play(const char *name)
{
	const struct scenario_options options = {.calm_ticks = 4};
	const struct scenario *s = scenario_find(name);
	assert_non_null(s);
	play_with(s, &options);
}

#define SCENE(test, name)              \
	static void test(void **state) \
	{                              \
		(void)state;           \
		play(name);            \
	}

SCENE(smart_tv, "smart-tv")
SCENE(f01_f12_stale_and_back, "stale-and-back")
SCENE(f05_f15_f18_broken_pages, "broken-pages")
SCENE(f11_f31_two_writers, "two-writers")
SCENE(f14_a_reboot_loop_keeps_boot_size, "reboot-loop")
SCENE(f16_a_total_that_changes_is_a_bad_sample, "total-changes")
SCENE(f19_one_liar, "one-liar")
SCENE(f20_under_reporter, "under-reporter")
SCENE(f21_square_wave, "square-wave")
SCENE(f22_colluding_liars, "colluders")
SCENE(f23_guest_clock, "guest-clock")
SCENE(f25_page_gone, "page-gone")
SCENE(f27_f29_storm_of_doorbells, "urgent-storm")
SCENE(f30_suspended, "suspended")
SCENE(f33_stuck_balloon, "stuck-balloon")
SCENE(f34_partial_balloon, "partial-balloon")
SCENE(f35_crawling_balloon, "crawling-balloon")
SCENE(f35_moody_balloon, "moody-balloon")
SCENE(f35_slow_balloon_is_not_stuck, "slow-balloon")
SCENE(f38_what_a_vm_shrank_too_far_is_free_and_becomes_its_target, "over-inflation")
SCENE(f39_deflates_by_itself, "deflates-by-itself")
SCENE(f43_f44_f45_f46_come_and_go, "come-and-go")
SCENE(f52_f53_pool_shrinks_and_grows, "pool-size")
SCENE(f54_measure_fails, "measure-fails")
SCENE(f67_jitter_and_bursts, "jitter")
SCENE(f68_missed_ticks, "missed-ticks")
SCENE(f69_host_clock, "host-clock")
SCENE(f71_all_needy, "all-needy")
SCENE(f71_too_small_for_everyone, "too-small")
SCENE(f76_reconfigured, "reconfigured")
SCENE(idle_hoarder, "hoarder")
SCENE(antiphase, "antiphase")
SCENE(sixteen_of_all_kinds, "sixteen")

static const struct scenario *scenario_at(uint32_t i)
{
	if (i < scenario_count) {
		return &scenarios[i];
	}
	i -= scenario_count;
	return i < scenario_small_count ? &scenarios_small[i]
	       : i - scenario_small_count < scenario_fault_count
		       ? &scenarios_fault[i - scenario_small_count]
		       : NULL;
}

/* The invariants are no matter of the policy. */
static void every_scenario_under_every_policy(void **state)
{
	(void)state;
	for (uint32_t policy = 0; policy < POISE_POLICY_COUNT; policy++) {
		for (uint32_t i = 0; scenario_at(i) != NULL; i++) {
			const struct scenario_options options = {.policy = policy,
								 .no_expect = true};
			play_with(scenario_at(i), &options);
		}
	}
}

/* Nor of any single rule. */
static void every_scenario_without_each_rule(void **state)
{
	(void)state;
	for (uint32_t rule = 0; rule <= POISE_RULE_COUNT; rule++) {
		const uint32_t off = rule == POISE_RULE_COUNT
					     ? POISE_RULES_NEUTRAL
					     : POISE_RULE_BIT(rule) & POISE_RULES_NEUTRAL;
		for (uint32_t i = 0; off != 0 && scenario_at(i) != NULL; i++) {
			const struct scenario_options options = {.rules_off = off,
								 .no_expect = true};
			play_with(scenario_at(i), &options);
		}
	}
}

/* --- equal inputs, equal decisions --- */

static void hash_event(void *arg, const struct poise_event *e)
{
	uint64_t *hash = arg;
	const uint64_t words[] = {e->now_ms, e->code, e->vm, e->rule, (uint64_t)e->err,
				  e->a,      e->b,    e->c,  e->d};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		*hash = (*hash ^ words[i]) * 0x100000001b3u;
	}
}

static void equal_inputs_give_equal_events(void **state)
{
	(void)state;
	for (uint32_t i = 0; scenario_at(i) != NULL; i++) {
		uint64_t hash[2] = {1, 1};
		for (unsigned k = 0; k < 2; k++) {
			const struct scenario_options options = {.listen = hash_event,
								 .listen_arg = &hash[k]};
			memset(&run, k == 0 ? 0x5a : 0xff, sizeof(run));
			play_with(scenario_at(i), &options);
		}
		assert_true(hash[0] == hash[1]);
	}
}

/* --- faults without end --- */

struct rate {
	uint64_t seed;
	enum scenario_way way; /* WAY_OK: any */
	uint32_t one_in;
	enum scenario_call only;
	bool all_calls;
};

static enum scenario_way decide(void *arg, enum scenario_call call, uint64_t number)
{
	struct rate *r = arg;
	(void)number;
	if ((!r->all_calls && call != r->only) || random_next(&r->seed) % r->one_in != 0) {
		return WAY_OK;
	}
	return r->way != WAY_OK ? r->way
				: (enum scenario_way)(1 + random_next(&r->seed) % (WAY_COUNT - 1));
}

/* A VM that has been given up six times is left alone for 64 seconds. */
#define CALM_TICKS 80u

/* Every call of one kind fails in one way, all the time; when that ends, so does its effect. */
static void endless(enum scenario_call only, enum scenario_way way, uint32_t one_in, uint64_t seed)
{
	for (uint32_t i = 0; i < scenario_count; i++) {
		const struct scenario_options calm = {.calm_ticks = CALM_TICKS};
		struct rate rate = {.seed = seed,
				    .way = way,
				    .one_in = one_in,
				    .only = only,
				    .all_calls = way == WAY_OK};
		const struct scenario_options options = {.decide = decide,
							 .decide_arg = &rate,
							 .calm_ticks = CALM_TICKS,
							 .no_expect = true};
		uint32_t vm = 0;
		assert_null(scenario_play(&reference, &scenarios[i], &calm));
		play_with(&scenarios[i], &options);
		const char *what = scenario_compare(&run, &reference, 12, &vm);
		if (what != NULL) {
			fail_msg("%s, way %u, seed %llu, VM %u: %s", scenarios[i].name, way,
				 (unsigned long long)seed, vm, what);
		}
	}
}

static void f32_every_request_refused(void **state)
{
	(void)state;
	endless(CALL_RESIZE, WAY_ERROR, 1, 0);
}

static void f33_no_request_carried_out(void **state)
{
	(void)state;
	endless(CALL_RESIZE, WAY_NEVER, 1, 0);
}

static void f34_every_request_in_part(void **state)
{
	(void)state;
	endless(CALL_RESIZE, WAY_SHORT, 1, 0);
}

static void f36_every_answer_late(void **state)
{
	(void)state;
	endless(CALL_RESIZE, WAY_LATE, 1, 0);
}

static void f37_every_answer_twice(void **state)
{
	(void)state;
	endless(CALL_RESIZE, WAY_DUPLICATE, 1, 0);
}

static void f54_no_measurement_at_all(void **state)
{
	(void)state;
	endless(CALL_MEASURE, WAY_ERROR, 1, 0);
	endless(CALL_MEASURE, WAY_NEVER, 1, 0);
}

static void f49_no_notice_arrives(void **state)
{
	(void)state;
	endless(CALL_NOTIFY, WAY_NEVER, 1, 0);
	endless(CALL_NOTIFY, WAY_SHORT, 1, 0);
}

static void f49_every_fourth_call_fails_somehow(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		endless(CALL_RESIZE, WAY_OK, 4, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smart_tv),
		cmocka_unit_test(f01_f12_stale_and_back),
		cmocka_unit_test(f05_f15_f18_broken_pages),
		cmocka_unit_test(f11_f31_two_writers),
		cmocka_unit_test(f14_a_reboot_loop_keeps_boot_size),
		cmocka_unit_test(f16_a_total_that_changes_is_a_bad_sample),
		cmocka_unit_test(f19_one_liar),
		cmocka_unit_test(f20_under_reporter),
		cmocka_unit_test(f21_square_wave),
		cmocka_unit_test(f22_colluding_liars),
		cmocka_unit_test(f23_guest_clock),
		cmocka_unit_test(f25_page_gone),
		cmocka_unit_test(f27_f29_storm_of_doorbells),
		cmocka_unit_test(f30_suspended),
		cmocka_unit_test(f33_stuck_balloon),
		cmocka_unit_test(f34_partial_balloon),
		cmocka_unit_test(f35_crawling_balloon),
		cmocka_unit_test(f35_moody_balloon),
		cmocka_unit_test(f35_slow_balloon_is_not_stuck),
		cmocka_unit_test(f38_what_a_vm_shrank_too_far_is_free_and_becomes_its_target),
		cmocka_unit_test(f39_deflates_by_itself),
		cmocka_unit_test(f43_f44_f45_f46_come_and_go),
		cmocka_unit_test(f52_f53_pool_shrinks_and_grows),
		cmocka_unit_test(f54_measure_fails),
		cmocka_unit_test(f67_jitter_and_bursts),
		cmocka_unit_test(f68_missed_ticks),
		cmocka_unit_test(f69_host_clock),
		cmocka_unit_test(f71_all_needy),
		cmocka_unit_test(f71_too_small_for_everyone),
		cmocka_unit_test(f76_reconfigured),
		cmocka_unit_test(idle_hoarder),
		cmocka_unit_test(antiphase),
		cmocka_unit_test(sixteen_of_all_kinds),
		cmocka_unit_test(every_scenario_under_every_policy),
		cmocka_unit_test(every_scenario_without_each_rule),
		cmocka_unit_test(equal_inputs_give_equal_events),
		cmocka_unit_test(f32_every_request_refused),
		cmocka_unit_test(f33_no_request_carried_out),
		cmocka_unit_test(f34_every_request_in_part),
		cmocka_unit_test(f36_every_answer_late),
		cmocka_unit_test(f37_every_answer_twice),
		cmocka_unit_test(f54_no_measurement_at_all),
		cmocka_unit_test(f49_no_notice_arrives),
		cmocka_unit_test(f49_every_fourth_call_fails_somehow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
