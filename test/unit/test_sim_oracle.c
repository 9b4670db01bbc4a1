/* SPDX-License-Identifier: MIT */
/* Critical memory amounts, the oracle, and whole runs under both. */
#include "sim_bench.h"

#include "loop.h"
#include "run.h"

static void sizes_in_mib(struct bench *b, const uint64_t *mib)
{
	for (uint32_t i = 0; i < b->view.vm_count; i++) {
		assert_in_range(b->vm[i].target_pages, MIB(mib[i]) - 2, MIB(mib[i]) + 1);
	}
}

/* --- cagma --- */

/* A VM that started with 500 of 1000 MiB and uses so many: its CMA is 50 more. */
static void cagma_vm(struct bench *b, uint64_t size, uint64_t used)
{
	struct sim_vm_view *vm = bench_vm(b, 100, 1000, size);

	vm->boot_pages = MIB(500);
	vm->stats.available_pages = size > used ? MIB(size - used) : 0;
	vm->stats.swap_used_pages = size > used ? 0 : MIB(used - size);
}

static void cagma_fills_up_from_those_who_have_more(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1600);
	cagma_vm(&b, 500, 540); /* lacks 90 */
	cagma_vm(&b, 600, 350); /* 200 above its CMA */
	cagma_vm(&b, 500, 350); /* 100 above */
	bench_policy(&b, "cagma", "period=1");
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){590, 540, 470});
	bench_stop(&b);
	/* With 60 free, 30 are taken. */
	b.view.total_pages += MIB(60);
	b.vm[0].target_pages = MIB(500);
	b.vm[1].target_pages = MIB(600);
	b.vm[2].target_pages = MIB(500);
	bench_policy(&b, "cagma", "period=1");
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){590, 580, 490});
	bench_stop(&b);
}

static void cagma_shares_what_is_not_enough(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1500);
	cagma_vm(&b, 500, 650); /* lacks 200 */
	cagma_vm(&b, 500, 550); /* lacks 100 */
	cagma_vm(&b, 500, 390); /* 60 above */
	bench_policy(&b, "cagma", "period=1");
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){540, 520, 440});
	bench_stop(&b);
}

static void cagma_waits_for_its_period_but_in_an_emergency(void **state)
{
	static const struct {
		const char *options;
		uint64_t after_swap;
	} rows[] = {{"", 600}, {"emergency=0", 500}};
	uint64_t target[2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;

		bench_start(&b, 1000);
		cagma_vm(&b, 500, 550);
		cagma_vm(&b, 500, 350);
		bench_policy(&b, "cagma", rows[i].options);
		bench_step(&b);
		sizes_in_mib(&b, (uint64_t[]){500, 500});
		target[0] = target[1] = MIB(500);
		b.policy->urgent(b.state, &b.view, 0, target);
		assert_int_equal(target[0], MIB(rows[i].after_swap));
		b.vm[0].stats.swap_out_pages = 1;
		bench_step(&b);
		sizes_in_mib(&b, (uint64_t[]){rows[i].after_swap, 1000 - rows[i].after_swap});
		for (uint32_t k = 2; k < 10; k++) {
			bench_step(&b);
		}
		sizes_in_mib(&b, (uint64_t[]){600, 400});
		bench_stop(&b);
	}
	{
		struct bench b;

		bench_start(&b, 1000);
		bench_refuses(&b, "cagma", "emergency=2");
		bench_refuses(&b, "cagma", "period=0");
	}
}

/* --- oracle --- */

static struct sim_host host;
static struct sim_scenario scenario;

/* The VM passes ten times over so many pages. */
static void sweep(struct sim_truth *t, uint32_t pages)
{
	for (uint32_t i = 0; i < 10u * pages; i++) {
		sim_truth_touch(t, i % pages, 0);
	}
}

/* Two VMs on a machine of 256 pages, both with half of it. */
static void oracle_finds(uint32_t first, uint32_t second, uint64_t first_min, uint64_t first_max)
{
	struct bench b;

	memset(&host, 0, sizeof(host));
	memset(&scenario, 0, sizeof(scenario));
	scenario.vm_count = 2;
	host.books.scenario = &scenario;
	bench_start(&b, 1);
	b.view.host = &host;
	for (uint32_t i = 0; i < 2; i++) {
		struct sim_vm_view *vm = bench_vm(&b, 0, 1, 0);

		vm->actual_pages = 128;
		vm->target_pages = 128;
		host.guest[i].config = &scenario.vm[i];
		host.guest[i].granule = 1;
		assert_true(sim_truth_start(&host.guest[i].truth, 256));
	}
	bench_policy(&b, "oracle", "ahead=0:move=0");
	sweep(&host.guest[0].truth, first);
	sweep(&host.guest[1].truth, second);
	bench_step(&b);
	assert_in_range(b.vm[0].target_pages, first_min, first_max);
	assert_true(b.vm[0].target_pages + b.vm[1].target_pages <= 256);
	assert_int_equal(sim_truth_misses(&host, 0, 256), 0);
	bench_stop(&b);
	sim_truth_stop(&host.guest[0].truth);
	sim_truth_stop(&host.guest[1].truth);
}

/* LRU gains nothing from a sweep's set in part, so whoever goes step by step cannot find these. */
static void oracle_finds_what_a_step_by_step_search_does_not(void **state)
{
	(void)state;
	oracle_finds(100, 200, 0, 56);    /* the larger alone */
	oracle_finds(50, 200, 50, 56);    /* both */
	oracle_finds(200, 190, 200, 256); /* either: the one that costs more */
	oracle_finds(120, 128, 120, 128); /* both have what they need: nothing moves */
}

static void oracle_refuses_nonsense(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_refuses(&b, "oracle", "period=0");
	bench_refuses(&b, "oracle", "ahead=1000");
	bench_refuses(&b, "oracle", "behind=1");
}

/* --- whole runs --- */

static struct sim_result run(const char *name, const char *policy)
{
	const struct sim_run_options options = {.seed = 1};
	static struct sim_result result;
	char path[128], error[SIM_ERROR_MAX];
	struct sim_scenario *s;

	snprintf(path, sizeof(path), "test/scenario/%s.cfg", name);
	s = sim_scenario_read(path, error);
	assert_non_null(s);
	if (!sim_run(s, policy, &options, &result, error)) {
		fail_msg("%s under %s: %s", name, policy, error);
	}
	sim_scenario_free(s);
	return result;
}

static void foresight_beats_hindsight_and_hindsight_beats_none(void **state)
{
	struct sim_result ahead, past, none;

	(void)state;
	ahead = run("antiphase", "oracle");
	past = run("antiphase", "oracle:ahead=0");
	none = run("antiphase", "static");
	assert_true(ahead.stall_ms * 10.0 < past.stall_ms);
	assert_true(past.stall_ms < none.stall_ms);
}

static void the_emergency_path_is_what_makes_cagma(void **state)
{
	struct sim_result with, without;

	(void)state;
	with = run("antiphase", "cagma");
	without = run("antiphase", "cagma:emergency=0");
	assert_true(with.stall_ms * 4.0 < without.stall_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cagma_fills_up_from_those_who_have_more),
		cmocka_unit_test(cagma_shares_what_is_not_enough),
		cmocka_unit_test(cagma_waits_for_its_period_but_in_an_emergency),
		cmocka_unit_test(oracle_finds_what_a_step_by_step_search_does_not),
		cmocka_unit_test(oracle_refuses_nonsense),
		cmocka_unit_test(foresight_beats_hindsight_and_hindsight_beats_none),
		cmocka_unit_test(the_emergency_path_is_what_makes_cagma),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
