/* SPDX-License-Identifier: MIT */
/* Stage 7: answers. The measured size counts; an answer to an older request does not. */
#include "support.h"

#include "internal.h"

#define A    0u
#define B    (POISE_VM_MAX - 1u)
#define MIN  1000u
#define BOOT 4000u
#define MAX  9000u
#define POOL 10000u

static struct fake fake;

static struct poise_vm *vm(uint32_t at)
{
	return &fake.p.vm[at];
}

static int start(void **state)
{
	const struct poise_config config = {.pool_pages = POOL, .policy = POISE_POLICY_STATIC};
	(void)state;
	fake_start(&fake, &config);
	fake_add(&fake, A, MIN, BOOT, MAX);
	fake_add(&fake, B, MIN, BOOT, MAX);
	vm(A)->config.boot_pages = MIN;
	vm(B)->config.boot_pages = MIN;
	fake.now_ms = 1000;
	assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK);
	fake_forget(&fake);
	return 0;
}

/* Asks for a size without the fake machine moving by itself. */
static uint64_t ask(uint32_t at, uint64_t target)
{
	vm(at)->goal_pages = target;
	poise_resize_ask(&fake.p, &fake.p.vm[at], target, POISE_RULE_NONE);
	return vm(at)->epoch;
}

/* The VM is measured at `pages`, and says so. */
static enum poise_err ack(uint32_t at, uint64_t epoch, uint64_t pages)
{
	fake.vm[at].real_pages = pages;
	const enum poise_err err = poise_ack(&fake.p, at, epoch, pages, fake.now_ms);
	fake_check(&fake);
	return err;
}

static void an_answer_with_wrong_arguments_changes_nothing(void **state)
{
	static const struct {
		uint32_t slot;
		uint64_t pages;
		enum poise_err err;
	} rows[] = {
		{POISE_VM_MAX, 1, POISE_E_ARG}, {UINT32_MAX, 1, POISE_E_ARG},
		{A + 1, 1, POISE_E_NOT_FOUND},  {A, POISE_PAGES_MAX + 1, POISE_E_ARG},
		{A, UINT64_MAX, POISE_E_ARG},
	};
	struct poise before;
	(void)state;
	const uint64_t epoch = ask(A, 5000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		before = fake.p;
		before.errors[-(int)rows[i].err]++;
		assert_int_equal(poise_ack(&fake.p, rows[i].slot, epoch, rows[i].pages, UINT64_MAX),
				 rows[i].err);
		assert_memory_equal(&before, &fake.p, sizeof(before));
	}
	assert_int_equal(poise_ack(NULL, A, epoch, 1, 0), POISE_E_ARG);
	fake.p.magic = 0;
	assert_int_equal(poise_ack(&fake.p, A, epoch, 1, 0), POISE_E_CONTEXT);
}

/* F37: answers that belong to nothing: counted, recorded, and nothing else happens. */
static void f37_an_answer_without_a_request_is_counted_and_dropped(void **state)
{
	(void)state;
	const uint64_t epoch = ask(A, 5000);
	const struct {
		uint32_t at;
		uint64_t epoch;
	} rows[] = {
		{A, 0},          /* never asked */
		{A, epoch + 10}, /* not yet asked */
		{A, UINT64_MAX}, /* nonsense */
		{B, epoch},      /* another VM's */
		{A, epoch - 1},  /* the one before */
		{A, epoch + 1},  /* the one after */
	};
	fake_forget(&fake);
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct poise before = fake.p;
		before.errors[-POISE_E_LOST]++;
		assert_int_equal(poise_ack(&fake.p, rows[i].at, rows[i].epoch, 1234, 1000),
				 POISE_E_LOST);
		assert_memory_equal(&before, &fake.p, sizeof(before));
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_ACK, rows[i].at,
							rows[i].at == B ? 0 : i - (i > 3));
		assert_non_null(r);
		assert_int_equal(r->err, POISE_E_LOST);
		assert_int_equal(r->a, rows[i].epoch);
		assert_int_equal(r->b, 1234);
	}
	assert_null(fake_find(&fake, POISE_EVENT_RESIZE, UINT32_MAX, 0));
}

static void f34_a_part_is_progress(void **state)
{
	(void)state;
	const uint64_t epoch = ask(A, 2000);
	assert_int_equal(ack(A, epoch, 3260), POISE_OK); /* 37 % */
	assert_int_equal(vm(A)->actual_pages, 3260);
	assert_int_equal(vm(A)->target_pages, 2000);
	assert_int_equal(vm(A)->epoch, epoch);
	assert_int_equal(fake.p.free_pages, 2740);
	assert_int_equal(ack(A, epoch, 2000), POISE_OK);
	assert_int_equal(fake.p.free_pages, 4000);
	assert_int_equal(vm(A)->epoch, epoch);
}

static void f34_memory_that_came_free_goes_to_those_who_wait(void **state)
{
	(void)state;
	ask(B, 6000); /* all that is free */
	vm(B)->goal_pages = 8000;
	const uint64_t epoch = ask(A, 2000);
	assert_int_equal(fake.p.free_pages, 0);
	assert_int_equal(ack(A, epoch, 3000), POISE_OK);
	assert_int_equal(vm(B)->target_pages, 7000);
	assert_int_equal(ack(A, epoch, 2000), POISE_OK);
	assert_int_equal(vm(B)->target_pages, 8000);
	assert_int_equal(fake.p.free_pages, 0);
	/* And the guest has been told. */
	assert_int_equal(fake.vm[B].notice.target_pages, 8000);
	assert_int_equal(fake.vm[B].notice.epoch, vm(B)->epoch);
}

/* F36: late, after the time-out and a new plan: dropped; the next measurement brings the truth. */
static void f36_late_answer_grants_nothing_twice(void **state)
{
	(void)state;
	const uint64_t epoch = ask(A, 2000);
	for (unsigned i = 0; i < 3; i++) {
		fake.now_ms += 1000;
		assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	}
	assert_true(vm(A)->epoch > epoch);
	const int64_t free_pages = fake.p.free_pages;
	const uint64_t target = vm(A)->target_pages;
	fake.vm[A].epoch = 0;
	assert_int_equal(ack(A, epoch, 2000), POISE_E_LOST);
	assert_int_equal(fake.p.free_pages, free_pages);
	assert_int_equal(vm(A)->actual_pages, 4000);
	assert_int_equal(poise_tick(&fake.p, fake.now_ms + 1000), POISE_OK);
	assert_int_equal(vm(A)->actual_pages, 2000);
	/* Its target stands, and so does its charge: nothing was released. */
	assert_int_equal(vm(A)->target_pages, target);
	assert_int_equal(fake.p.free_pages, free_pages);
	fake_check(&fake);
}

static void f37_duplicate_answers_change_nothing(void **state)
{
	(void)state;
	const uint64_t epoch = ask(A, 2000);
	assert_int_equal(ack(A, epoch, 2000), POISE_OK);
	fake_forget(&fake);
	struct poise before = fake.p;
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(ack(A, epoch, 2000), POISE_OK);
	}
	assert_memory_equal(&before, &fake.p, sizeof(before));
	assert_null(fake_find(&fake, POISE_EVENT_RESIZE, UINT32_MAX, 0));
}

/* F38: what was given beyond the request is free, and the target is what is there. */
static void f38_what_a_vm_shrank_too_far_is_free_and_becomes_its_target(void **state)
{
	static const struct {
		uint64_t target, pages, new_target, charge;
		bool asked;
	} rows[] = {
		{3000, 2500, 2500, 2500, true},
		{3000, 1000, 1000, 1000, true},  /* down to the reservation */
		{3000, 999, 3000, 3000, false},  /* below it: it gets back what is its own */
		{3000, 0, 3000, 3000, false},    /* as good as gone: charged still */
		{3000, 3000, 3000, 3000, false}, /* as asked */
		{3000, 3500, 3000, 3500, false}, /* on its way */
		{5000, 3500, 5000, 5000, false}, /* was to grow, and shrank: charged still */
		{3000, 6000, 3000, 6000, false}, /* grew instead */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)start(NULL);
		const uint64_t epoch = ask(A, rows[i].target);
		assert_int_equal(ack(A, epoch, rows[i].pages), POISE_OK);
		assert_int_equal(vm(A)->target_pages, rows[i].new_target);
		/* Until it has the new request it may go back to the old one. */
		assert_true(poise_vm_charge(vm(A)) >= rows[i].target);
		assert_int_equal(vm(A)->epoch != epoch, rows[i].asked);
		assert_int_equal(vm(A)->goal_pages, rows[i].asked ? rows[i].pages : rows[i].target);
	}
}

/* The limit was lowered meanwhile: what an answer shows may be above it, a goal may not. */
static void f38_f76_a_goal_after_shrinking_too_far_stays_below_a_lowered_limit(void **state)
{
	struct poise_vm_config config = vm(A)->config;
	(void)state;
	const uint64_t epoch = ask(A, 3500);
	config.max_pages = 3000;
	assert_int_equal(poise_vm_set(&fake.p, A, &config), POISE_OK);
	assert_int_equal(ack(A, epoch, 3200), POISE_OK);
	assert_true(vm(A)->goal_pages <= 3000);
}

/* F39: more than asked is charged on the spot, if need be as a debt. */
static void f39_more_than_asked_is_charged_at_once(void **state)
{
	(void)state;
	const uint64_t epoch = ask(A, 5000);
	fake.vm[A].real_pages = 8000;
	assert_int_equal(ack(A, epoch, 8000), POISE_OK);
	assert_int_equal(poise_vm_charge(vm(A)), 8000);
	assert_int_equal(fake.p.free_pages, -2000);
	assert_int_equal(vm(A)->target_pages, 5000);
}

static void f43_answers_of_a_removed_vm_do_not_reach_the_next_one(void **state)
{
	const struct poise_vm_config config = {.min_pages = MIN, .max_pages = MAX};
	(void)state;
	const uint64_t epoch = ask(A, 6000);
	assert_int_equal(poise_vm_remove(&fake.p, A), POISE_OK);
	assert_int_equal(fake.p.free_pages, 6000);
	assert_int_equal(poise_ack(&fake.p, A, epoch, 6000, 0), POISE_E_NOT_FOUND);
	assert_int_equal(poise_vm_add(&fake.p, A, &config, MIN), POISE_OK);
	fake.vm[A].real_pages = MIN;
	assert_int_equal(poise_ack(&fake.p, A, epoch, 6000, 0), POISE_E_LOST);
	assert_int_equal(poise_ack(&fake.p, A, 0, 6000, 0), POISE_E_LOST);
	assert_int_equal(vm(A)->actual_pages, MIN);
	/* Also when the new one has been asked for something. */
	ask(A, 2000);
	assert_true(vm(A)->epoch > epoch);
	assert_int_equal(poise_ack(&fake.p, A, epoch, 6000, 0), POISE_E_LOST);
	assert_int_equal(vm(A)->actual_pages, MIN);
	assert_int_equal(fake.p.free_pages, 4000);
	fake_check(&fake);
}

static void an_answer_moves_the_clock_but_never_back(void **state)
{
	(void)state;
	const uint64_t epoch = ask(A, 5000);
	assert_int_equal(poise_ack(&fake.p, A, epoch, 4500, 7777), POISE_OK);
	assert_int_equal(fake.p.now_ms, 7777);
	assert_int_equal(poise_ack(&fake.p, A, epoch, 4600, 5), POISE_OK);
	assert_int_equal(fake.p.now_ms, 7777);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_answer_with_wrong_arguments_changes_nothing, start),
		cmocka_unit_test_setup(f37_an_answer_without_a_request_is_counted_and_dropped,
				       start),
		cmocka_unit_test_setup(f34_a_part_is_progress, start),
		cmocka_unit_test_setup(f34_memory_that_came_free_goes_to_those_who_wait, start),
		cmocka_unit_test_setup(f36_late_answer_grants_nothing_twice, start),
		cmocka_unit_test_setup(f37_duplicate_answers_change_nothing, start),
		cmocka_unit_test(f38_what_a_vm_shrank_too_far_is_free_and_becomes_its_target),
		cmocka_unit_test_setup(
			f38_f76_a_goal_after_shrinking_too_far_stays_below_a_lowered_limit, start),
		cmocka_unit_test_setup(f39_more_than_asked_is_charged_at_once, start),
		cmocka_unit_test_setup(f43_answers_of_a_removed_vm_do_not_reach_the_next_one,
				       start),
		cmocka_unit_test_setup(an_answer_moves_the_clock_but_never_back, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
