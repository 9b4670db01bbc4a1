/* SPDX-License-Identifier: MIT */
/* Stage 6: balloons that do not move, or move too far. */
#include "resize_support.h"

/* --- balloons that do not move --- */

/* After the window the VM is left with what it has, each time for twice as long. */
static void f33_a_stuck_balloon_is_parked_and_left_alone(void **state)
{
	uint64_t backoff_end_ms = 1000;
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	for (unsigned window = 1; window <= POISE_BACKOFF_EXPONENT_MAX + 2; window++) {
		ask(A, 2000);
		for (unsigned i = 1; i < WINDOW; i++) {
			fake_tick(&fake);
			assert_int_equal(vm(A)->target_pages, 2000);
		}
		assert_int_equal(fake.p.free_pages, 2000);
		fake_tick(&fake);
		assert_int_equal(vm(A)->target_pages, 4000);
		assert_int_equal(vm(A)->goal_pages, 4000);
		assert_int_equal(vm(A)->backoff_end_ms, fake.now_ms + backoff_end_ms);
		assert_int_equal(vm(A)->backoff_exponent, window < POISE_BACKOFF_EXPONENT_MAX
								  ? window
								  : POISE_BACKOFF_EXPONENT_MAX);
		assert_int_equal(fake.p.errors[-POISE_E_LOST], window);
		backoff_end_ms *= window < POISE_BACKOFF_EXPONENT_MAX + 1 ? 2 : 1;
		fake_tick(&fake);
	}
}

/* A growth that does not come is taken back. */
static void f33_a_stuck_growth_returns_what_was_charged(void **state)
{
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	ask(A, 6000);
	for (unsigned i = 0; i < WINDOW; i++) {
		assert_int_equal(fake.p.free_pages, 0);
		fake_tick(&fake);
	}
	assert_int_equal(vm(A)->target_pages, 4000);
	fake_tick(&fake);
	assert_int_equal(fake.p.free_pages, 2000);
	assert_int_equal(vm(A)->backoff_exponent, 1);
}

/* A plan that asks a stuck balloon for a little more each time does not begin a new window. */
static void f33_asking_for_more_is_no_excuse(void **state)
{
	(void)state;
	for (unsigned grows = 0; grows < 2; grows++) {
		(void)start(NULL);
		fake.answer[FAKE_RESIZE] = FAKE_NEVER;
		for (unsigned i = 0; i < WINDOW; i++) {
			assert_int_equal(vm(A)->backoff_exponent, 0);
			ask(A, grows != 0 ? 5000 + 100 * i : 3000 - 100 * i);
			fake_tick(&fake);
		}
		assert_int_equal(vm(A)->backoff_exponent, 1);
		assert_int_equal(vm(A)->target_pages, 4000);
		/* Asked for the opposite, it has a window again; likewise when it was there. */
		for (unsigned turn = 0; turn < 2; turn++) {
			ask(A, turn != 0 ? 6000 : 3000);
			assert_int_equal(vm(A)->window_ms, fake.now_ms);
			fake_tick(&fake);
			fake_tick(&fake);
			assert_int_equal(vm(A)->backoff_exponent, 1);
		}
	}
}

/* F35: progress is pages in a window of three ticks, 0.2 % of the target at least. */
static void f35_progress_is_pages_in_a_window(void **state)
{
	static const struct {
		uint64_t speed; /* pages a tick */
		uint64_t pause; /* ticks in which it does not move at all */
		bool parked;
	} rows[] = {
		{1, 0, true},    /* crawling: 3 pages a window of the 4 that it takes */
		{2, 0, false},   /* just fast enough */
		{100, 0, false}, /* slow, but it comes */
		{100, 2, false}, /* 2 ticks stuck, 1 moving */
		{100, 18, true}, /* 19 stuck, 1 moving */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)start(NULL);
		ask(A, 2000);
		for (unsigned tick = 0; tick < 2 * WINDOW; tick++) {
			const bool moves = rows[i].pause == 0 || tick % (rows[i].pause + 1) == 0;
			fake.speed_pages = moves ? rows[i].speed : 0;
			if (moves) {
				fake_tick(&fake);
			} else {
				fake.now_ms += 1000;
				assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
				fake_check(&fake);
			}
		}
		assert_int_equal(vm(A)->backoff_exponent > 0, rows[i].parked);
	}
}

/* Near the target is there: rounding in a balloon is no reason to give it up. */
static void b03_a_rest_within_tolerance_is_no_lack_of_progress(void **state)
{
	(void)state;
	ask(A, 2000);
	fake.vm[A].goal_pages = 2003; /* 0.2 % of 2000 are 4 pages */
	for (unsigned i = 0; i < 4 * WINDOW; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(vm(A)->backoff_exponent, 0);
	assert_int_equal(vm(A)->target_pages, 2000);
}

static void backoff_ends_with_an_answer_that_moved_something(void **state)
{
	(void)state;
	vm(A)->backoff_exponent = 4;
	fake_tick(&fake);
	assert_int_equal(vm(A)->backoff_exponent, 4); /* nothing asked, nothing shown */
	ask(A, 3000);
	fake_tick(&fake);
	assert_int_equal(vm(A)->backoff_exponent, 0);
}

/* A VM that grows by itself is charged at once; if it keeps that, its target follows. */
static void f39_a_vm_that_helps_itself_is_charged_and_its_target_follows(void **state)
{
	(void)state;
	ask(A, 3000);
	fake_tick(&fake);
	assert_int_equal(fake.p.free_pages, 3000);
	poise_ledger_set(&fake.p, vm(B), 7000, 7000);
	fake.vm[B].real_pages = 7000;
	vm(B)->goal_pages = 7000;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	fake.vm[A].goal_pages = 4500; /* back beyond what it had */
	fake.vm[A].real_pages = 4500;
	fake.now_ms += 1000;
	assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	fake_check(&fake);
	assert_int_equal(fake.p.free_pages, -1500);
	for (unsigned i = 0; i < 2 * WINDOW; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(vm(A)->target_pages, 4500);
	assert_int_equal(fake.p.free_pages, -1500);
}

/* Giving up never charges more than before: the reservation of a VM that has less is not there. */
static void parking_makes_no_debt(void **state)
{
	const struct poise_vm_config config = {.min_pages = 500, .max_pages = 900};
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	poise_ledger_set(&fake.p, vm(B), 5800, 5800);
	fake.vm[B].real_pages = 5800;
	vm(B)->goal_pages = 5800;
	assert_int_equal(poise_vm_add(&fake.p, 7, &config, 100), POISE_OK);
	fake.vm[7].real_pages = 100;
	fake.vm[7].goal_pages = 100;
	assert_int_equal(vm(7)->target_pages, 200); /* all that was free */
	for (unsigned i = 0; i < 3 * WINDOW; i++) {
		fake_tick(&fake);
		assert_true(fake.p.free_pages >= 0);
		assert_int_equal(vm(7)->goal_pages, 500);
	}
}

/* A VM above its limit that does not move is parked at the limit, not above. */
static void parking_stays_within_limits(void **state)
{
	struct poise_vm_config config = vm(A)->config;
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	config.max_pages = BOOT - 1000;
	config.boot_pages = MIN;
	assert_int_equal(poise_vm_set(&fake.p, A, &config), POISE_OK);
	ask(A, 2000);
	for (unsigned i = 0; i < WINDOW; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(vm(A)->target_pages, BOOT - 1000);
	assert_int_equal(vm(A)->backoff_exponent, 1);
}

/* F46: a VM that waits for memory to start has no balloon yet; one that does not start when it has
 * all of it is lost like any other that does not move. */
static void f46_waiting_to_start_is_no_stuck_balloon(void **state)
{
	const struct poise_vm_config config = {
		.min_pages = 1000, .boot_pages = 3000, .max_pages = MAX};
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	assert_int_equal(poise_vm_add(&fake.p, 7, &config, 0), POISE_OK);
	for (unsigned i = 0; i < 5 * WINDOW; i++) {
		assert_int_equal(vm(7)->target_pages, 2000);
		assert_int_equal(vm(7)->backoff_exponent, 0);
		fake_tick(&fake);
	}
	assert_int_equal(poise_vm_remove(&fake.p, B), POISE_OK);
	fake_tick(&fake);
	assert_int_equal(vm(7)->target_pages, 3000);
	assert_int_equal(vm(7)->backoff_exponent, 0);
	for (unsigned i = 0; i < WINDOW; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(vm(7)->backoff_exponent, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(f33_a_stuck_balloon_is_parked_and_left_alone, start),
		cmocka_unit_test_setup(f33_a_stuck_growth_returns_what_was_charged, start),
		cmocka_unit_test(f33_asking_for_more_is_no_excuse),
		cmocka_unit_test(f35_progress_is_pages_in_a_window),
		cmocka_unit_test_setup(b03_a_rest_within_tolerance_is_no_lack_of_progress, start),
		cmocka_unit_test_setup(backoff_ends_with_an_answer_that_moved_something, start),
		cmocka_unit_test_setup(f39_a_vm_that_helps_itself_is_charged_and_its_target_follows,
				       start),
		cmocka_unit_test_setup(parking_makes_no_debt, start),
		cmocka_unit_test_setup(parking_stays_within_limits, start),
		cmocka_unit_test_setup(f46_waiting_to_start_is_no_stuck_balloon, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
