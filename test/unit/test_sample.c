/* SPDX-License-Identifier: MIT */
/*
 * Stage 3's gate: which samples are taken, and which state a VM is in while it behaves.
 * The order of the tests is that of enum poise_vm_state's transitions.
 */
#include "sample_support.h"

/* --- arguments --- */

static void report_refuses_wrong_arguments(void **state)
{
	const struct poise_sample sample = support_sample(&update);
	struct poise before;
	static const struct {
		uint32_t slot;
		bool null;
		enum poise_err err;
	} rows[] = {
		{POISE_VM_MAX, false, POISE_E_ARG},
		{UINT32_MAX, false, POISE_E_ARG},
		{UINT32_MAX - 1, true, POISE_E_ARG},
		{VM + 1, false, POISE_E_NOT_FOUND},
		{VM, true, POISE_E_ARG},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		before = fake.p;
		before.errors[-(int)rows[i].err]++;
		assert_int_equal(
			poise_report(&fake.p, rows[i].slot, 99999, rows[i].null ? NULL : &sample),
			rows[i].err);
		assert_memory_equal(&before, &fake.p, sizeof(before));
	}
	assert_int_equal(poise_report(NULL, VM, 0, &sample), POISE_E_ARG);
	assert_int_equal(poise_report_error(NULL, VM, 0, POISE_E_TORN), POISE_E_ARG);
	fake.p.magic ^= 1;
	before = fake.p;
	assert_int_equal(poise_report(&fake.p, VM, 0, &sample), POISE_E_CONTEXT);
	assert_int_equal(poise_report_error(&fake.p, VM, 0, POISE_E_TORN), POISE_E_CONTEXT);
	assert_memory_equal(&before, &fake.p, sizeof(before));
	fake.p.magic ^= 1;
}

/* Only what poise_page_read can say is a reason. */
static void report_error_takes_what_a_page_read_can_say_only(void **state)
{
	(void)state;
	for (int reason = 10; reason >= -60; reason--) {
		const bool page = reason <= POISE_E_MAGIC && reason >= POISE_E_UNMAPPED;
		const uint64_t before =
			reason < 0 && reason > -POISE_ERR_COUNT ? fake.p.errors[-reason] : 0;
		(void)start(NULL);
		assert_int_equal(bad((enum poise_err)reason), page ? POISE_OK : POISE_E_ARG);
		if (page) {
			assert_int_equal(fake.p.errors[-reason], 1);
			assert_int_equal(errors(POISE_E_ARG), 0);
			const struct fake_record *r = fake_find(&fake, POISE_EVENT_BAD, VM, 0);
			assert_non_null(r);
			assert_int_equal(r->err, reason);
			assert_null(fake_find(&fake, POISE_EVENT_BAD, VM, 1));
		}
		(void)before;
	}
	assert_int_equal(poise_report_error(&fake.p, VM + 1, 0, POISE_E_TORN), POISE_E_NOT_FOUND);
	assert_int_equal(poise_report_error(&fake.p, UINT32_MAX, 0, POISE_E_TORN), POISE_E_ARG);
}

/* --- age --- */

static void age_counts_from_the_last_sample_that_was_taken(void **state)
{
	(void)state;
	assert_int_equal(poise_vm_age_ms(NULL, VM, 0), UINT64_MAX);
	assert_int_equal(poise_vm_age_ms(&fake.p, POISE_VM_MAX, 0), UINT64_MAX);
	assert_int_equal(poise_vm_age_ms(&fake.p, OTHER, fake.now_ms), UINT64_MAX);
	assert_int_equal(poise_vm_age_ms(&fake.p, VM, fake.now_ms), UINT64_MAX);
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(poise_vm_age_ms(&fake.p, VM, fake.now_ms), 0);
	assert_int_equal(poise_vm_age_ms(&fake.p, VM, fake.now_ms + 2500), 2500);
	assert_int_equal(poise_vm_age_ms(&fake.p, VM, fake.now_ms - 1), 0);
	/* The same one again is not fresh. */
	fake.now_ms += 1000;
	assert_int_equal(report(), POISE_E_STALE);
	assert_int_equal(poise_vm_age_ms(&fake.p, VM, fake.now_ms), 1000);
	/* What is known of the guest is dropped, its age with it. */
	assert_int_equal(bad(POISE_E_UNMAPPED), POISE_OK);
	assert_int_equal(poise_vm_age_ms(&fake.p, VM, fake.now_ms), UINT64_MAX);
}

/* --- UNMANAGED to MANAGED --- */

static void managed_after_the_second_good_sample_of_one_boot(void **state)
{
	(void)state;
	assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
	assert_int_equal(vm()->forecast.steps, 1);
	fake.now_ms += 1000;
	update.body.sample++;
	fake_forget(&fake);
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(vm()->forecast.steps, 2);
	expect_transition(POISE_VM_UNMANAGED, POISE_VM_MANAGED);
}

/* An early sample is no step of the average: the VM waits for one that is. */
static void a_second_sample_too_early_does_not_manage(void **state)
{
	(void)state;
	assert_int_equal(report(), POISE_OK);
	fake.now_ms += 100;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
	fake.now_ms += 900;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
}

/* --- ageing --- */

static void f01_f12_statistics_age_hold_stale_frozen(void **state)
{
	static const struct {
		uint32_t missed;
		uint32_t state;
	} rows[] = {{1, POISE_VM_MANAGED}, {2, POISE_VM_MANAGED}, {3, POISE_VM_STALE},
		    {4, POISE_VM_STALE},   {9, POISE_VM_STALE},   {10, POISE_VM_FROZEN},
		    {11, POISE_VM_FROZEN}, {500, POISE_VM_FROZEN}};
	(void)state;
	const uint64_t fresh_ms = fake.now_ms;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake.now_ms = fresh_ms + 1000 * (uint64_t)rows[i].missed;
		/* A live heartbeat with the same number is not fresh. */
		assert_int_equal(report(), POISE_E_STALE);
		assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
		assert_int_equal(vm()->state, rows[i].state);
		assert_int_equal(vm()->bad_run, 0);
	}
	assert_int_equal(errors(POISE_E_STALE), ARRAY_SIZE(rows));
	fake_forget(&fake);
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	expect_transition(POISE_VM_FROZEN, POISE_VM_MANAGED);
}

static void stale_to_managed_by_one_fresh_sample(void **state)
{
	(void)state;
	fake.now_ms += 4000;
	assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	expect_transition(POISE_VM_MANAGED, POISE_VM_STALE);
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	expect_transition(POISE_VM_STALE, POISE_VM_MANAGED);
}

/* --- what is refused --- */

static void f11_a_sample_counter_that_goes_back_is_a_reset(void **state)
{
	(void)state;
	vm()->backoff_exponent = 3;
	vm()->backoff_end_ms = UINT64_MAX;
	update.body.sample -= 1;
	assert_int_equal(report(), POISE_E_REPLAY);
	assert_int_equal(errors(POISE_E_REPLAY), 1);
	expect_transition(POISE_VM_MANAGED, POISE_VM_UNMANAGED);
	assert_int_equal(vm()->forecast.steps, 0);
	assert_int_equal(vm()->last.boot_id, 0);
	assert_int_equal(vm()->backoff_exponent, 0);
	assert_int_equal(vm()->backoff_end_ms, 0);
	assert_int_equal(vm()->target_pages, BOOT);
	assert_true(poise_vm_charge(vm()) >= BOOT);
	assert_int_equal(vm()->bad_run, 1);
}

/* Whatever was in flight when the guest started anew: at least the boot size is charged at once. */
static void f45_reset_is_charged_at_boot_size(void **state)
{
	static const struct {
		uint64_t actual, target, charge;
	} rows[] = {
		{BOOT, BOOT, BOOT}, {MIN, MIN, BOOT}, {MAX, MAX, MAX},
		{MAX, MIN, MAX},    {MIN, MAX, MAX}, /* it may have got there unseen */
		{MIN, 2000, BOOT},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)start_managed(NULL);
		poise_ledger_set(&fake.p, vm(), rows[i].actual, rows[i].target);
		fake.vm[VM].real_pages = rows[i].actual;
		update.boot_id++;
		update.body.sample = 1;
		assert_int_equal(report(), POISE_OK);
		assert_int_equal(vm()->target_pages, BOOT);
		assert_int_equal(poise_vm_charge(vm()), rows[i].charge);
		assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
		assert_int_equal(vm()->forecast.steps, 1);
		assert_int_equal(vm()->last.boot_id, update.boot_id);
	}
}

/* A reset may make a debt: the others repay it, nobody below its reservation. */
static void f45_reset_makes_a_debt_that_is_repaid(void **state)
{
	(void)state;
	fake_start_pool(&fake, 10000);
	fake_add(&fake, VM, MIN, 6000, 9000);
	fake_add(&fake, OTHER, MIN, 4000, 9000);
	/* VM gives 4000 to OTHER, and then starts anew. */
	poise_ledger_set(&fake.p, vm(), 2000, 2000);
	vm()->goal_pages = 2000;
	fake.vm[VM].real_pages = 2000;
	poise_ledger_set(&fake.p, &fake.p.vm[OTHER], 8000, 8000);
	fake.vm[OTHER].real_pages = 8000;
	fake.p.vm[OTHER].goal_pages = 8000;
	fake.p.vm[OTHER].state = POISE_VM_QUARANTINED; /* may be shrunk to its boot size */
	fake_check(&fake);
	fake.vm[VM].real_pages = 6000;
	fake.vm[VM].goal_pages = 6000;
	assert_int_equal(poise_vm_restart(&fake.p, VM, 6000), POISE_OK);
	assert_int_equal(fake.p.free_pages, -4000);
	for (unsigned i = 0; i < 8; i++) {
		fake_tick(&fake);
		assert_true(fake.p.vm[OTHER].target_pages >= MIN);
	}
	assert_true(fake.p.free_pages >= 0);
	assert_int_equal(vm()->actual_pages, 6000);
}

static void f13_a_sample_counter_that_jumps_ahead_is_taken(void **state)
{
	(void)state;
	fake.now_ms += 1000;
	update.body.sample += UINT64_C(1) << 40;
	update.body.swap_in_pages += UINT64_C(1) << 40;
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
	assert_true(vm()->forecast.refault_pages <= vm()->forecast.size_pages);
}

static void f16_a_total_that_changes_is_a_bad_sample(void **state)
{
	static const uint64_t totals[] = {MAX - 1, MAX - BOOT + 1, MAX + 1, 1};
	const struct poise_sample last = vm()->last;
	const uint64_t sample_ms = vm()->sample_ms;
	(void)state;
	update.body.sample++;
	fake.now_ms += 100;
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
		update.body.total_pages = totals[i];
		assert_int_equal(report(), POISE_E_TOTAL);
		assert_int_equal(errors(POISE_E_TOTAL), i + 1);
		assert_memory_equal(&last, &vm()->last, sizeof(last));
		assert_int_equal(vm()->sample_ms, sample_ms);
	}
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
	/* Registered anew, the new total is the one that counts. */
	update.body.total_pages = MAX - 1;
	assert_int_equal(poise_vm_restart(&fake.p, VM, BOOT), POISE_OK);
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(vm()->last.body.total_pages, MAX - 1);
}

static void f23_guest_time_is_not_used(void **state)
{
	static const uint64_t times[] = {0, UINT64_MAX, 1, 1, UINT64_C(1) << 63};
	struct fake other;
	(void)state;
	other = fake;
	struct poise_guest_update plain = update;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		fake.now_ms += 1000;
		other.now_ms += 1000;
		update.body.guest_ms = times[i];
		assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
		assert_int_equal(fake_report(&other, VM, &plain), POISE_OK);
	}
	assert_memory_equal(&fake.p.vm[VM].forecast, &other.p.vm[VM].forecast,
			    sizeof(struct poise_forecast));
	assert_int_equal(vm()->sample_ms, fake.now_ms);
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
}

/* Counters as wide as a 32-bit guest's go past their end: what counts is how far they came. */
static void f24_counters_of_32_bits_may_wrap(void **state)
{
	(void)state;
	fake.now_ms += 1000;
	update.body.swap_in_pages = UINT32_MAX - 4;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	fake.now_ms += 100000;
	vm()->forecast.refault_pages = 0;
	update.body.swap_in_pages = 5; /* ten later, in 32 bits */
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	assert_int_equal(vm()->forecast.refault_pages, 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(age_counts_from_the_last_sample_that_was_taken, start),
		cmocka_unit_test_setup(report_refuses_wrong_arguments, start),
		cmocka_unit_test_setup(report_error_takes_what_a_page_read_can_say_only, start),
		cmocka_unit_test_setup(managed_after_the_second_good_sample_of_one_boot, start),
		cmocka_unit_test_setup(a_second_sample_too_early_does_not_manage, start),
		cmocka_unit_test_setup(f01_f12_statistics_age_hold_stale_frozen, start_managed),
		cmocka_unit_test_setup(stale_to_managed_by_one_fresh_sample, start_managed),
		cmocka_unit_test_setup(f11_a_sample_counter_that_goes_back_is_a_reset,
				       start_managed),
		cmocka_unit_test(f45_reset_is_charged_at_boot_size),
		cmocka_unit_test(f45_reset_makes_a_debt_that_is_repaid),
		cmocka_unit_test_setup(f13_a_sample_counter_that_jumps_ahead_is_taken,
				       start_managed),
		cmocka_unit_test_setup(f16_a_total_that_changes_is_a_bad_sample, start_managed),
		cmocka_unit_test_setup(f23_guest_time_is_not_used, start_managed),
		cmocka_unit_test_setup(f24_counters_of_32_bits_may_wrap, start_managed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
