/* SPDX-License-Identifier: MIT */
/* VMs coming and going: add, set, remove, restart. */
#include "poise_support.h"

static void add_refuses_wrong_arguments(void **state)
{
	(void)state;
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_add(&fake.p, POISE_VM_MAX, &good, 0));
	const struct poise second = fake.p;
	assert_refused(&second, POISE_E_ARG, poise_vm_add(&fake.p, UINT32_MAX, &good, 0));
	const struct poise third = fake.p;
	assert_refused(&third, POISE_E_ARG, poise_vm_add(&fake.p, 0, NULL, 0));
	const struct poise fourth = fake.p;
	assert_refused(&fourth, POISE_E_ARG, poise_vm_add(&fake.p, 0, &good, POISE_PAGES_MAX + 1));
}

static void f72_every_slot_takes_a_vm_and_none_beyond(void **state)
{
	const struct poise_vm_config config = {.min_pages = 10, .max_pages = POOL};
	(void)state;
	/* Nobody there: everything works and nothing happens. */
	assert_int_equal(poise_tick(&fake.p, 20000), POISE_OK);
	fake_check(&fake);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		assert_int_equal(poise_vm_add(&fake.p, i, &config, 10), POISE_OK);
		fake.vm[i].real_pages = 10;
		fake_check(&fake);
	}
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_add(&fake.p, POISE_VM_MAX, &config, 10));
	fake_tick(&fake);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		assert_int_equal(poise_vm_remove(&fake.p, i), POISE_OK);
	}
	assert_int_equal(fake.p.free_pages, POOL);
	fake_check(&fake);
}

static void f73_a_slot_in_use_takes_no_second_vm_and_an_empty_one_no_call(void **state)
{
	static const uint32_t slots[] = {0, 1, POISE_VM_MAX - 1};
	static const uint32_t beyond[] = {POISE_VM_MAX, UINT32_MAX - 1, UINT32_MAX};
	struct poise before;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_vm_remove(&fake.p, slots[i]));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_vm_set(&fake.p, slots[i], &good));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_vm_restart(&fake.p, slots[i], 0));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND,
			       poise_poll(&fake.p, slots[i], 99999, NULL));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_urgent(&fake.p, slots[i], 99999));
		fake_add(&fake, slots[i], MIN, MIN, MAX);
		before = fake.p;
		assert_refused(&before, POISE_E_DUP, poise_vm_add(&fake.p, slots[i], &good, 0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_vm_remove(&fake.p, beyond[i]));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_vm_set(&fake.p, beyond[i], &good));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_vm_restart(&fake.p, beyond[i], 0));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_poll(&fake.p, beyond[i], 0, NULL));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_urgent(&fake.p, beyond[i], 0));
	}
}

static const struct {
	struct poise_vm_config config;
	enum poise_err err;
} vm_configs[] = {
	{{.min_pages = 0, .max_pages = MAX}, POISE_E_CONFIG},
	{{.min_pages = 1, .max_pages = 0}, POISE_E_CONFIG},
	{{.min_pages = 1, .max_pages = 1}, POISE_OK},
	{{.min_pages = MAX, .max_pages = MAX - 1}, POISE_E_CONFIG},
	{{.min_pages = MIN, .boot_pages = MIN - 1, .max_pages = MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .boot_pages = MIN, .max_pages = MAX}, POISE_OK},
	{{.min_pages = MIN, .boot_pages = MAX, .max_pages = MAX}, POISE_OK},
	{{.min_pages = MIN, .boot_pages = MAX + 1, .max_pages = MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = POOL}, POISE_OK},
	{{.min_pages = MIN, .max_pages = POOL + 1}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = UINT64_MAX}, POISE_E_CONFIG},
	{{.min_pages = UINT64_MAX, .max_pages = UINT64_MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .weight = 1}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .weight = 65535}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .weight = 65536}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .weight = UINT32_MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .basis = POISE_BASIS_RESIDENT}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .basis = POISE_BASIS_COUNT}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .flags = POISE_VM_FLAGS}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .flags = POISE_VM_FLAGS + 1}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .reserved = 1}, POISE_E_CONFIG},
};

static void f74_a_vm_configuration_that_contradicts_itself_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vm_configs); i++) {
		(void)start(NULL);
		struct poise before = fake.p;
		enum poise_err err = poise_vm_add(&fake.p, 0, &vm_configs[i].config, 0);
		if (vm_configs[i].err != POISE_OK) {
			assert_refused(&before, vm_configs[i].err, err);
		}
		assert_int_equal(err, vm_configs[i].err);
		/* The same for a VM that is there; the context stays of use. */
		(void)start(NULL);
		fake_add(&fake, 0, MIN, BOOT, MAX);
		before = fake.p;
		err = poise_vm_set(&fake.p, 0, &vm_configs[i].config);
		if (vm_configs[i].err != POISE_OK) {
			assert_refused(&before, vm_configs[i].err, err);
		}
		assert_int_equal(err, vm_configs[i].err);
		fake_tick(&fake);
	}
	/* Defaults. */
	const struct poise_vm_config least = {.min_pages = 5, .max_pages = 10};
	(void)start(NULL);
	assert_int_equal(poise_vm_add(&fake.p, 0, &least, 5), POISE_OK);
	assert_int_equal(vm(0)->config.boot_pages, 5);
	assert_int_equal(vm(0)->config.weight, 100);
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_set(&fake.p, 0, NULL));
}

/* F47: the sum of reservations must fit, to the page. */
static void f47_reservations_beyond_the_pool_are_refused_to_the_page(void **state)
{
	struct poise_vm_config config = {.min_pages = POOL / 2, .max_pages = POOL};
	struct poise before;
	(void)state;
	fake_add(&fake, 0, POOL / 2, POOL / 2, POOL);
	config.min_pages = POOL / 2 + 1;
	before = fake.p;
	assert_refused(&before, POISE_E_INFEASIBLE, poise_vm_add(&fake.p, 1, &config, 0));
	fake_add(&fake, 1, POOL / 2, POOL / 2, POOL);
	config.min_pages = 1;
	before = fake.p;
	assert_refused(&before, POISE_E_INFEASIBLE, poise_vm_add(&fake.p, 2, &config, 0));
	config.min_pages = POOL / 2 + 1;
	before = fake.p;
	assert_refused(&before, POISE_E_INFEASIBLE, poise_vm_set(&fake.p, 1, &config));
	config.min_pages = POOL / 2;
	assert_int_equal(poise_vm_set(&fake.p, 1, &config), POISE_OK);
	assert_int_equal(poise_vm_remove(&fake.p, 0), POISE_OK);
	config.min_pages = POOL;
	assert_int_equal(poise_vm_set(&fake.p, 1, &config), POISE_OK);
}

static void add_gives_the_boot_size_as_far_as_memory_goes(void **state)
{
	static const struct {
		uint64_t taken, actual, target;
		int64_t free;
	} rows[] = {
		{0, 0, BOOT, POOL - BOOT},
		{0, MIN, BOOT, POOL - BOOT},
		{0, BOOT, BOOT, POOL - BOOT},
		{0, MAX, MAX, POOL - MAX},             /* has more already: charged for it */
		{0, MAX + 5, MAX + 5, POOL - MAX - 5}, /* even above its limit */
		{0, POOL + 9, POOL + 9, -9},           /* or above the pool: a debt */
		{POOL - 3000, 0, 3000, 0},             /* what there is */
		{POOL, 0, 0, 0},                       /* nothing: it cannot start yet */
		{POOL, 500, 500, -500},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)start(NULL);
		if (rows[i].taken != 0) {
			fake_add(&fake, 1, MIN, rows[i].taken, POOL);
		}
		fake_forget(&fake);
		fake.vm[0].real_pages = rows[i].actual;
		assert_int_equal(poise_vm_add(&fake.p, 0, &good, rows[i].actual), POISE_OK);
		fake_check(&fake);
		assert_int_equal(vm(0)->target_pages, rows[i].target);
		assert_int_equal(vm(0)->actual_pages, rows[i].actual);
		assert_int_equal(fake.p.free_pages, rows[i].free);
		assert_int_equal(vm(0)->state, POISE_VM_UNMANAGED);
		assert_non_null(fake_find(&fake, POISE_EVENT_ADD, 0, 0));
		/* The guest is told, unless there is nothing to tell. */
		assert_int_equal(fake.calls[FAKE_NOTIFY], rows[i].target != 0);
		assert_int_equal(fake.vm[0].notice.target_pages, rows[i].target);
	}
}

/* F46: one that is added while others wait gets its memory from the next plans. */
static void f46_a_vm_added_while_others_wait_gets_its_memory_from_the_next_plans(void **state)
{
	(void)state;
	fake_start_pool(&fake, 10000);
	fake_add(&fake, 0, MIN, 8000, 9000);
	fake_add(&fake, 1, MIN, 2000, 9000);
	/* VM 0 is quarantined with more than its boot size, VM 1 is on its way up. */
	vm(0)->config.boot_pages = 3000;
	vm(0)->state = POISE_VM_QUARANTINED;
	fake.speed_pages = 400;
	fake_tick(&fake);
	assert_int_equal(poise_vm_add(&fake.p, 2, &good, 0), POISE_OK);
	fake.vm[2].real_pages = 0;
	fake_check(&fake);
	for (unsigned i = 0; i < 20; i++) {
		fake_tick(&fake);
		assert_true(fake.p.free_pages >= 0);
	}
	assert_int_equal(fake.vm[2].real_pages, BOOT);
	assert_true(fake.vm[0].real_pages >= 3000);
}

/* --- removal --- */

/* F43, F44: whatever is in flight, a VM's pages come back once, and no one else's do. */
static void f43_f44_a_vm_removed_in_any_phase_gives_its_pages_back_once(void **state)
{
	static const enum fake_answer answers[] = {FAKE_OK,   FAKE_ERROR,     FAKE_SHORT,
						   FAKE_LATE, FAKE_DUPLICATE, FAKE_NEVER};
	(void)state;
	for (size_t answer = 0; answer < ARRAY_SIZE(answers); answer++) {
		for (unsigned phase = 0; phase < 6; phase++) {
			for (unsigned grows = 0; grows < 2; grows++) {
				(void)start(NULL);
				fake_add(&fake, 0, MIN, BOOT, MAX);
				fake_add(&fake, 1, MIN, BOOT, MAX);
				fake.answer[FAKE_RESIZE] = answers[answer];
				fake.speed_pages = 300;
				vm(0)->goal_pages = grows != 0 ? 7000 : 2000;
				poise_resize_ask(&fake.p, &fake.p.vm[0], vm(0)->goal_pages,
						 POISE_RULE_NONE);
				for (unsigned i = 0; i < phase; i++) {
					fake_tick(&fake);
				}
				const uint64_t charge = poise_vm_charge(vm(0));
				const uint64_t other = poise_vm_charge(vm(1));
				const int64_t free_pages = fake.p.free_pages;
				const uint64_t epoch = vm(0)->epoch;
				fake_forget(&fake);
				assert_int_equal(poise_vm_remove(&fake.p, 0), POISE_OK);
				fake.vm[0].real_pages = 0;
				fake_check(&fake);
				const struct fake_record *r =
					fake_find(&fake, POISE_EVENT_REMOVE, 0, 0);
				assert_non_null(r);
				assert_int_equal(r->a, charge);
				assert_int_equal(fake.p.free_pages,
						 free_pages + (int64_t)charge -
							 (int64_t)(poise_vm_charge(vm(1)) - other));
				const struct poise before = fake.p;
				assert_refused(&before, POISE_E_NOT_FOUND,
					       poise_ack(&fake.p, 0, epoch, 1, 0));
				const struct poise after = fake.p;
				assert_refused(&after, POISE_E_NOT_FOUND,
					       poise_vm_remove(&fake.p, 0));
				const struct poise_vm empty = {0};
				assert_memory_equal(vm(0), &empty, sizeof(empty));
				fake_tick(&fake);
			}
		}
	}
}

/* F44: the donor has answered and the receiver is gone: the next one that waits gets it. */
static void f44_memory_for_a_vm_that_has_gone_goes_to_the_next_that_waits(void **state)
{
	(void)state;
	fake_start_pool(&fake, 9000);
	fake_add(&fake, 0, MIN, 3000, 9000);
	fake_add(&fake, 1, MIN, 3000, 9000);
	fake_add(&fake, 2, MIN, 3000, 9000);
	vm(1)->goal_pages = 5000;
	vm(2)->goal_pages = 4000;
	vm(0)->goal_pages = 1000;
	poise_resize_ask(&fake.p, &fake.p.vm[0], 1000, POISE_RULE_NONE);
	assert_int_equal(poise_vm_remove(&fake.p, 1), POISE_OK);
	fake.vm[1] = (struct fake_vm){0};
	assert_int_equal(vm(2)->target_pages, 4000);
	fake_step(&fake);
	assert_int_equal(fake.p.free_pages, 9000 - 1000 - 4000);
}

/* --- restart --- */

static void f45_a_restarted_vm_is_charged_its_boot_size_and_has_no_history(void **state)
{
	static const struct {
		uint64_t actual, restarted, charge;
	} rows[] = {{BOOT, BOOT, BOOT}, {MAX, BOOT, MAX}, {BOOT, MAX, MAX}, {BOOT, 0, BOOT}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct poise_guest_update update = support_update(MAX);
		(void)start(NULL);
		fake_add(&fake, 0, MIN, BOOT, MAX);
		fake_manage(&fake, 0, &update);
		poise_ledger_set(&fake.p, vm(0), rows[i].actual, rows[i].actual);
		fake_forget(&fake);
		assert_int_equal(poise_vm_restart(&fake.p, 0, rows[i].restarted), POISE_OK);
		fake.vm[0].real_pages = rows[i].restarted;
		fake_check(&fake);
		assert_int_equal(vm(0)->target_pages, BOOT);
		assert_int_equal(poise_vm_charge(vm(0)), rows[i].charge);
		assert_int_equal(vm(0)->state, POISE_VM_UNMANAGED);
		assert_int_equal(vm(0)->forecast.steps, 0);
		assert_int_equal(fake.vm[0].notice.boot_id, 0);
		assert_int_equal(fake.vm[0].notice.target_pages, BOOT);
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_RESTART, 0, 0);
		assert_non_null(r);
		assert_int_equal(r->a, rows[i].restarted);
	}
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_restart(&fake.p, 0, POISE_PAGES_MAX + 1));
}

/* F48: restored elsewhere: the first sample is a base line only, the target is asked for anew. */
static void f48_a_vm_restored_elsewhere_starts_with_a_base_line_and_is_asked_anew(void **state)
{
	struct poise_guest_update update = support_update(MAX);
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_manage(&fake, 0, &update);
	const uint64_t epoch = vm(0)->epoch;
	assert_int_equal(poise_vm_restart(&fake.p, 0, BOOT), POISE_OK);
	assert_true(vm(0)->epoch > epoch);
	assert_int_equal(fake.last_target[0], BOOT);
	update.body.sample += 1000000;
	update.boot_id++;
	assert_int_equal(fake_report(&fake, 0, &update), POISE_OK);
	assert_int_equal(vm(0)->state, POISE_VM_UNMANAGED);
	assert_int_equal(vm(0)->forecast.delta_q16, 0);
}

/* --- limits changed while memory is in flight --- */

static void f76_limits_that_change_in_flight_are_kept_step_by_step(void **state)
{
	struct poise_vm_config config = good;
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_add(&fake, 1, MIN, BOOT, MAX);
	fake.speed_pages = 500;
	vm(0)->goal_pages = 8000;
	poise_resize_ask(&fake.p, &fake.p.vm[0], 8000, POISE_RULE_NONE);
	fake_tick(&fake);
	const uint64_t charge = poise_vm_charge(vm(0));
	config.max_pages = 5000;
	assert_int_equal(poise_vm_set(&fake.p, 0, &config), POISE_OK);
	fake_check(&fake);
	assert_int_equal(poise_vm_charge(vm(0)), charge); /* nothing before the next plan */
	assert_true(vm(0)->goal_pages <= 5000);
	config.max_pages = MAX;
	config.min_pages = 3000;
	assert_int_equal(poise_vm_set(&fake.p, 0, &config), POISE_OK);
	fake_check(&fake);
	config.weight = 65535;
	assert_int_equal(poise_vm_set(&fake.p, 1, &config), POISE_OK);
	assert_int_equal(vm(1)->config.weight, 65535);
	for (unsigned i = 0; i < 20; i++) {
		fake_tick(&fake);
	}
	assert_true(fake.vm[0].real_pages >= 3000);
	assert_non_null(fake_find(&fake, POISE_EVENT_SET, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(add_refuses_wrong_arguments, start),
		cmocka_unit_test_setup(f72_every_slot_takes_a_vm_and_none_beyond, start),
		cmocka_unit_test_setup(
			f73_a_slot_in_use_takes_no_second_vm_and_an_empty_one_no_call, start),
		cmocka_unit_test_setup(f74_a_vm_configuration_that_contradicts_itself_is_refused,
				       start),
		cmocka_unit_test_setup(f47_reservations_beyond_the_pool_are_refused_to_the_page,
				       start),
		cmocka_unit_test(add_gives_the_boot_size_as_far_as_memory_goes),
		cmocka_unit_test_setup(
			f46_a_vm_added_while_others_wait_gets_its_memory_from_the_next_plans,
			start),
		cmocka_unit_test(f43_f44_a_vm_removed_in_any_phase_gives_its_pages_back_once),
		cmocka_unit_test_setup(
			f44_memory_for_a_vm_that_has_gone_goes_to_the_next_that_waits, start),
		cmocka_unit_test(f45_a_restarted_vm_is_charged_its_boot_size_and_has_no_history),
		cmocka_unit_test_setup(
			f48_a_vm_restored_elsewhere_starts_with_a_base_line_and_is_asked_anew,
			start),
		cmocka_unit_test_setup(f76_limits_that_change_in_flight_are_kept_step_by_step,
				       start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
