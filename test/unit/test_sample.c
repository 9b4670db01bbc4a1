/* SPDX-License-Identifier: MIT */
/*
 * Stage 3's gate: which samples are taken, what a bad one costs, and which state a VM is in.
 * The order of the tests is that of enum poise_vm_state's transitions.
 */
#include "support.h"

#include "internal.h"

#define VM    3u
#define OTHER 5u
#define MIN   1000u
#define BOOT  4000u
#define MAX   9000u
#define POOL  20000u

static struct fake fake;
static struct poise_guest_update update;

static struct poise_vm *vm(void)
{
	return &fake.p.vm[VM];
}

/* A pool with one VM that has not reported yet. */
static int start(void **state)
{
	(void)state;
	fake_start_pool(&fake, POOL);
	fake.now_ms = 10000;
	fake_add(&fake, VM, MIN, BOOT, MAX);
	update = support_update(MAX);
	update.body.balloon_pages = MAX - BOOT;
	update.body.free_pages = 500;
	update.body.active_file_pages = 0;
	update.body.inactive_file_pages = 0;
	update.body.active_anon_pages = 0;
	update.body.inactive_anon_pages = 3000;
	update.body.available_pages = 500;
	return 0;
}

/* The same, and it is managed. */
static int start_managed(void **state)
{
	(void)start(state);
	fake_manage(&fake, VM, &update);
	fake_forget(&fake);
	return 0;
}

/* Reports the update as it is. */
static enum poise_err report(void)
{
	support_seal(&update);
	const struct poise_sample sample = support_sample(&update);
	const enum poise_err err = poise_report(&fake.p, VM, fake.now_ms, &sample);
	fake_check(&fake);
	return err;
}

static enum poise_err bad(enum poise_err reason)
{
	const enum poise_err err = poise_report_error(&fake.p, VM, fake.now_ms, reason);
	fake_check(&fake);
	return err;
}

static uint64_t errors(enum poise_err err)
{
	return fake.p.errors[-(int)err];
}

static void expect_transition(uint32_t from, uint32_t to)
{
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_STATE, VM, 0);
	assert_non_null(r);
	assert_int_equal(r->a, from);
	assert_int_equal(r->b, to);
	assert_int_equal(vm()->state, to);
	fake_forget(&fake);
}

/* --- arguments --- */

static void report_arguments(void **state)
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
static void report_error_arguments(void **state)
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

static void f11_counter_goes_back(void **state)
{
	(void)state;
	vm()->strikes = 3;
	vm()->quiet_ms = UINT64_MAX;
	update.body.sample -= 1;
	assert_int_equal(report(), POISE_E_REPLAY);
	assert_int_equal(errors(POISE_E_REPLAY), 1);
	expect_transition(POISE_VM_MANAGED, POISE_VM_UNMANAGED);
	assert_int_equal(vm()->forecast.steps, 0);
	assert_int_equal(vm()->last.boot_id, 0);
	assert_int_equal(vm()->strikes, 0);
	assert_int_equal(vm()->quiet_ms, 0);
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

static void f13_counter_jumps_ahead(void **state)
{
	(void)state;
	fake.now_ms += 1000;
	update.body.sample += UINT64_C(1) << 40;
	update.body.swap_in_pages += UINT64_C(1) << 40;
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
	assert_true(vm()->forecast.pressure_pages <= vm()->forecast.size_pages);
}

static void f16_total_changes(void **state)
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
static void f24_32_bit_counters_wrap(void **state)
{
	(void)state;
	fake.now_ms += 1000;
	update.body.swap_in_pages = UINT32_MAX - 4;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	fake.now_ms += 100000;
	vm()->forecast.pressure_pages = 0;
	update.body.swap_in_pages = 5; /* ten later, in 32 bits */
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	assert_int_equal(vm()->forecast.pressure_pages, 10);
}

/* --- quarantine --- */

static void f31_quarantine_after_a_run_of_bad_samples_and_out_again(void **state)
{
	(void)state;
	for (unsigned i = 1; i < POISE_BAD_RUN; i++) {
		assert_int_equal(bad(POISE_E_CHECKSUM), POISE_OK);
		assert_int_equal(vm()->state, POISE_VM_MANAGED);
		assert_int_equal(vm()->bad_run, i);
	}
	fake_forget(&fake);
	assert_int_equal(bad(POISE_E_TORN), POISE_OK);
	expect_transition(POISE_VM_MANAGED, POISE_VM_QUARANTINED);
	assert_int_equal(vm()->forecast.steps, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(bad(POISE_E_TORN), POISE_OK);
		assert_int_equal(vm()->bad_run, POISE_BAD_RUN);
	}
	assert_null(fake_find(&fake, POISE_EVENT_STATE, VM, 0));
	/* A bad one in between and the good ones are counted from the beginning. */
	for (unsigned i = 1; i < POISE_GOOD_RUN; i++) {
		fake.now_ms += 1000;
		assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	}
	assert_int_equal(vm()->state, POISE_VM_QUARANTINED);
	assert_int_equal(bad(POISE_E_RANGE), POISE_OK);
	assert_int_equal(vm()->good_run, 0);
	fake_forget(&fake);
	for (unsigned i = 1; i < POISE_GOOD_RUN; i++) {
		fake.now_ms += 1000;
		assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
		assert_int_equal(vm()->state, POISE_VM_QUARANTINED);
		assert_int_equal(vm()->good_run, i);
	}
	fake.now_ms += 1000;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	expect_transition(POISE_VM_QUARANTINED, POISE_VM_UNMANAGED);
	assert_int_equal(vm()->good_run, 0);
	fake.now_ms += 1000;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	expect_transition(POISE_VM_UNMANAGED, POISE_VM_MANAGED);
}

/* One good sample of a managed VM ends a run of bad ones; a stale one neither ends nor adds. */
static void bad_runs_are_in_a_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * POISE_BAD_RUN; i++) {
		if (i % (POISE_BAD_RUN - 1) == 0) {
			fake.now_ms += 100;
			assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
			assert_int_equal(vm()->bad_run, 0);
		}
		assert_int_equal(report(), POISE_E_STALE);
		assert_int_equal(bad(POISE_E_LENGTH), POISE_OK);
		assert_int_equal(vm()->state, POISE_VM_MANAGED);
	}
}

/* Two writers with counters of their own: every second sample goes back, the others look new. */
static void f31_two_writers_are_quarantined(void **state)
{
	uint64_t high = 1000000;
	uint64_t low = 100;
	(void)state;
	for (unsigned i = 0; i < 2 * POISE_BAD_RUN + 2; i++) {
		fake.now_ms += 500;
		update.body.sample = i % 2 == 0 ? ++high : ++low;
		(void)report();
		fake_step(&fake);
	}
	assert_int_equal(vm()->state, POISE_VM_QUARANTINED);
	assert_true(errors(POISE_E_REPLAY) >= POISE_BAD_RUN);
	/* One of them goes: a run of good samples lets the VM back in. */
	for (unsigned i = 0; i < POISE_GOOD_RUN + 1; i++) {
		fake.now_ms += 1000;
		update.body.sample = ++high;
		assert_int_equal(report(), POISE_OK);
	}
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
}

/* A new boot generation each time: always the boot size, never managed. */
static void f14_reboot_loop(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		update.boot_id++;
		update.body.sample = 1;
		fake.now_ms += 1000;
		assert_int_equal(report(), POISE_OK);
		fake_tick(&fake);
		assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
		assert_int_equal(vm()->target_pages, BOOT);
	}
}

/* Quarantined is quarantined, also if its age would freeze it; a frozen one is quarantined too. */
static void quarantine_and_age(void **state)
{
	(void)state;
	fake.now_ms += 20000;
	assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	expect_transition(POISE_VM_MANAGED, POISE_VM_FROZEN);
	for (unsigned i = 0; i < POISE_BAD_RUN; i++) {
		assert_int_equal(bad(POISE_E_CHECKSUM), POISE_OK);
	}
	expect_transition(POISE_VM_FROZEN, POISE_VM_QUARANTINED);
	fake.now_ms += 20000;
	assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_QUARANTINED);
}

/* --- no page --- */

static void f05_f25_no_page_no_history(void **state)
{
	(void)state;
	assert_int_equal(bad(POISE_E_UNMAPPED), POISE_OK);
	expect_transition(POISE_VM_MANAGED, POISE_VM_UNMANAGED);
	assert_int_equal(vm()->forecast.steps, 0);
	assert_int_equal(vm()->last.boot_id, 0);
	assert_int_equal(errors(POISE_E_UNMAPPED), 1);
	/* Another driver may register: any boot generation, any total. */
	update.boot_id = 77;
	update.body.sample = 1;
	update.body.total_pages = MAX - 5;
	assert_int_equal(report(), POISE_OK);
}

static void f05_garbage_from_the_start_stays_unmanaged(void **state)
{
	(void)state;
	for (unsigned i = 1; i < POISE_BAD_RUN; i++) {
		assert_int_equal(bad(POISE_E_MAGIC), POISE_OK);
		assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
	}
	assert_int_equal(vm()->forecast.steps, 0);
	assert_int_equal(vm()->target_pages, BOOT);
	assert_int_equal(bad(POISE_E_MAGIC), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_QUARANTINED);
}

/* --- freeze and thaw --- */

static void f30_freeze_and_thaw(void **state)
{
	struct poise_vm_config config = vm()->config;
	(void)state;
	config.flags = POISE_VM_FREEZE;
	assert_int_equal(poise_vm_set(&fake.p, VM, &config), POISE_OK);
	expect_transition(POISE_VM_MANAGED, POISE_VM_FROZEN);
	const uint64_t target = vm()->target_pages;
	/* Good, bad or no samples: it stays as it is, and nothing is held against it. */
	for (unsigned i = 0; i < 2 * POISE_BAD_RUN; i++) {
		assert_int_equal(bad(POISE_E_TORN), POISE_OK);
		assert_int_equal(vm()->state, POISE_VM_FROZEN);
	}
	for (unsigned i = 0; i < 3; i++) {
		fake.now_ms += 1000;
		assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
		assert_int_equal(vm()->state, POISE_VM_FROZEN);
		fake_tick(&fake);
		assert_int_equal(vm()->target_pages, target);
	}
	update.boot_id++; /* It was resumed from elsewhere. */
	update.body.sample = 1;
	assert_int_equal(report(), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_FROZEN);
	fake_forget(&fake);
	config.flags = 0;
	assert_int_equal(poise_vm_set(&fake.p, VM, &config), POISE_OK);
	expect_transition(POISE_VM_FROZEN, POISE_VM_UNMANAGED);
	assert_int_equal(vm()->bad_run, 0);
	fake_manage(&fake, VM, &update);
}

/* Time that seems to go back is no time; the clock that counts is the host's. */
static void f69_time_goes_back(void **state)
{
	(void)state;
	const uint64_t now_ms = fake.p.now_ms;
	fake.now_ms = 5;
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	assert_int_equal(fake.p.now_ms, now_ms);
	assert_int_equal(vm()->sample_ms, now_ms);
	assert_int_equal(poise_tick(&fake.p, 0), POISE_OK);
	assert_int_equal(fake.p.now_ms, now_ms);
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
	assert_int_equal(poise_tick(&fake.p, UINT64_MAX), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_FROZEN);
	fake_check(&fake);
	assert_int_equal(fake_report(&fake, VM, &update), POISE_OK);
	assert_int_equal(poise_tick(&fake.p, UINT64_MAX), POISE_OK);
	assert_int_equal(vm()->state, POISE_VM_MANAGED);
	fake_check(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(report_arguments, start),
		cmocka_unit_test_setup(report_error_arguments, start),
		cmocka_unit_test_setup(managed_after_the_second_good_sample_of_one_boot, start),
		cmocka_unit_test_setup(a_second_sample_too_early_does_not_manage, start),
		cmocka_unit_test_setup(f01_f12_statistics_age_hold_stale_frozen, start_managed),
		cmocka_unit_test_setup(stale_to_managed_by_one_fresh_sample, start_managed),
		cmocka_unit_test_setup(f11_counter_goes_back, start_managed),
		cmocka_unit_test(f45_reset_is_charged_at_boot_size),
		cmocka_unit_test(f45_reset_makes_a_debt_that_is_repaid),
		cmocka_unit_test_setup(f13_counter_jumps_ahead, start_managed),
		cmocka_unit_test_setup(f16_total_changes, start_managed),
		cmocka_unit_test_setup(f23_guest_time_is_not_used, start_managed),
		cmocka_unit_test_setup(f24_32_bit_counters_wrap, start_managed),
		cmocka_unit_test_setup(f31_quarantine_after_a_run_of_bad_samples_and_out_again,
				       start_managed),
		cmocka_unit_test_setup(bad_runs_are_in_a_row, start_managed),
		cmocka_unit_test_setup(f31_two_writers_are_quarantined, start_managed),
		cmocka_unit_test_setup(f14_reboot_loop, start_managed),
		cmocka_unit_test_setup(quarantine_and_age, start_managed),
		cmocka_unit_test_setup(f05_f25_no_page_no_history, start_managed),
		cmocka_unit_test_setup(f05_garbage_from_the_start_stays_unmanaged, start),
		cmocka_unit_test_setup(f30_freeze_and_thaw, start_managed),
		cmocka_unit_test_setup(f69_time_goes_back, start_managed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
