/* SPDX-License-Identifier: MIT */
/*
 * The studies of earlier work as wholes: what sigma costs, what dirty and accessed pages tell, what
 * importance and the emergency path do; and the loads of several programs that they are made with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "estimate.h"
#include "run.h"
#include "sigma.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static struct sim_scenario *read_scenario(const char *path)
{
	char error[SIM_ERROR_MAX];
	struct sim_scenario *s = sim_scenario_read(path, error);

	if (s == NULL) {
		fail_msg("%s", error);
	}
	return s;
}

/* A scenario from a text, by way of a file that is gone when it has been read. */
static struct sim_scenario *make_scenario(const char *text)
{
	char path[] = "/tmp/poise-study-XXXXXX";
	const int fd = mkstemp(path);
	char error[SIM_ERROR_MAX];
	struct sim_scenario *s;
	FILE *out;

	assert_true(fd >= 0);
	out = fdopen(fd, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	s = sim_scenario_read(path, error);
	assert_int_equal(remove(path), 0);
	if (s == NULL) {
		fail_msg("%s", error);
	}
	return s;
}

static void run(const struct sim_scenario *s, const char *policy, struct sim_result *result)
{
	const struct sim_run_options options = {.seed = s->seed};
	char error[SIM_ERROR_MAX];

	if (!sim_run(s, policy, &options, result, error)) {
		fail_msg("%s under %s: %s", s->name, policy, error);
	}
}

/* --- loads --- */

static void a_sum_is_what_all_programs_have_and_do(void **state)
{
	struct sim_row first[] = {
		{.ms = 500, .cpu_ms = 101, .anon = 10, .file = 1, .churn = 7},
		{.ms = 1000, .cpu_ms = 900, .anon = 20, .file = 2, .churn = 0},
	};
	struct sim_row second[] = {{.ms = 250, .cpu_ms = 200, .anon = 100, .file = 50}};
	const struct sim_load_part part[] = {
		{.load = {.row = first, .rows = 2, .hot_file = 3}},
		{.load = {.row = second, .rows = 1, .hot_file = 4}, .delay_ms = 750},
	};
	struct sim_load sum = {0};
	uint32_t cpu_ms = 0;

	(void)state;
	assert_true(sim_load_sum(part, 2, &sum));
	/* As long as the longest: 1500 ms, in rows of 250. */
	assert_int_equal(sum.rows, 6);
	assert_int_equal(sim_load_ms(&sum), 1500);
	assert_int_equal(sum.hot_file, 7);
	/* The first program alone. */
	assert_int_equal(sum.row[0].anon, 10);
	assert_int_equal(sum.row[0].cpu_ms + sum.row[1].cpu_ms, 101);
	assert_int_equal(sum.row[0].churn + sum.row[1].churn, 7);
	assert_int_equal(sum.row[2].anon, 20);
	assert_int_equal(sum.row[2].file, 2);
	/* Both, from 750 ms to the end; the second one's only row comes again and again. */
	for (uint32_t i = 3; i < 6; i++) {
		assert_int_equal(sum.row[i].anon, 120);
		assert_int_equal(sum.row[i].file, 52);
		/* 225 + 200 of 250: no more than there is. */
		assert_int_equal(sum.row[i].cpu_ms, 250);
	}
	for (uint32_t i = 0; i < sum.rows; i++) {
		cpu_ms += sum.row[i].cpu_ms;
	}
	assert_int_equal(cpu_ms, 101 + 225 + 3 * 250);
	sim_load_free(&sum);
}

static void a_sum_that_cannot_be_counted_is_refused(void **state)
{
	struct sim_row huge[] = {{.ms = 250, .anon = 3000000000u}};
	struct sim_row endless[] = {{.ms = 4000000000u}};
	const struct sim_load_part large[] = {
		{.load = {.row = huge, .rows = 1}},
		{.load = {.row = huge, .rows = 1}},
	};
	const struct sim_load_part late = {.load = {.row = endless, .rows = 1}};
	struct sim_load sum = {0};

	(void)state;
	assert_false(sim_load_sum(large, 2, &sum));
	sim_load_free(&sum);
	assert_false(sim_load_sum(&late, 1, &sum));
	sim_load_free(&sum);
}

/* Figure 2 of Kim et al.: the same programs swap in two VMs and do not in one system. */
static void one_system_does_not_swap_where_two_vms_do(void **state)
{
	static struct sim_result native, static_, balanced;
	struct sim_scenario *one = read_scenario("test/study/native.cfg");
	struct sim_scenario *two = read_scenario("test/study/virtual.cfg");

	(void)state;
	assert_int_equal(one->total_pages, two->total_pages);
	run(one, "static", &native);
	run(two, "static", &static_);
	run(two, "poise", &balanced);
	assert_true(native.swap_out < 256u * 10u);
	assert_true(static_.swap_out > 256u * 100u);
	assert_true(balanced.swap_out * 5u < static_.swap_out);
	sim_scenario_free(one);
	sim_scenario_free(two);
}

static void workloads_take_the_first_vms_place(void **state)
{
	static struct sim_result own, other, again;
	struct sim_scenario *s = read_scenario("test/study/table3.cfg");

	(void)state;
	/* Until the game has loaded its third level. */
	s->end_ms = 120000;
	assert_true(s->workload_count >= 8);
	assert_false(sim_scenario_choose(s, "nothing of that name"));
	run(s, "static", &own);
	assert_true(sim_scenario_choose(s, "small"));
	run(s, "static", &other);
	assert_true(own.vm[0].swap_out > 256u * 20u);
	assert_int_equal(other.vm[0].swap_out, 0);
	/* They are exchanged, so nothing is lost. */
	assert_true(sim_scenario_choose(s, "small"));
	run(s, "static", &again);
	assert_memory_equal(&own, &again, sizeof(own));
	sim_scenario_free(s);
}

/* --- seed 2: sigma --- */

static const char sigma_text[] =
	"name = \"sigma\"; total = 512; seconds = 60;\n"
	"vms = (\n"
	"  { name = \"files\"; boot = 256; min = 100; max = 512;\n"
	"    load = { kind = \"phases\"; low = 100; files = 100; cpu = 1.0; }; },\n"
	"  { name = \"none\"; boot = 200; min = 100; max = 512;\n"
	"    load = { kind = \"phases\"; low = 100; files = 0; cpu = 1.0; }; }\n"
	");\n";

static void sigma_has_a_threshold_where_caches_count(void **state)
{
	const struct sim_sigma_sweep sweep = {
		.from = 0.0, .to = 0.4, .step = 0.1, .loss_percent = 5.0};
	struct sim_scenario *s = make_scenario(sigma_text);
	char error[SIM_ERROR_MAX];
	struct sim_sigma_vm vm;

	(void)state;
	assert_true(sim_sigma_run(&vm, s, 0, &sweep, 1, error));
	assert_int_equal(vm.points, 5);
	assert_true(vm.unmanaged.work > 0.99);
	assert_true(vm.point[0].loss_percent > 10.0);
	assert_true(vm.point[4].loss_percent < 1.0);
	assert_true(vm.found);
	for (uint32_t i = 0; i < vm.points; i++) {
		/* The threshold is the smallest of all from which on nothing is lost. */
		const bool above = vm.point[i].sigma >= vm.threshold;

		assert_int_equal(above, vm.point[i].loss_percent <= sweep.loss_percent);
		assert_true(i == 0 || vm.point[i].vm.mean_pages > vm.point[i - 1u].vm.mean_pages);
	}
	assert_true(vm.threshold > 0.05 && vm.threshold < 0.35);
	sim_sigma_free(&vm);
	sim_scenario_free(s);
}

static void feedback_makes_up_for_a_small_sigma(void **state)
{
	struct sim_sigma_sweep sweep = {.to = 0.0, .step = 0.1, .loss_percent = 5.0};
	struct sim_scenario *s = make_scenario(sigma_text);
	char error[SIM_ERROR_MAX];
	struct sim_sigma_vm without, with;

	(void)state;
	assert_true(sim_sigma_run(&without, s, 0, &sweep, 1, error));
	sweep.feedback = 1.0;
	assert_true(sim_sigma_run(&with, s, 0, &sweep, 1, error));
	assert_false(without.found);
	assert_true(with.point[0].loss_percent * 2.0 < without.point[0].loss_percent);
	sim_sigma_free(&without);
	sim_sigma_free(&with);
	sim_scenario_free(s);
}

/* --- seed 0: dirty and accessed pages --- */

enum { WRITER, READER, VMS };

static const char estimate_text[] =
	"name = \"estimate\"; total = 512; seconds = 100; granule = 1;\n"
	"vms = (\n"
	"  { name = \"writer\"; boot = 200; min = 100; max = 256;\n"
	"    load = { kind = \"phases\"; low = 60; files = 0; cpu = 0.5; }; },\n"
	"  { name = \"reader\"; boot = 200; min = 100; max = 256;\n"
	"    load = { kind = \"phases\"; low = 5; files = 60; cpu = 0.5; }; }\n"
	");\n";

static double error_of(const struct sim_estimate *e)
{
	return (e->over + e->under) / e->truth;
}

static void estimate(const struct sim_scenario *s, uint32_t flag, uint32_t sample,
		     struct sim_estimate *out)
{
	const struct sim_estimator e = {.flag = flag, .sample = sample, .period_ms = 10000};
	char error[SIM_ERROR_MAX];

	if (!sim_estimate_run(s, &e, 1, out, error)) {
		fail_msg("%s", error);
	}
}

static void accessed_pages_tell_the_working_set_and_dirty_ones_do_not(void **state)
{
	struct sim_scenario *s = make_scenario(estimate_text);
	struct sim_estimate dirty[SIM_VM_MAX], accessed[SIM_VM_MAX];

	(void)state;
	estimate(s, SIM_DIRTY, 0, dirty);
	estimate(s, SIM_ACCESSED, 0, accessed);
	for (uint32_t i = 0; i < VMS; i++) {
		assert_int_equal(accessed[i].intervals, 10);
		/* Looking changes nothing. */
		assert_true(dirty[i].truth == accessed[i].truth);
		assert_true(accessed[i].truth > 256.0 * 30.0);
		assert_true(error_of(&accessed[i]) < 0.02);
		assert_true(error_of(&dirty[i]) > error_of(&accessed[i]));
	}
	/* What is only read does not show in the dirty log. */
	assert_true(error_of(&dirty[READER]) > 0.8);
	assert_true(error_of(&dirty[WRITER]) < 0.5);
	assert_true(dirty[READER].over < 1.0);
	sim_scenario_free(s);
}

static void small_samples_cost_little_and_err_more(void **state)
{
	static const uint32_t samples[] = {100, 1000, 10000, 0};
	struct sim_scenario *s = make_scenario(estimate_text);
	struct sim_estimate e[ARRAY_SIZE(samples)][SIM_VM_MAX];

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(samples); k++) {
		estimate(s, SIM_ACCESSED, samples[k], e[k]);
	}
	for (uint32_t i = 0; i < VMS; i++) {
		/* Drawn and read; all of 256 MiB are read and cleared in one go. */
		assert_true(e[0][i].probes == 200.0);
		assert_true(e[2][i].probes == 20000.0);
		assert_true(e[3][i].probes == 65536.0);
		assert_true(e[0][i].hits < e[1][i].hits && e[1][i].hits < e[2][i].hits);
		assert_true(error_of(&e[0][i]) > error_of(&e[2][i]));
		assert_true(error_of(&e[2][i]) < 0.05);
		assert_true(error_of(&e[0][i]) < 0.5);
	}
	sim_scenario_free(s);
}

/* Two alike, of which one is more important, on a machine that is too small for both. */
static void importance_decides_who_is_served_first(void **state)
{
	/* Half as much again as is seen: a VM that has too little cannot show what it needs. */
	static const char policy[] = "accessed:sample=0:headroom=0.5";
	static struct sim_result r;
	struct sim_scenario *s = read_scenario("test/study/importance.cfg");

	(void)state;
	for (uint32_t turn = 0; turn < 2; turn++) {
		const uint32_t first = turn;
		const uint32_t second = 1u - turn;

		run(s, policy, &r);
		assert_true(r.vm[first].mean_pages > r.vm[second].mean_pages + 256.0 * 60.0);
		assert_true(r.vm[first].stall_ms * 2.0 < r.vm[second].stall_ms);
		assert_true(r.vm[first].work > r.vm[second].work);
		/* The other way round as well: it is the weight and not the place. */
		s->vm[0].weight = 100;
		s->vm[1].weight = 300;
	}
	s->vm[1].weight = 100;
	run(s, policy, &r);
	assert_true(r.vm[0].mean_pages < r.vm[1].mean_pages * 1.1);
	assert_true(r.vm[1].mean_pages < r.vm[0].mean_pages * 1.1);
	sim_scenario_free(s);
}

/* --- seed 4: the emergency path --- */

static void the_emergency_path_comes_before_the_period(void **state)
{
	static struct sim_result with, without;
	struct sim_scenario *s = read_scenario("test/scenario/launches.cfg");

	(void)state;
	run(s, "cagma", &with);
	run(s, "cagma:emergency=0", &without);
	assert_true(with.swap_out * 5u < without.swap_out);
	assert_true(with.stall_ms * 5.0 < without.stall_ms);
	assert_true(with.relief_ms_worst * 5.0 < without.relief_ms_worst);
	/* Relief without it waits for the period, up to 10 s and more. */
	assert_true(without.relief_ms_worst > 10000.0);
	assert_true(with.worst_work > without.worst_work);
	sim_scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sum_is_what_all_programs_have_and_do),
		cmocka_unit_test(a_sum_that_cannot_be_counted_is_refused),
		cmocka_unit_test(one_system_does_not_swap_where_two_vms_do),
		cmocka_unit_test(workloads_take_the_first_vms_place),
		cmocka_unit_test(sigma_has_a_threshold_where_caches_count),
		cmocka_unit_test(feedback_makes_up_for_a_small_sigma),
		cmocka_unit_test(accessed_pages_tell_the_working_set_and_dirty_ones_do_not),
		cmocka_unit_test(small_samples_cost_little_and_err_more),
		cmocka_unit_test(importance_decides_who_is_served_first),
		cmocka_unit_test(the_emergency_path_comes_before_the_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
