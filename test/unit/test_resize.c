/* SPDX-License-Identifier: MIT */
/* Stage 6: takes before gives, gives within free memory. */
#include "resize_support.h"

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

static void f32_a_request_that_fails_leaves_the_books_right(void **state)
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
	assert_int_equal(vm(A)->backoff_exponent, 1);
	assert_int_equal(fake.p.errors[-POISE_E_LOST], 1);
	assert_true(vm(A)->backoff_end_ms > fake.now_ms);
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

static void growth_waits_until_shrinking_has_freed_its_memory(void **state)
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
static void f34_growth_gets_what_shrinking_has_confirmed(void **state)
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

/* Less than a minimum grant is not worth a call, unless they are all that is missing. */
static void less_than_a_minimum_grant_is_not_given(void **state)
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
	fake.p.round_robin_start = B;
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

static void commit_records_only_vms_whose_size_is_to_change(void **state)
{
	(void)state;
	commit(4000, 4000);
	assert_null(fake_find(&fake, POISE_EVENT_PLAN, UINT32_MAX, 0));
	commit(5000, 3000);
	assert_non_null(fake_find(&fake, POISE_EVENT_PLAN, A, 0));
	assert_non_null(fake_find(&fake, POISE_EVENT_PLAN, B, 0));
	assert_null(fake_find(&fake, POISE_EVENT_PLAN, UINT32_MAX, 2));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_growth_is_charged_before_the_call_a_shrink_credited_after_the_answer,
			start),
		cmocka_unit_test_setup(each_request_has_its_own_epoch, start),
		cmocka_unit_test_setup(f36_a_replaced_growth_stays_charged_until_measured, start),
		cmocka_unit_test_setup(f32_a_request_that_fails_leaves_the_books_right, start),
		cmocka_unit_test_setup(f32_a_refused_growth_is_charged_and_not_given_again, start),
		cmocka_unit_test_setup(f32_f56_an_older_request_in_force_stays_charged, start),
		cmocka_unit_test_setup(growth_waits_until_shrinking_has_freed_its_memory, start),
		cmocka_unit_test_setup(f34_growth_gets_what_shrinking_has_confirmed, start),
		cmocka_unit_test_setup(what_is_charged_already_needs_no_free_memory, start),
		cmocka_unit_test_setup(less_than_a_minimum_grant_is_not_given, start),
		cmocka_unit_test(the_urgent_come_first_and_may_use_the_reserve),
		cmocka_unit_test(commit_keeps_goals_within_limits),
		cmocka_unit_test_setup(commit_records_only_vms_whose_size_is_to_change, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
