/* SPDX-License-Identifier: MIT */
/*
 * The simulated guest: how its balloon behaves and misbehaves, what its page
 * says, what lack of memory does to its work, and what the simulator knows about it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "guest.h"
#include "loop.h"
#include "player.h"
#include "rival.h"
#include "synth.h"

#define MIB 256u

static struct sim_scenario scenario;
static struct sim_host host;

/* One VM of 64 MiB (at most 128) with 16 MiB of kernel, on a machine of 128 MiB. */
static struct sim_vm_config *make_vm(enum sim_synth_kind kind, uint32_t low_mib)
{
	const struct sim_synth synth = {
		.kind = kind,
		.low = low_mib * MIB,
		.high = low_mib * MIB,
		.period_ms = 10000,
		.width_ms = 1000,
		.burst = 200 * MIB,
		.cpu_permille = 500,
	};
	struct sim_vm_config *vm = &scenario.vm[0];

	scenario = (struct sim_scenario){
		.name = "test",
		.total_pages = 128 * MIB,
		.granule = 1,
		.step_ms = 10,
		.interval_ms = 1000,
		.latency_us = 100,
		.read_mib_s = 100,
		.write_mib_s = 50,
		.readahead_pages = 32,
		.vm_count = 1,
	};
	*vm = (struct sim_vm_config){
		.name = "vm",
		.min_pages = 32 * MIB,
		.boot_pages = 64 * MIB,
		.max_pages = 128 * MIB,
		.swap_pages = 256 * MIB,
		.kernel_pages = 16 * MIB,
		.weight = 100,
		.swappiness = 60,
		.loop = true,
		.rate_pages_s = 100 * MIB,
	};
	sim_load_defaults(&vm->load);
	assert_true(sim_synth_load(&synth, &vm->load));
	return vm;
}

static struct sim_guest *start(void)
{
	assert_true(sim_host_start(&host, &scenario, scenario.vm, 1));
	return &host.guest[0];
}

static void stop(void)
{
	assert_string_equal(host.books.failure, "");
	assert_null(mm_check(&host.guest[0].mm));
	sim_host_stop(&host);
	sim_load_free(&scenario.vm[0].load);
}

static void run_ms(uint32_t ms)
{
	for (uint32_t i = 0; i < ms / scenario.step_ms; i++) {
		sim_host_step(&host);
	}
}

static void ask(struct sim_guest *g, uint64_t target_pages)
{
	const struct poise_notice notice = {
		.boot_id = g->driver.boot_id,
		.interval_ms = 1000,
		.target_pages = target_pages,
		.epoch = ++g->epoch,
		.state = POISE_HOST_STATE_MANAGED,
	};

	g->allowed_pages = target_pages;
	poise_host_page_write(g->host_page, &g->writer, &notice);
}

static struct poise_sample page_of(const struct sim_guest *g)
{
	struct poise_sample sample;

	assert_int_equal(poise_page_read(g->page, g->config->max_pages, &sample), POISE_OK);
	return sample;
}

static void test_balloon_moves_at_its_rate(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8);
	g = start();
	run_ms(1000);
	ask(g, 44 * MIB);
	run_ms(100);
	assert_in_range(sim_guest_pages(g), 53 * MIB, 55 * MIB);
	run_ms(200);
	assert_int_equal(sim_guest_pages(g), 44 * MIB);
	assert_int_equal(host.books.free_pages, (128 - 44) * MIB);
	ask(g, 100 * MIB);
	run_ms(1000);
	assert_int_equal(sim_guest_pages(g), 100 * MIB);
	stop();
}

static void test_balloon_that_is_stuck_does_not_move(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8)->balloon = SIM_BALLOON_STUCK;
	g = start();
	ask(g, 40 * MIB);
	run_ms(30000);
	ask(g, 100 * MIB);
	run_ms(30000);
	assert_int_equal(sim_guest_pages(g), 64 * MIB);
	stop();
}

static void test_balloon_that_crawls_moves_a_page_in_five_seconds(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8)->balloon = SIM_BALLOON_CRAWL;
	g = start();
	ask(g, 40 * MIB);
	run_ms(52000);
	assert_in_range(sim_guest_pages(g), 64 * MIB - 11, 64 * MIB - 9);
	stop();
}

static void test_balloon_that_is_flaky_stands_still_now_and_then(void **state)
{
	struct sim_guest *g;
	uint32_t longest = 0;
	uint32_t still = 0;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8)->balloon = SIM_BALLOON_FLAKY;
	scenario.vm[0].rate_pages_s = MIB / 8u;
	g = start();
	ask(g, 40 * MIB);
	for (uint32_t i = 0; i < 1000; i++) {
		const uint64_t before = sim_guest_pages(g);

		run_ms(100);
		still = sim_guest_pages(g) == before ? still + 100u : 0;
		longest = still > longest ? still : longest;
	}
	assert_in_range(longest, 250, 19200);
	assert_in_range(sim_guest_pages(g), 52 * MIB, 63 * MIB);
	stop();
}

static void test_balloon_stops_at_its_hidden_limits(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8);
	scenario.vm[0].lower_pages = 50 * MIB;
	scenario.vm[0].upper_pages = 90 * MIB;
	g = start();
	ask(g, 40 * MIB);
	run_ms(2000);
	assert_int_equal(sim_guest_pages(g), 50 * MIB);
	ask(g, 120 * MIB);
	run_ms(2000);
	assert_int_equal(sim_guest_pages(g), 90 * MIB);
	stop();
}

static void test_balloon_gets_no_more_than_the_host_has(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8);
	scenario.total_pages = 70 * MIB;
	g = start();
	ask(g, 100 * MIB);
	run_ms(2000);
	assert_int_equal(sim_guest_pages(g), 70 * MIB);
	assert_int_equal(host.books.free_pages, 0);
	stop();
}

static void test_work_goes_on_where_memory_suffices(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_STREAM, 30);
	g = start();
	run_ms(30000);
	assert_int_equal(g->mm.swap_out, 0);
	assert_int_equal(g->stall_us, 0);
	assert_true(sim_player_work(&g->player, host.books.now_us) > 0.99);
	stop();
}

static void test_work_waits_where_memory_is_missing(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_SWEEP, 60);
	g = start();
	run_ms(30000);
	assert_true(g->mm.swap_in > 1000);
	/* A sweep through more than fits waits nearly all of the time. */
	assert_true(g->stall_us > 15000000u);
	assert_true(sim_player_work(&g->player, host.books.now_us) < 0.5);
	assert_true(g->rings > 0);
	stop();
}

static void test_honest_page_adds_up(void **state)
{
	struct sim_guest *g;
	struct poise_abi_guest b;

	(void)state;
	make_vm(SIM_SYNTH_STREAM, 30);
	g = start();
	ask(g, 60 * MIB);
	run_ms(5000);
	b = page_of(g).body;
	assert_int_equal(b.total_pages, 128 * MIB);
	assert_int_equal(b.balloon_pages, 68 * MIB);
	assert_int_equal(b.free_pages + b.active_file_pages + b.inactive_file_pages +
				 b.active_anon_pages + b.inactive_anon_pages,
			 (60 - 16) * MIB);
	stop();
}

static void test_a_lying_page_differs_in_what_it_lies_about(void **state)
{
	struct poise_abi_guest b;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8)->report = SIM_REPORT_OVER;
	scenario.vm[0].report_from_ms = 3000;
	start();
	run_ms(2900);
	assert_true(page_of(&host.guest[0]).body.free_pages > 30 * MIB);
	run_ms(3000);
	b = page_of(&host.guest[0]).body;
	assert_true(b.free_pages < 4 * MIB);
	assert_true(b.active_anon_pages > 30 * MIB);
	assert_true(b.swap_used_pages > 0);
	assert_true(host.guest[0].rings > 1);
	stop();
	make_vm(SIM_SYNTH_IDLE, 30)->report = SIM_REPORT_UNDER;
	start();
	run_ms(5000);
	b = page_of(&host.guest[0]).body;
	assert_true(b.active_anon_pages + b.inactive_anon_pages < 10 * MIB);
	assert_true(b.free_pages > 30 * MIB);
	stop();
}

static void test_a_silent_guest_leaves_its_page_as_it_is(void **state)
{
	uint64_t before;

	(void)state;
	make_vm(SIM_SYNTH_IDLE, 8)->report = SIM_REPORT_STALE;
	scenario.vm[0].report_from_ms = 5000;
	start();
	run_ms(4900);
	before = page_of(&host.guest[0]).body.sample;
	assert_true(before >= 4);
	run_ms(10000);
	assert_in_range(page_of(&host.guest[0]).body.sample, before, before + 1u);
	stop();
}

static void test_a_guest_takes_from_its_balloon_before_it_kills(void **state)
{
	(void)state;
	make_vm(SIM_SYNTH_STREAM, 70);
	scenario.vm[0].swap_pages = MIB;
	start();
	run_ms(20000);
	assert_true(host.guest[0].mm.oom_kills > 0);
	stop();
	make_vm(SIM_SYNTH_STREAM, 70)->deflate_on_oom = true;
	scenario.vm[0].swap_pages = MIB;
	start();
	run_ms(20000);
	assert_int_equal(host.guest[0].mm.oom_kills, 0);
	assert_true(sim_guest_pages(&host.guest[0]) > 80 * MIB);
	stop();
}

static void test_a_broken_kernel_ends_the_run(void **state)
{
	struct sim_guest *g;

	(void)state;
	make_vm(SIM_SYNTH_STREAM, 30);
	g = start();
	run_ms(20);
	/* It believes in free frames, and there are none. */
	memset(g->mm.free_summary, 0, g->mm.page_count / 4096u * sizeof(*g->mm.free_summary));
	run_ms(1000);
	assert_non_null(strstr(host.books.failure, "not one frame left"));
	sim_host_stop(&host);
	sim_load_free(&scenario.vm[0].load);
}

static void test_probes_see_what_was_touched(void **state)
{
	struct sim_guest *g;
	uint32_t accessed = 0;
	uint32_t dirty = 0;

	(void)state;
	make_vm(SIM_SYNTH_SWEEP, 20);
	g = start();
	run_ms(5000);
	assert_in_range(sim_truth_working_set(&host, 0, 2000), 20 * MIB - 2u, 20 * MIB + 2u);
	assert_int_equal(sim_truth_working_set(&host, 0, 0), 0);
	for (uint32_t i = 0; i < sim_probe_frames(&host, 0); i++) {
		accessed += (sim_probe(&host, 0, i, true) & SIM_ACCESSED) != 0;
		dirty += (sim_probe(&host, 0, i, false) & SIM_DIRTY) != 0;
	}
	assert_in_range(accessed, 20 * MIB - 2u, 20 * MIB + 2u);
	assert_int_equal(dirty, 0);
	assert_int_equal(host.probes, 2u * g->mm.page_count);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_balloon_moves_at_its_rate),
		cmocka_unit_test(test_balloon_that_is_stuck_does_not_move),
		cmocka_unit_test(test_balloon_that_crawls_moves_a_page_in_five_seconds),
		cmocka_unit_test(test_balloon_that_is_flaky_stands_still_now_and_then),
		cmocka_unit_test(test_balloon_stops_at_its_hidden_limits),
		cmocka_unit_test(test_balloon_gets_no_more_than_the_host_has),
		cmocka_unit_test(test_work_goes_on_where_memory_suffices),
		cmocka_unit_test(test_work_waits_where_memory_is_missing),
		cmocka_unit_test(test_honest_page_adds_up),
		cmocka_unit_test(test_a_lying_page_differs_in_what_it_lies_about),
		cmocka_unit_test(test_a_silent_guest_leaves_its_page_as_it_is),
		cmocka_unit_test(test_a_guest_takes_from_its_balloon_before_it_kills),
		cmocka_unit_test(test_a_broken_kernel_ends_the_run),
		cmocka_unit_test(test_probes_see_what_was_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
