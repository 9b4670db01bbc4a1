/* SPDX-License-Identifier: MIT */
/* Baselines B6 to B8, which share everything out: what each is known for. */
#include "sim_bench.h"

#include "loop.h"

/* --- B6 --- */

static void squeezed_puts_everybody_at_the_same_fraction_of_its_range(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1072);
	bench_vm(&b, 100, 500, 500);
	bench_vm(&b, 100, 900, 500);
	/* What the guests say does not matter. */
	b.vm[0].stats.free_pages = MIB(500);
	b.vm[1].stall_ms = 100000;
	bench_policy(&b, "squeezed", "");
	bench_step(&b);
	/* 800 above the minimums for ranges of 400 and 800: two thirds, and 72 stay free. Whoever
	 * has to give is asked first. */
	assert_in_range(b.vm[0].target_pages, MIB(366), MIB(367));
	assert_int_equal(b.vm[1].target_pages, MIB(500));
	bench_step(&b);
	assert_int_equal(b.vm[1].target_pages, MIB(500));
	bench_follow(&b, NULL);
	bench_step(&b);
	assert_in_range(b.vm[1].target_pages, MIB(633), MIB(634));
	bench_follow(&b, NULL);
	assert_in_range(b.view.free_pages, MIB(72), MIB(73));
	for (uint32_t i = 0; i < 30; i++) {
		const uint64_t before = b.vm[0].target_pages + b.vm[1].target_pages;

		bench_step(&b);
		assert_int_equal(b.vm[0].target_pages + b.vm[1].target_pages, before);
	}
	bench_stop(&b);
}

/* Returns what a VM that follows has in the end, with the third one following or not. */
static uint64_t squeeze_three(bool refuses, uint64_t *refuser)
{
	struct bench b;

	bench_start(&b, 1572);
	bench_vm(&b, 100, 900, 300);
	bench_vm(&b, 100, 900, 300);
	bench_vm(&b, 100, 900, 900);
	bench_policy(&b, "squeezed", "");
	for (uint32_t i = 0; i < 60; i++) {
		bench_step(&b);
		bench_follow(&b, refuses ? &b.vm[2] : NULL);
	}
	*refuser = b.vm[2].actual_pages;
	bench_stop(&b);
	return b.vm[0].actual_pages;
}

static void squeezed_rewards_who_refuses_to_give(void **state)
{
	uint64_t fair, refused;
	const uint64_t honest = squeeze_three(false, &fair);
	const uint64_t squeezed = squeeze_three(true, &refused);

	(void)state;
	assert_in_range(fair, honest - 2, honest + 2);
	assert_int_equal(refused, MIB(900));
	assert_true(squeezed < honest);
	assert_in_range(squeezed, MIB(299), MIB(300));
}

/* A VM that moves one page in so many seconds; the other waits for its memory. */
static bool is_waited_for(uint32_t seconds)
{
	struct bench b;
	bool waited = true;

	bench_start(&b, 872);
	bench_vm(&b, 100, 700, 700);
	bench_vm(&b, 100, 700, 172);
	bench_policy(&b, "squeezed", "");
	for (uint32_t i = 1; i <= 60; i++) {
		bench_step(&b);
		if (i % seconds == 0) {
			bench_resize(&b, &b.vm[0], b.vm[0].actual_pages - 1u);
		}
		/* Without it there is nothing above the minimum but what the other has already. */
		waited = waited && b.vm[1].target_pages == MIB(172);
	}
	assert_true(b.vm[0].target_pages < MIB(500));
	bench_stop(&b);
	return waited;
}

static void squeezed_takes_a_page_in_5_s_for_progress(void **state)
{
	(void)state;
	assert_true(is_waited_for(1));
	assert_true(is_waited_for(5));
	assert_false(is_waited_for(20));
}

static void squeezed_forgives_a_vm_at_the_next_run(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1072);
	bench_vm(&b, 100, 900, 900);
	bench_vm(&b, 100, 900, 100);
	bench_policy(&b, "squeezed", "");
	for (uint32_t i = 0; i < 30; i++) {
		bench_step(&b);
	}
	assert_int_equal(b.vm[1].actual_pages, MIB(100));
	/* Now its balloon works again. */
	for (uint32_t i = 0; i < 30; i++) {
		bench_step(&b);
		bench_follow(&b, NULL);
	}
	assert_in_range(b.vm[0].actual_pages, MIB(499), MIB(500));
	assert_in_range(b.vm[1].actual_pages, MIB(499), MIB(500));
	bench_stop(&b);
}

/* --- B7 --- */

static void qmemman_shares_a_surplus_by_preference(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2050);
	bench_need(bench_vm(&b, 100, 2000, 500), MIB(300));
	bench_need(bench_vm(&b, 100, 2000, 500), MIB(600));
	bench_need(bench_vm(&b, 100, 250, 250), MIB(100));
	bench_policy(&b, "qmemman", "");
	bench_step(&b);
	/* About 2000 for 390, 780 and 200: one has its limit, and its rest goes in equal parts. */
	assert_int_equal(b.vm[2].target_pages, MIB(250));
	assert_in_range(b.vm[0].target_pages, MIB(585), MIB(590));
	assert_in_range(b.vm[1].target_pages, MIB(1150), MIB(1158));
	bench_follow(&b, NULL);
	assert_in_range(b.view.free_pages, MIB(45), MIB(60));
	bench_stop(&b);
}

static void qmemman_relieves_one_round_late_in_shortage(void **state)
{
	struct bench b;
	struct sim_vm_view *poor, *rich;

	(void)state;
	bench_start(&b, 1050);
	poor = bench_vm(&b, 100, 1000, 400);
	rich = bench_vm(&b, 100, 1000, 600);
	bench_need(poor, MIB(650));
	bench_need(rich, MIB(260));
	bench_policy(&b, "qmemman", "");
	bench_step(&b);
	/* The donor is asked down to what it prefers; the needy one gets nothing of it yet, */
	assert_int_equal(rich->target_pages, MIB(338));
	assert_int_equal(poor->target_pages, MIB(400));
	bench_follow(&b, NULL);
	/* nor as long as nobody has something new to tell, */
	for (uint32_t i = 0; i < 50; i++) {
		bench_step(&b);
		assert_int_equal(poor->target_pages, MIB(400));
	}
	/* but with its next report, and then the donor gets a part of it back. */
	bench_need(poor, MIB(690));
	bench_step(&b);
	assert_in_range(poor->target_pages, MIB(587), MIB(589));
	bench_stop(&b);
}

static void qmemman_hears_of_large_changes_only(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2050);
	bench_need(bench_vm(&b, 100, 2000, 1000), MIB(300));
	bench_need(bench_vm(&b, 100, 2000, 1000), MIB(300));
	bench_policy(&b, "qmemman", "");
	bench_step(&b);
	/* Both are where they should be: too little to do. */
	assert_int_equal(b.vm[0].target_pages, MIB(1000));
	bench_need(&b.vm[0], MIB(329));
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(1000));
	bench_need(&b.vm[0], MIB(400));
	bench_step(&b);
	assert_int_equal(b.vm[1].target_pages / MIB(1), 856);
	bench_stop(&b);
}

static void qmemman_hands_out_what_comes_within_500_ms(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2050);
	bench_need(bench_vm(&b, 100, 2000, 400), MIB(600));
	bench_need(bench_vm(&b, 100, 2000, 1600), MIB(300));
	bench_policy(&b, "qmemman", "");
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(b.vm[0].target_pages, MIB(400));
		bench_step(&b);
	}
	/* The donor has not moved: all that there is are 50 less 45. */
	assert_true(b.vm[1].target_pages < MIB(700));
	assert_int_equal(b.vm[0].target_pages, MIB(405));
	bench_follow(&b, &b.vm[1]);
	/* It is not counted on any more until it is where it should be. */
	bench_need(&b.vm[0], MIB(700));
	for (uint32_t i = 0; i < 10; i++) {
		bench_step(&b);
	}
	assert_true(b.vm[0].target_pages < MIB(410));
	bench_follow(&b, NULL);
	bench_need(&b.vm[0], MIB(800));
	bench_step(&b);
	bench_follow(&b, NULL);
	bench_step(&b);
	assert_true(b.vm[0].target_pages > MIB(1300));
	bench_stop(&b);
}

static void qmemman_believes_a_liar_up_to_its_limit(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2050);
	bench_need(bench_vm(&b, 100, 1500, 1000), MIB(500));
	bench_need(bench_vm(&b, 600, 1500, 1000), MIB(500));
	bench_policy(&b, "qmemman", "");
	for (uint32_t i = 1; i <= 20; i++) {
		bench_need(&b.vm[0], MIB(500 + i * 100));
		bench_step(&b);
		bench_follow(&b, NULL);
	}
	/* The honest one has 1.3 times what it uses and nothing to spare. */
	assert_in_range(b.vm[0].actual_pages, MIB(1300), MIB(1500));
	assert_in_range(b.vm[1].actual_pages, MIB(650), MIB(670));
	bench_stop(&b);
}

/* --- B8 --- */

#define FRAMES 1000u

/* Two VMs of up to 1000 MiB, in frames of 1 MiB whose bits a test sets. */
struct esx {
	struct bench b;
	struct sim_host host;
	uint8_t probe[2][FRAMES];
};

static struct esx e;

static void esx_start(uint64_t first, uint64_t second, const char *options)
{
	memset(&e, 0, sizeof(e));
	bench_start(&e.b, 1000);
	bench_vm(&e.b, 100, 1000, first);
	bench_vm(&e.b, 100, 1000, second);
	for (uint32_t i = 0; i < 2; i++) {
		e.host.guest[i].mm.page_count = FRAMES;
		e.host.guest[i].probe = e.probe[i];
	}
	e.b.view.host = &e.host;
	bench_policy(&e.b, "esx", options);
}

/* Seconds pass in which the VMs touch the first so many MiB of theirs; they follow or not. */
static void esx_run(uint32_t seconds, uint32_t first, uint32_t second, bool follow)
{
	for (uint32_t i = 0; i < seconds; i++) {
		memset(e.probe[0], SIM_ACCESSED, first);
		memset(e.probe[1], SIM_ACCESSED, second);
		bench_step(&e.b);
		if (follow) {
			bench_follow(&e.b, NULL);
		}
		memset(e.probe, 0, sizeof(e.probe));
	}
}

static void esx_taxes_the_idle_vm(void **state)
{
	(void)state;
	esx_start(470, 470, "");
	esx_run(31, 1000, 0, false);
	/* An idle page costs four times as much: 940 in four parts and one. No reclaim at 6 %. */
	assert_in_range(e.b.vm[0].target_pages, MIB(751), MIB(753));
	assert_int_equal(e.b.vm[1].target_pages, MIB(470));
	/* The active VM takes what is free, that makes the state soft, and the idle one pays. */
	bench_resize(&e.b, &e.b.vm[0], MIB(500));
	esx_run(1, 1000, 0, false);
	assert_int_equal(e.b.vm[1].target_pages, MIB(470) * 31 / 32);
	bench_stop(&e.b);
}

static void esx_without_tax_goes_by_shares_alone(void **state)
{
	(void)state;
	esx_start(300, 300, "tax=0");
	e.b.vm[1].weight = 300;
	esx_run(31, 1000, 0, false);
	assert_in_range(e.b.vm[0].target_pages, MIB(300), MIB(300));
	assert_in_range(e.b.vm[1].target_pages, MIB(704), MIB(706));
	bench_stop(&e.b);
	bench_refuses(&e.b, "esx", "tax=1");
	bench_refuses(&e.b, "esx", "tax=-0.1");
	bench_refuses(&e.b, "esx", "period=5");
}

static void esx_reclaims_the_harder_the_less_is_free(void **state)
{
	static const struct {
		uint64_t free_mib, target;
	} rows[] = {
		/* Down: below 4, 2 and 1 %; up: at 2, 4 and 6 %. */
		{60, 32000}, {40, 32000}, {39, 31000}, {59, 31000}, {60, 32000},
		{39, 31000}, {19, 28000}, {39, 28000}, {40, 31000}, {9, 24064},
		{19, 24064}, {20, 28000}, {9, 24064},  {60, 32000},
	};

	(void)state;
	/* Both active: entitled to 470 each. The second one has 625. */
	esx_start(275, 625, "");
	e.b.vm[1].actual_pages = 32000 * 5;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e.b.view.free_pages = MIB(rows[i].free_mib);
		bench_step(&e.b);
		assert_int_equal(e.b.vm[1].target_pages, rows[i].target * 5);
	}
	bench_stop(&e.b);
}

static void esx_sees_a_rise_at_once_and_a_fall_slowly(void **state)
{
	(void)state;
	esx_start(470, 470, "");
	esx_run(60, 1000, 0, true);
	assert_true(e.b.vm[0].actual_pages > MIB(740));
	assert_in_range(e.b.vm[1].actual_pages, MIB(187), MIB(190));
	/* The second one uses 400, give or take 100 for a sample of 100 frames: half of that is
	 * believed after 5 s, nearly all after 90. */
	esx_run(5, 1000, 400, true);
	assert_in_range(e.b.vm[1].target_pages, MIB(270), MIB(370));
	esx_run(85, 1000, 400, true);
	assert_in_range(e.b.vm[1].target_pages, MIB(390), MIB(450));
	/* It idles again: no change for a period, and the slow average goes on for minutes. */
	esx_run(25, 1000, 0, true);
	assert_in_range(e.b.vm[1].target_pages, MIB(370), MIB(450));
	esx_run(65, 1000, 0, true);
	assert_in_range(e.b.vm[1].target_pages, MIB(215), MIB(290));
	esx_run(900, 1000, 0, true);
	assert_in_range(e.b.vm[1].target_pages, MIB(187), MIB(210));
	bench_stop(&e.b);
}

static void esx_keeps_reservations(void **state)
{
	(void)state;
	esx_start(470, 470, "tax=0.99");
	e.b.vm[1].min_pages = MIB(400);
	esx_run(60, 1000, 0, true);
	assert_in_range(e.b.vm[1].actual_pages, MIB(400), MIB(410));
	bench_stop(&e.b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(squeezed_puts_everybody_at_the_same_fraction_of_its_range),
		cmocka_unit_test(squeezed_rewards_who_refuses_to_give),
		cmocka_unit_test(squeezed_takes_a_page_in_5_s_for_progress),
		cmocka_unit_test(squeezed_forgives_a_vm_at_the_next_run),
		cmocka_unit_test(qmemman_shares_a_surplus_by_preference),
		cmocka_unit_test(qmemman_relieves_one_round_late_in_shortage),
		cmocka_unit_test(qmemman_hears_of_large_changes_only),
		cmocka_unit_test(qmemman_hands_out_what_comes_within_500_ms),
		cmocka_unit_test(qmemman_believes_a_liar_up_to_its_limit),
		cmocka_unit_test(esx_taxes_the_idle_vm),
		cmocka_unit_test(esx_without_tax_goes_by_shares_alone),
		cmocka_unit_test(esx_reclaims_the_harder_the_less_is_free),
		cmocka_unit_test(esx_sees_a_rise_at_once_and_a_fall_slowly),
		cmocka_unit_test(esx_keeps_reservations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
