/* SPDX-License-Identifier: MIT */
/* Stage 6: takes before gives, gives within free memory, and balloons that do not move. */
#include "support.h"

#include "internal.h"

#define A      1u
#define B      2u
#define MIN    1000u
#define BOOT   4000u
#define MAX    9000u
#define POOL   10000u
#define WINDOW 3u /* ticks: answer_intervals */

static struct fake fake;

static struct poise_vm *vm(uint32_t at)
{
	return &fake.p.vm[at];
}

/* Two VMs of policy STATIC, so that nothing moves but what a test asks for; 2000 pages are free. */
static int start(void **state)
{
	const struct poise_config config = {.pool_pages = POOL, .policy = POISE_POLICY_STATIC};
	(void)state;
	fake_start(&fake, &config);
	fake.now_ms = 1000;
	assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK);
	fake_add(&fake, A, MIN, BOOT, MAX);
	fake_add(&fake, B, MIN, BOOT, MAX);
	/* The policy brings everybody up to its boot size: that is little. */
	vm(A)->config.boot_pages = MIN;
	vm(B)->config.boot_pages = MIN;
	fake_tick(&fake);
	fake_forget(&fake);
	return 0;
}

/* What a plan does: a goal, and for a take the request. */
static void ask(uint32_t at, uint64_t target)
{
	vm(at)->goal_pages = target;
	poise_resize_ask(&fake.p, at, target);
	fake_check(&fake);
}

/* Sets a plan's row and carries the plan out. */
static void commit(uint64_t goal_a, uint64_t goal_b)
{
	const uint64_t goals[] = {goal_a, goal_b};
	for (uint32_t i = 0; i < 2; i++) {
		fake.p.plan.row[A + i] = (struct poise_row){
			.size_pages = vm(A + i)->target_pages, .goal_pages = goals[i], .weight = 1};
	}
	fake.p.plan.available_pages = POOL;
	poise_resize_commit(&fake.p);
	fake_check(&fake);
}

/* --- one request --- */

static void a_growth_is_charged_before_the_call_a_shrink_credited_after_the_answer(void **state)
{
	(void)state;
	ask(A, 5000);
	assert_int_equal(poise_vm_charge(vm(A)), 5000);
	assert_int_equal(fake.p.free_pages, 1000);
	ask(B, 3000);
	assert_int_equal(poise_vm_charge(vm(B)), 4000);
	assert_int_equal(fake.p.free_pages, 1000);
	fake_step(&fake);
	assert_int_equal(poise_vm_charge(vm(B)), 3000);
	assert_int_equal(fake.p.free_pages, 2000);
}

static void each_request_has_its_own_epoch(void **state)
{
	uint64_t last = fake.p.epoch;
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		ask(i % 2 == 0 ? A : B, 4000 + i);
		assert_int_equal(fake.p.epoch, last + 1);
		assert_int_equal(vm(i % 2 == 0 ? A : B)->epoch, last + 1);
		last = fake.p.epoch;
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_RESIZE, UINT32_MAX, i);
		assert_non_null(r);
		assert_int_equal(r->a, 4000 + i);
		assert_int_equal(r->b, last);
		assert_int_equal(r->err, POISE_OK);
	}
}

/* A growth that is replaced before it was answered may be complete by then. */
static void f36_a_replaced_growth_stays_charged_until_measured(void **state)
{
	(void)state;
	ask(A, 6000);
	fake.vm[A].real_pages = 5900; /* nearly there, and nobody has said so */
	ask(A, 4000);
	assert_int_equal(poise_vm_charge(vm(A)), 6000);
	assert_int_equal(fake.p.free_pages, 0);
	fake_tick(&fake);
	assert_int_equal(poise_vm_charge(vm(A)), 4000);
	assert_int_equal(fake.p.free_pages, 2000);
}

/* --- F32: the port refuses --- */

static void f32_op_error_keeps_state(void **state)
{
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_ERROR;
	ask(A, 2000);
	assert_int_equal(fake.p.free_pages, 2000); /* nothing is released */
	assert_int_equal(vm(A)->actual_pages, 4000);
	assert_int_equal(vm(A)->unsent, 1);
	assert_int_equal(fake.p.errors[-POISE_E_PORT], 1);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_RESIZE, A, 0);
	assert_non_null(r);
	assert_int_equal(r->err, POISE_E_PORT);
	/* Repeated with each tick, under a new epoch; all the while it holds what it has. */
	for (unsigned i = 1; i < WINDOW; i++) {
		const uint64_t epoch = vm(A)->epoch;
		fake_tick(&fake);
		assert_true(vm(A)->epoch > epoch);
		assert_int_equal(fake.last_target[A], 2000);
		assert_int_equal(fake.p.free_pages, 2000);
	}
	/* Then given up for a while: it keeps what it has. */
	fake_tick(&fake);
	assert_int_equal(vm(A)->target_pages, 4000);
	assert_int_equal(vm(A)->goal_pages, 4000);
	assert_int_equal(vm(A)->strikes, 1);
	assert_int_equal(fake.p.errors[-POISE_E_LOST], 1);
	assert_true(vm(A)->quiet_ms > fake.now_ms);
	/* The port works again: the request that is in force is sent. */
	fake.answer[FAKE_RESIZE] = FAKE_OK;
	fake_tick(&fake);
	assert_int_equal(vm(A)->unsent, 0);
	fake_tick(&fake);
	assert_int_equal(fake.p.free_pages, 2000);
}

static void f32_a_refused_growth_is_charged_and_not_given_again(void **state)
{
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_ERROR;
	commit(5000, 4000);
	assert_int_equal(fake.p.free_pages, 1000);
	const uint64_t calls = fake.calls[FAKE_RESIZE];
	poise_resize_settle(&fake.p); /* no retry storm: only a tick repeats it */
	assert_int_equal(fake.calls[FAKE_RESIZE], calls);
	assert_int_equal(fake.p.free_pages, 1000);
	fake.answer[FAKE_RESIZE] = FAKE_OK;
	fake_tick(&fake);
	fake_tick(&fake);
	assert_int_equal(fake.vm[A].real_pages, 5000);
	assert_int_equal(fake.p.free_pages, 1000);
}

/* While the port refuses, it still works on what it took before: that stays charged. */
static void f32_f56_an_older_request_in_force_stays_charged(void **state)
{
	(void)state;
	ask(A, 6000);
	fake.answer[FAKE_RESIZE] = FAKE_ERROR;
	fake.speed_pages = 200;
	ask(A, 3000); /* refused: the VM goes on growing to 6000 */
	for (unsigned i = 0; i < WINDOW - 2; i++) {
		fake_tick(&fake);
		assert_true(fake.vm[A].real_pages > 4000);
		assert_int_equal(poise_vm_charge(vm(A)), 6000);
		assert_int_equal(fake.p.free_pages, 0);
	}
	fake.answer[FAKE_RESIZE] = FAKE_OK;
	fake.speed_pages = 0;
	fake_tick(&fake);
	fake_tick(&fake);
	assert_int_equal(poise_vm_charge(vm(A)), 3000);
}

/* --- giving --- */

static void gives_wait_for_takes(void **state)
{
	(void)state;
	commit(8000, 2000);
	/* 2000 were free; the other 2000 come from B, when it has answered. */
	assert_int_equal(vm(A)->target_pages, 6000);
	assert_int_equal(vm(A)->goal_pages, 8000);
	assert_int_equal(vm(B)->target_pages, 2000);
	assert_int_equal(fake.p.free_pages, 0);
	fake_step(&fake);
	assert_int_equal(vm(A)->target_pages, 8000);
	assert_int_equal(fake.p.free_pages, 0);
	fake_step(&fake);
	assert_int_equal(fake.vm[A].real_pages, 8000);
	assert_int_equal(fake.vm[B].real_pages, 2000);
}

/* F34: what was confirmed is given, no more. */
static void f34_partial_success_gives_the_confirmed_amount(void **state)
{
	(void)state;
	fake.fault_at[FAKE_RESIZE] = 1;
	fake.fault[FAKE_RESIZE] = FAKE_SHORT;
	commit(8000, 2000);
	assert_int_equal(vm(B)->target_pages, 2000);
	fake_step(&fake);
	assert_int_equal(fake.vm[B].real_pages, 3000);
	assert_int_equal(poise_vm_charge(vm(B)), 3000);
	assert_int_equal(vm(A)->target_pages, 7000);
}

static void what_is_charged_already_needs_no_free_memory(void **state)
{
	(void)state;
	commit(6000, 4000);
	fake_step(&fake);
	assert_int_equal(fake.p.free_pages, 0);
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	commit(5000, 4000); /* A is to shrink and does not: still charged 6000 */
	assert_int_equal(fake.p.free_pages, 0);
	commit(5800, 4000); /* and then may keep most of it */
	assert_int_equal(vm(A)->target_pages, 5800);
	assert_int_equal(fake.p.free_pages, 0);
}

/* Crumbs are not worth a call, unless they are all that is missing. */
static void crumbs_are_not_given(void **state)
{
	(void)state;
	commit(6000, 4000);
	fake_step(&fake);
	const uint64_t calls = fake.calls[FAKE_RESIZE];
	vm(A)->goal_pages = 6500;
	vm(B)->goal_pages = 3990;
	poise_ledger_set(&fake.p, vm(B), 3990, 3990);
	fake.vm[B].real_pages = 3990;
	poise_resize_settle(&fake.p); /* 10 of 500: less than 0.4 % of 6000 */
	assert_int_equal(fake.calls[FAKE_RESIZE], calls);
	vm(A)->goal_pages = 6010;
	poise_resize_settle(&fake.p);
	assert_int_equal(fake.calls[FAKE_RESIZE], calls + 1);
	assert_int_equal(vm(A)->target_pages, 6010);
	fake_check(&fake);
}

static void the_urgent_come_first_and_may_use_the_reserve(void **state)
{
	const struct poise_config config = {.pool_pages = POOL, .reserve_permille = 100};
	(void)state;
	fake_start(&fake, &config);
	fake_add(&fake, A, MIN, BOOT, MAX);
	fake_add(&fake, B, MIN, BOOT, MAX);
	vm(A)->state = POISE_VM_STALE; /* not one that boots, which may use the reserve too */
	vm(B)->state = POISE_VM_STALE;
	vm(A)->goal_pages = 6000;
	vm(B)->goal_pages = 6000;
	vm(B)->urgent = 1;
	fake.p.first = B;
	poise_resize_settle(&fake.p);
	assert_int_equal(vm(B)->target_pages, 6000);
	assert_int_equal(vm(A)->target_pages, 4000);
	vm(B)->urgent = 0;
	(void)start(NULL);
	fake_start(&fake, &config);
	fake_add(&fake, A, MIN, BOOT, MAX);
	vm(A)->state = POISE_VM_STALE;
	vm(A)->goal_pages = MAX;
	poise_resize_settle(&fake.p);
	assert_int_equal(vm(A)->target_pages, MAX); /* 9000 and the reserve of 1000 */
	fake_add(&fake, B, 100, 100, MAX);
	vm(B)->goal_pages = 1500;
	poise_resize_settle(&fake.p);
	assert_int_equal(vm(B)->target_pages, 1000); /* it boots: up to the last page */
	fake_check(&fake);
}

/* Goals outside the limits come from a VM that came so; it is led inside. */
static void commit_keeps_goals_within_limits(void **state)
{
	static const struct {
		uint64_t row, goal;
	} rows[] = {{500, MIN}, {MIN, MIN}, {5000, 5000}, {MAX, MAX}, {9500, MAX}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)start(NULL);
		commit(rows[i].row, 4000);
		assert_int_equal(vm(A)->goal_pages, rows[i].goal);
	}
}

static void commit_records_changes_only(void **state)
{
	(void)state;
	commit(4000, 4000);
	assert_null(fake_find(&fake, POISE_EVENT_PLAN, UINT32_MAX, 0));
	commit(5000, 3000);
	assert_non_null(fake_find(&fake, POISE_EVENT_PLAN, A, 0));
	assert_non_null(fake_find(&fake, POISE_EVENT_PLAN, B, 0));
	assert_null(fake_find(&fake, POISE_EVENT_PLAN, UINT32_MAX, 2));
}

/* --- balloons that do not move --- */

/* After the window the VM is left with what it has, each time for twice as long. */
static void f33_a_stuck_balloon_is_parked_and_left_alone(void **state)
{
	uint64_t quiet_ms = 1000;
	(void)state;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	for (unsigned strike = 1; strike <= POISE_STRIKES_MAX + 2; strike++) {
		ask(A, 2000);
		for (unsigned i = 1; i < WINDOW; i++) {
			fake_tick(&fake);
			assert_int_equal(vm(A)->target_pages, 2000);
		}
		assert_int_equal(fake.p.free_pages, 2000);
		fake_tick(&fake);
		assert_int_equal(vm(A)->target_pages, 4000);
		assert_int_equal(vm(A)->goal_pages, 4000);
		assert_int_equal(vm(A)->quiet_ms, fake.now_ms + quiet_ms);
		assert_int_equal(vm(A)->strikes,
				 strike < POISE_STRIKES_MAX ? strike : POISE_STRIKES_MAX);
		assert_int_equal(fake.p.errors[-POISE_E_LOST], strike);
		quiet_ms *= strike < POISE_STRIKES_MAX + 1 ? 2 : 1;
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
	assert_int_equal(vm(A)->strikes, 1);
}

/* A plan that asks a stuck balloon for a little more each time does not begin a new window. */
static void f33_asking_for_more_is_no_excuse(void **state)
{
	(void)state;
	for (unsigned grows = 0; grows < 2; grows++) {
		(void)start(NULL);
		fake.answer[FAKE_RESIZE] = FAKE_NEVER;
		for (unsigned i = 0; i < WINDOW; i++) {
			assert_int_equal(vm(A)->strikes, 0);
			ask(A, grows != 0 ? 5000 + 100 * i : 3000 - 100 * i);
			fake_tick(&fake);
		}
		assert_int_equal(vm(A)->strikes, 1);
		assert_int_equal(vm(A)->target_pages, 4000);
		/* Asked for the opposite, it has a window again; likewise when it was there. */
		for (unsigned turn = 0; turn < 2; turn++) {
			ask(A, turn != 0 ? 6000 : 3000);
			assert_int_equal(vm(A)->window_ms, fake.now_ms);
			fake_tick(&fake);
			fake_tick(&fake);
			assert_int_equal(vm(A)->strikes, 1);
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
		assert_int_equal(vm(A)->strikes > 0, rows[i].parked);
	}
}

/* Near the target is there: rounding in a balloon is no reason to give it up. */
static void b03_a_rest_within_tolerance_is_no_strike(void **state)
{
	(void)state;
	ask(A, 2000);
	fake.vm[A].goal_pages = 2003; /* 0.2 % of 2000 are 4 pages */
	for (unsigned i = 0; i < 4 * WINDOW; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(vm(A)->strikes, 0);
	assert_int_equal(vm(A)->target_pages, 2000);
}

static void strikes_are_forgiven_by_an_answer_that_moved_something(void **state)
{
	(void)state;
	vm(A)->strikes = 4;
	fake_tick(&fake);
	assert_int_equal(vm(A)->strikes, 4); /* nothing asked, nothing shown */
	ask(A, 3000);
	fake_tick(&fake);
	assert_int_equal(vm(A)->strikes, 0);
}

/* A VM that grows by itself is charged at once; if it keeps that, its target follows. */
static void f39_a_vm_that_helps_itself(void **state)
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
	assert_int_equal(vm(A)->strikes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_growth_is_charged_before_the_call_a_shrink_credited_after_the_answer,
			start),
		cmocka_unit_test_setup(each_request_has_its_own_epoch, start),
		cmocka_unit_test_setup(f36_a_replaced_growth_stays_charged_until_measured, start),
		cmocka_unit_test_setup(f32_op_error_keeps_state, start),
		cmocka_unit_test_setup(f32_a_refused_growth_is_charged_and_not_given_again, start),
		cmocka_unit_test_setup(f32_f56_an_older_request_in_force_stays_charged, start),
		cmocka_unit_test_setup(gives_wait_for_takes, start),
		cmocka_unit_test_setup(f34_partial_success_gives_the_confirmed_amount, start),
		cmocka_unit_test_setup(what_is_charged_already_needs_no_free_memory, start),
		cmocka_unit_test_setup(crumbs_are_not_given, start),
		cmocka_unit_test(the_urgent_come_first_and_may_use_the_reserve),
		cmocka_unit_test(commit_keeps_goals_within_limits),
		cmocka_unit_test_setup(commit_records_changes_only, start),
		cmocka_unit_test_setup(f33_a_stuck_balloon_is_parked_and_left_alone, start),
		cmocka_unit_test_setup(f33_a_stuck_growth_returns_what_was_charged, start),
		cmocka_unit_test(f33_asking_for_more_is_no_excuse),
		cmocka_unit_test(f35_progress_is_pages_in_a_window),
		cmocka_unit_test_setup(b03_a_rest_within_tolerance_is_no_strike, start),
		cmocka_unit_test_setup(strikes_are_forgiven_by_an_answer_that_moved_something,
				       start),
		cmocka_unit_test_setup(f39_a_vm_that_helps_itself, start),
		cmocka_unit_test_setup(parking_makes_no_debt, start),
		cmocka_unit_test_setup(parking_stays_within_limits, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
