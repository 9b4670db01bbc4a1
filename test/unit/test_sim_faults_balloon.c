/* SPDX-License-Identifier: MIT */
/*
 * Faults of the catalogue, section 2, in the simulator: balloons and port calls that do something
 * else than they were asked for. The first VM has memory to give, the second wants it.
 */
#include "sim_fault.h"

static struct fault_bench bench, other;

#define DONOR "load = { kind = 'idle'; low = 20; files = 10; }; }," FAULT_NEIGHBOURS ");"
#define FIRST "vms = ( { name = 'odd';" FAULT_SIZES

static const char honest[] = FIRST DONOR;

static void sim_f32_requests_fail_at_once(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    "port = ( { call = 'resize'; way = 'error'; vm = 'odd'; until = 40; } );" FIRST
			    DONOR);
	fault_run(&bench, 39);
	/* Nothing has been asked of it, and nothing of it was given away. */
	assert_int_equal(bench.least[0], MIB(128));
	assert_int_equal(bench.most[0], MIB(128));
	/* It is tried again, once a plan and not more often. */
	assert_in_range(fault_errors(&bench, POISE_E_PORT), 5, 120);
	fault_run(&bench, 75);
	fault_assert_service(&bench);
	assert_true(fault_size(&bench, 0) < MIB(90));
	fault_stop(&bench);
}

static void sim_f33_stuck_balloon(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    FIRST "balloon = { kind = 'stuck'; until = 42; };" DONOR);
	fault_run(&bench, 40);
	/* Parked at what it has, and left alone longer each time. */
	assert_int_equal(bench.least[0], MIB(128));
	assert_int_equal(fault_vm(&bench, 0)->target_pages, MIB(128));
	assert_in_range(fault_errors(&bench, POISE_E_LOST), 2, 8);
	fault_run(&bench, 100);
	fault_assert_service(&bench);
	assert_true(bench.least[0] < MIB(90));
	fault_stop(&bench);
}

static void sim_f34_part_of_the_way(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE, FIRST "balloon = { kind = 'part'; };" DONOR);
	fault_start(&other, FAULT_MACHINE, honest);
	fault_run(&bench, 100);
	fault_run(&other, 100);
	/* Part after part, what is confirmed is given (I4), and it comes down in the end. */
	assert_true(bench.least[0] < MIB(90));
	fault_assert_not_worse(&bench, &other, 1, 2000);
	fault_assert_service(&bench);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f35_crawling_balloon(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE, FIRST "balloon = { kind = 'crawl'; };" DONOR);
	fault_run(&bench, 100);
	/* A page now and then is no progress. */
	assert_in_range(fault_errors(&bench, POISE_E_LOST), 2, 10);
	assert_true(bench.least[0] > MIB(127));
	assert_true(fault_vm(&bench, 0)->target_pages > MIB(120));
	fault_stop(&bench);
}

static void sim_f35_balloon_that_moves_now_and_then(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE, FIRST "balloon = { kind = 'flaky'; mib_s = 2; };" DONOR);
	fault_run(&bench, 100);
	assert_in_range(fault_errors(&bench, POISE_E_LOST), 1, 20);
	/* What it moved in its good times counts. */
	assert_true(bench.least[0] < MIB(124));
	assert_true(bench.most[1] >= MIB(128));
	fault_stop(&bench);
}

static void sim_f36_late_answers(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    "port = ( { call = 'resize'; way = 'late'; vm = 'odd'; until = 40; } );" FIRST
			    DONOR);
	fault_run(&bench, 40);
	/* Answers to requests that have been replaced grant nothing twice: I4 after every step. */
	assert_true(fault_errors(&bench, POISE_E_LOST) >= 1);
	fault_run(&bench, 75);
	fault_assert_service(&bench);
	assert_true(fault_size(&bench, 0) < MIB(90));
	fault_stop(&bench);
}

static void sim_f37_answers_come_twice(void **state)
{
	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    "port = ( { call = 'resize'; way = 'twice'; } );" FIRST DONOR);
	fault_start(&other, FAULT_MACHINE, honest);
	fault_run(&bench, 60);
	fault_run(&other, 60);
	assert_true(bench.host.faults > 10);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(fault_vm(&bench, i)->target_pages,
				 fault_vm(&other, i)->target_pages);
		assert_int_equal(fault_size(&bench, i), fault_size(&other, i));
	}
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f38_gives_more_than_asked(void **state)
{
	uint64_t most_below = 0;

	(void)state;
	fault_start(&bench, FAULT_MACHINE, FIRST "balloon = { kind = 'far'; until = 70; };" DONOR);
	fault_start(&other, FAULT_MACHINE, honest);
	while (bench.host.books.now_us < 70000000u) {
		const uint64_t asked = bench.host.guest[0].allowed_pages;
		uint64_t size;

		sim_host_step(&bench.host);
		fault_check(&bench);
		size = fault_size(&bench, 0);
		most_below = size < asked && asked - size > most_below ? asked - size : most_below;
	}
	/* It has given more than it was asked for, and all of that was the pool's. */
	assert_true(most_below > MIB(5));
	fault_run(&bench, 100);
	fault_run(&other, 100);
	fault_assert_not_worse(&bench, &other, 1, 1000);
	assert_true(fault_size(&bench, 0) >= MIB(72));
	fault_assert_service(&bench);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f39_takes_memory_by_itself(void **state)
{
	uint64_t most_over = 0;

	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    FIRST
		    "swap = 1; deflate_on_oom = true; load = { kind = 'spike'; low = 30; "
		    "high = 130; period = 40; width = 10; delay = 10; files = 8; burst = 400; "
		    "}; }," FAULT_NEIGHBOURS ");");
	/* What it helps itself to may be what another one has just been granted. */
	bench.overdrawn = true;
	for (uint32_t s = 1; s <= 100; s++) {
		const struct poise_vm *v = fault_vm(&bench, 0);
		uint64_t over;

		fault_run(&bench, s);
		over = fault_size(&bench, 0) > v->target_pages
			       ? fault_size(&bench, 0) - v->target_pages
			       : 0;
		most_over = over > most_over ? over : most_over;
		/* It is charged for all it has at once. */
		assert_true(v->actual_pages >= fault_size(&bench, 0));
		assert_true(bench.host.core.vm[1].target_pages >= MIB(72));
		assert_true(bench.host.core.vm[2].target_pages >= MIB(72));
	}
	assert_true(most_over > 0);
	fault_stop(&bench);
}

static void sim_f40_inflated_but_not_free(void **state)
{
	uint64_t held = 0;
	unsigned left_alone = 0;

	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    FIRST "balloon = { kind = 'hollow'; until = 60; };" DONOR);
	for (uint32_t s = 1; s < 60; s++) {
		const struct poise_vm *v = fault_vm(&bench, 0);

		fault_run(&bench, s);
		held = bench.host.guest[0].held_pages > held ? bench.host.guest[0].held_pages
							     : held;
		/* Asked for what it has again, and left alone longer each time: it is no donor. */
		if (bench.host.core.now_ms < v->backoff_end_ms) {
			assert_int_equal(v->target_pages, MIB(128));
			left_alone++;
		}
	}
	/* The guest has given pages, and the host has none of them. */
	assert_true(held > MIB(10));
	assert_int_equal(fault_vm(&bench, 0)->actual_pages, MIB(128));
	assert_in_range(fault_errors(&bench, POISE_E_LOST), 1, 10);
	assert_true(left_alone > 30);
	fault_run(&bench, 100);
	fault_assert_service(&bench);
	assert_true(bench.least[0] < MIB(120));
	fault_stop(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim_f32_requests_fail_at_once),
		cmocka_unit_test(sim_f33_stuck_balloon),
		cmocka_unit_test(sim_f34_part_of_the_way),
		cmocka_unit_test(sim_f35_crawling_balloon),
		cmocka_unit_test(sim_f35_balloon_that_moves_now_and_then),
		cmocka_unit_test(sim_f36_late_answers),
		cmocka_unit_test(sim_f37_answers_come_twice),
		cmocka_unit_test(sim_f38_gives_more_than_asked),
		cmocka_unit_test(sim_f39_takes_memory_by_itself),
		cmocka_unit_test(sim_f40_inflated_but_not_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
