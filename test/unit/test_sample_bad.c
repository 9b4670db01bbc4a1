/* SPDX-License-Identifier: MIT */
/* Stage 3's gate: what bad samples cost: quarantine, no page, no history; freeze and thaw. */
#include "sample_support.h"

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
static void one_good_sample_ends_a_run_of_bad_ones(void **state)
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

/* The guest says a second later that it has started anew. */
static void say_anew(void)
{
	update.boot_id++;
	update.body.sample = 1;
	fake.now_ms += 1000;
	assert_int_equal(report(), POISE_OK);
	fake_tick(&fake);
	assert_int_equal(vm()->state, POISE_VM_UNMANAGED);
}

/* A new boot generation each time: always the boot size, never managed. */
static void f14_a_reboot_loop_keeps_boot_size(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		say_anew();
		assert_int_equal(vm()->target_pages, BOOT);
	}
}

/* A guest's word that it has started anew brings it nothing that is not there. */
static void f14_a_claimed_reboot_brings_no_memory_that_is_not_there(void **state)
{
	(void)state;
	vm()->goal_pages = BOOT / 2;
	poise_resize_ask(&fake.p, &fake.p.vm[VM], BOOT / 2, POISE_RULE_NONE);
	fake_step(&fake);
	assert_int_equal(vm()->actual_pages, BOOT / 2);
	assert_int_equal(poise_pool_set(&fake.p, BOOT / 2 + 500), POISE_OK);
	for (unsigned i = 0; i < 3; i++) {
		say_anew();
		assert_int_equal(vm()->target_pages, BOOT / 2 + 500);
		assert_int_equal(fake.p.free_pages, 0);
	}
	/* The host's word does, as the guest takes it whether or not it is asked. */
	assert_int_equal(poise_vm_restart(&fake.p, VM, BOOT / 2), POISE_OK);
	assert_int_equal(vm()->target_pages, BOOT);
	/* When memory comes, the guest gets the rest. */
	assert_int_equal(poise_vm_restart(&fake.p, VM, BOOT / 2 + 500), POISE_OK);
	assert_int_equal(poise_pool_set(&fake.p, BOOT), POISE_OK);
	fake_tick(&fake);
	assert_int_equal(vm()->target_pages, BOOT);
	assert_int_equal(fake.p.free_pages, 0);
}

/* One that still waits for memory to start is asked for nothing, whatever it says. */
static void f14_a_vm_that_waits_to_start_is_asked_for_nothing(void **state)
{
	const struct poise_vm_config waits = {
		.min_pages = MIN, .boot_pages = BOOT, .max_pages = MAX};
	(void)state;
	fake.vm[VM].real_pages = 0;
	assert_int_equal(poise_vm_remove(&fake.p, VM), POISE_OK);
	fake_add(&fake, OTHER, MIN, POOL, POOL);
	assert_int_equal(poise_vm_add(&fake.p, VM, &waits, 0), POISE_OK);
	for (unsigned i = 0; i < 3; i++) {
		update.boot_id++;
		fake.now_ms += 1000;
		assert_int_equal(report(), POISE_OK);
		assert_int_equal(vm()->target_pages, 0);
		assert_int_equal(vm()->goal_pages, BOOT);
	}
	assert_int_equal(fake.calls[FAKE_RESIZE], 0);
}

/* Quarantined is quarantined, also if its age would freeze it; a frozen one is quarantined too. */
static void a_quarantined_vm_does_not_freeze_by_age_and_a_frozen_one_is_quarantined(void **state)
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

static void f05_f25_a_page_that_is_gone_drops_the_history(void **state)
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

static void f30_a_frozen_vm_is_held_and_has_to_report_twice_after_the_thaw(void **state)
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
static void f69_time_that_goes_back_is_no_time(void **state)
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
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(f31_quarantine_after_a_run_of_bad_samples_and_out_again,
				       start_managed),
		cmocka_unit_test_setup(one_good_sample_ends_a_run_of_bad_ones, start_managed),
		cmocka_unit_test_setup(f31_two_writers_are_quarantined, start_managed),
		cmocka_unit_test_setup(f14_a_reboot_loop_keeps_boot_size, start_managed),
		cmocka_unit_test_setup(f14_a_claimed_reboot_brings_no_memory_that_is_not_there,
				       start_managed),
		cmocka_unit_test_setup(f14_a_vm_that_waits_to_start_is_asked_for_nothing,
				       start_managed),
		cmocka_unit_test_setup(
			a_quarantined_vm_does_not_freeze_by_age_and_a_frozen_one_is_quarantined,
			start_managed),
		cmocka_unit_test_setup(f05_f25_a_page_that_is_gone_drops_the_history,
				       start_managed),
		cmocka_unit_test_setup(f05_garbage_from_the_start_stays_unmanaged, start),
		cmocka_unit_test_setup(
			f30_a_frozen_vm_is_held_and_has_to_report_twice_after_the_thaw,
			start_managed),
		cmocka_unit_test_setup(f69_time_that_goes_back_is_no_time, start_managed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
