/* SPDX-License-Identifier: MIT */
/* The pool, the tick, polling and urgency; calls from within a call. */
#include "poise_support.h"

#include "publish.h"

/* --- the pool --- */

static void pool_set_refuses_sizes_that_make_no_sense(void **state)
{
	static const struct {
		uint64_t pages;
		enum poise_err err;
	} rows[] = {
		{0, POISE_E_ARG},
		{POISE_PAGES_MAX + 1, POISE_E_ARG},
		{UINT64_MAX, POISE_E_ARG},
		{MIN - 1, POISE_E_INFEASIBLE},
	};
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise before = fake.p;
		assert_refused(&before, rows[i].err, poise_pool_set(&fake.p, rows[i].pages));
	}
}

static void f52_f53_pool_shrinks_and_grows(void **state)
{
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_add(&fake, 1, MIN, BOOT, MAX);
	fake_forget(&fake);
	assert_int_equal(poise_pool_set(&fake.p, 7000), POISE_OK);
	assert_int_equal(fake.p.free_pages, -1000);
	fake_check(&fake);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_POOL, 0, 0);
	assert_non_null(r);
	assert_int_equal(r->a, 7000);
	/* Nothing is given from a debt. */
	vm(0)->goal_pages = MAX;
	poise_resize_settle(&fake.p);
	assert_int_equal(vm(0)->target_pages, BOOT);
	vm(0)->goal_pages = BOOT;
	/* All the way down to the reservations. */
	vm(0)->state = POISE_VM_QUARANTINED;
	vm(1)->state = POISE_VM_QUARANTINED;
	assert_int_equal(poise_pool_set(&fake.p, 2 * MIN), POISE_OK);
	for (unsigned i = 0; i < 12; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(fake.p.free_pages, 0);
	assert_int_equal(fake.vm[0].real_pages, MIN);
	assert_int_equal(fake.vm[1].real_pages, MIN);
	assert_int_equal(poise_pool_set(&fake.p, POOL), POISE_OK);
	for (unsigned i = 0; i < 12; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(fake.vm[0].real_pages, BOOT);
	assert_int_equal(fake.vm[1].real_pages, BOOT);
}

/* F54, F55: a count that fails or is absurd leaves the last one in force. */
static void f54_a_failed_or_absurd_measurement_leaves_the_last_in_force(void **state)
{
	static const enum fake_answer answers[] = {FAKE_ERROR, FAKE_SHORT, FAKE_LATE, FAKE_NEVER};
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		fake_forget(&fake);
		fake.answer[FAKE_MEASURE] = answers[i];
		assert_int_equal(poise_tick(&fake.p, 20000 + i), POISE_OK);
		assert_int_equal(vm(0)->actual_pages, BOOT);
		assert_int_equal(errors(POISE_E_PORT), i + 1);
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_MEASURE, 0, 0);
		assert_non_null(r);
		assert_int_not_equal(r->err, POISE_OK);
		assert_int_equal(r->a, BOOT);
	}
	fake.answer[FAKE_MEASURE] = FAKE_OK;
	fake_forget(&fake);
	fake.vm[0].real_pages = POISE_PAGES_MAX + 1;
	assert_int_equal(poise_tick(&fake.p, 30000), POISE_OK);
	assert_int_equal(vm(0)->actual_pages, BOOT);
	fake.vm[0].real_pages = BOOT;
	fake_forget(&fake);
	assert_int_equal(poise_tick(&fake.p, 31000), POISE_OK);
	assert_null(fake_find(&fake, POISE_EVENT_MEASURE, 0, 0)); /* unchanged: no record */
	fake.vm[0].real_pages = BOOT - 5;
	assert_int_equal(poise_tick(&fake.p, 32000), POISE_OK);
	assert_non_null(fake_find(&fake, POISE_EVENT_MEASURE, 0, 0));
	assert_int_equal(vm(0)->actual_pages, BOOT - 5);
}

/* F55: page tables of a larger VM cost a little more than was asked for. */
static void f55_a_reserve_that_is_eaten_into_makes_no_storm_of_requests(void **state)
{
	(void)state;
	fake_start_pool(&fake, 8000);
	fake_add(&fake, 0, MIN, BOOT, 8000);
	fake_add(&fake, 1, MIN, 3900, 8000);
	fake_forget(&fake);
	fake.vm[0].real_pages = BOOT + 50; /* of the reserve of 128, 100 were free */
	for (unsigned i = 0; i < 20; i++) {
		fake_tick(&fake);
		assert_int_equal(fake.p.free_pages, 50);
	}
	/* After a window its target is what it has, and that was all. */
	assert_int_equal(vm(0)->target_pages, BOOT + 50);
	assert_int_equal(fake.calls[FAKE_RESIZE], 1);
}

/* F40: the guest says that its balloon grows; the hypervisor has not got a page of it. */
static void f40_a_balloon_that_frees_nothing_frees_nothing_in_the_books(void **state)
{
	struct poise_guest_update idle = support_update(MAX);
	(void)state;
	fake_start_pool(&fake, 9000);
	fake_add(&fake, 0, MIN, BOOT, 9000);
	fake_add(&fake, 1, MIN, 5000, 9000);
	fake_manage(&fake, 0, &idle);
	vm(1)->goal_pages = 8000;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	poise_resize_ask(&fake.p, &fake.p.vm[0], 2000, POISE_RULE_NONE);
	for (unsigned i = 0; i < 12; i++) {
		idle.body.balloon_pages = MAX - vm(0)->target_pages;
		idle.body.free_pages = vm(0)->target_pages / 2;
		idle.body.active_file_pages = 0;
		idle.body.inactive_file_pages = 0;
		idle.body.active_anon_pages = 0;
		idle.body.inactive_anon_pages = 0;
		idle.body.available_pages = 0;
		assert_int_equal(fake_report(&fake, 0, &idle), POISE_OK);
		fake_tick(&fake);
		/* Not a page of it is given to the one that waits. */
		assert_int_equal(poise_vm_charge(vm(0)), BOOT);
		assert_int_equal(vm(1)->target_pages, 5000);
	}
	assert_true(vm(0)->backoff_exponent >= 1);
	assert_true(errors(POISE_E_LOST) >= 1);
}

/* --- F70: calls from within a call --- */

static struct poise *inner;
static unsigned inner_refused;

static void call_back(void)
{
	const struct poise_sample sample = {0};
	inner_refused += poise_tick(inner, 1) == POISE_E_STATE;
	inner_refused += poise_vm_add(inner, 1, &good, 0) == POISE_E_STATE;
	inner_refused += poise_vm_set(inner, 0, &good) == POISE_E_STATE;
	inner_refused += poise_vm_remove(inner, 0) == POISE_E_STATE;
	inner_refused += poise_vm_restart(inner, 0, 0) == POISE_E_STATE;
	inner_refused += poise_pool_set(inner, POOL) == POISE_E_STATE;
	inner_refused += poise_poll(inner, 0, 0, NULL) == POISE_E_STATE;
	inner_refused += poise_report(inner, 0, 0, &sample) == POISE_E_STATE;
	inner_refused += poise_report_error(inner, 0, 0, POISE_E_TORN) == POISE_E_STATE;
	inner_refused += poise_urgent(inner, 0, 0) == POISE_E_STATE;
	inner_refused += poise_ack(inner, 0, 1, 1, 1) == POISE_E_STATE;
}
static enum poise_err reentrant_resize(void *ctx, uint32_t at, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)at;
	(void)target;
	(void)epoch;
	call_back();
	return POISE_OK;
}
static enum poise_err reentrant_measure(void *ctx, uint32_t at, uint64_t *pages)
{
	(void)ctx;
	(void)at;
	(void)pages;
	call_back();
	return POISE_OK;
}
static void reentrant_notify(void *ctx, uint32_t at, const struct poise_notice *notice)
{
	(void)ctx;
	(void)at;
	(void)notice;
	call_back();
}

static void f70_a_call_from_within_a_port_call_is_refused(void **state)
{
	static const struct poise_config config = {.pool_pages = POOL};
	struct poise_port port = fake_port;
	(void)state;
	port.resize = reentrant_resize;
	port.measure = reentrant_measure;
	port.notify = reentrant_notify;
	assert_int_equal(poise_init(&fake.p, sizeof(fake.p), &config, &port, &fake), POISE_OK);
	inner = &fake.p;
	inner_refused = 0;
	assert_int_equal(poise_vm_add(&fake.p, 0, &good, 0), POISE_OK); /* resize and notify */
	assert_int_equal(inner_refused, 22);
	assert_int_equal(errors(POISE_E_STATE), 22);
	assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK); /* measure */
	assert_int_equal(inner_refused, 33);
	assert_int_equal(fake.p.now_ms, 1000);
	assert_int_equal(vm(0)->target_pages, BOOT);
	assert_int_equal(poise_check(&fake.p), 0);
	/* From another CPU, in the midst of it all: the flag is what counts. */
	fake.p.busy = 1;
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_STATE, poise_tick(&fake.p, 2000));
	assert_true((poise_check(&fake.p) & POISE_CHECK_CONTEXT) != 0);
	fake.p.busy = 0;
}

/* --- the tick --- */

static void f67_f68_ticks_too_early_or_late_make_no_catch_up(void **state)
{
	static const uint64_t gaps[] = {0,    0,     1,       500,  1500, 10000,
					1000, 10000, 1000000, 1000, 0,    UINT64_C(1) << 40};
	(void)state;
	fake_add(&fake, 0, MIN, MAX, MAX);
	vm(0)->config.boot_pages = MIN;
	vm(0)->state = POISE_VM_QUARANTINED;
	vm(0)->goal_pages = MAX;
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		const uint64_t before = vm(0)->target_pages;
		fake.now_ms += gaps[i];
		fake_step(&fake);
		assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
		fake_check(&fake);
		/* Half a VM a second, over two seconds at most; and three quarters of what is idle.
		 */
		const uint64_t seconds_ms = gaps[i] < 2000 ? gaps[i] : 2000;
		const uint64_t slewed = before - before * seconds_ms / 2000;
		assert_true(vm(0)->target_pages >= (slewed > MIN ? slewed : MIN));
		if (gaps[i] == 0 && i > 0) {
			assert_int_equal(vm(0)->target_pages, before);
		}
	}
}

static void f69_a_clock_at_its_end_is_survived(void **state)
{
	static const uint64_t times[] = {UINT32_MAX - 1,
					 UINT64_C(1) << 32,
					 (UINT64_C(1) << 32) + 1000,
					 5,
					 UINT64_MAX - 1000,
					 UINT64_MAX,
					 0,
					 UINT64_MAX};
	uint64_t latest = 0;
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		assert_int_equal(poise_tick(&fake.p, times[i]), POISE_OK);
		latest = times[i] > latest ? times[i] : latest;
		assert_int_equal(fake.p.now_ms, latest);
		fake_check(&fake);
	}
}

static void notify_only_what_is_new(void **state)
{
	struct poise_guest_update update = support_update(MAX);
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	assert_int_equal(fake.calls[FAKE_NOTIFY], 1);
	assert_int_equal(fake.vm[0].notice.state, POISE_VM_UNMANAGED);
	assert_int_equal(fake.vm[0].notice.interval_ms, 1000);
	fake_tick(&fake);
	assert_int_equal(fake.calls[FAKE_NOTIFY], 1);
	fake_manage(&fake, 0, &update);
	assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	assert_int_equal(fake.calls[FAKE_NOTIFY], 2);
	assert_int_equal(fake.vm[0].notice.state, POISE_VM_MANAGED);
	assert_int_equal(fake.vm[0].notice.boot_id, update.boot_id);
}

/* --- polling and urgency --- */

static _Alignas(4096) struct poise_guest_page page;
static _Alignas(4096) struct poise_host_page host_page;

static void poll_reads_reports_and_hears_the_urgent_word(void **state)
{
	struct gd gd;
	struct poise_abi_guest counters = {.free_pages = 10, .inactive_anon_pages = 3000};
	(void)state;
	memset(&page, 0, sizeof(page));
	assert_int_equal(
		gd_init(&gd, &page, &host_page, 1, MAX, POISE_GF_ANON_INACTIVE | POISE_GF_URGENT),
		0);
	counters.balloon_pages = MAX - BOOT;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_forget(&fake);
	assert_int_equal(poise_poll(&fake.p, 0, 10000, &page), POISE_E_MAGIC);
	assert_int_equal(errors(POISE_E_MAGIC), 1);
	gd_publish(&gd, &counters);
	assert_int_equal(poise_poll(&fake.p, 0, 11000, &page), POISE_OK);
	assert_int_equal(poise_poll(&fake.p, 0, 11500, &page), POISE_E_STALE);
	assert_int_equal(poise_poll(&fake.p, 0, 11600, NULL), POISE_E_UNMAPPED);
	/* Raised too early: not managed. Counted, and the word is not looked at twice. */
	assert_int_equal(gd_urgent(&gd, 0, 0), 1);
	gd_publish(&gd, &counters);
	assert_int_equal(poise_poll(&fake.p, 0, 12000, &page), POISE_OK);
	assert_int_equal(errors(POISE_E_STATE), 1);
	gd_publish(&gd, &counters);
	assert_int_equal(poise_poll(&fake.p, 0, 13000, &page), POISE_OK);
	assert_int_equal(errors(POISE_E_STATE), 1);
	assert_int_equal(vm(0)->state, POISE_VM_MANAGED);
	assert_null(fake_find(&fake, POISE_EVENT_URGENT, 0, 0));
	/* Raised in time: an early tick with the numbers that were published before it. */
	counters.swap_used_pages = 2000;
	counters.inactive_anon_pages = 3980;
	gd_publish(&gd, &counters);
	assert_int_equal(gd_urgent(&gd, 1, 0), 1);
	assert_int_equal(poise_poll(&fake.p, 0, 14000, &page), POISE_OK);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_URGENT, 0, 0);
	assert_non_null(r);
	assert_int_equal(r->a, 1);
	assert_true(vm(0)->target_pages > BOOT);
	assert_int_equal(vm(0)->urgent, 0);
	/* The word counts even if the sample does not. */
	assert_int_equal(gd_urgent(&gd, 2, 0), 1);
	assert_int_equal(poise_poll(&fake.p, 0, 14500, &page), POISE_E_STALE);
	assert_non_null(fake_find(&fake, POISE_EVENT_URGENT, 0, 1));
	fake_check(&fake);
}

/* Makes a managed VM that is short of memory, or one that could help itself. */
static void managed(bool needy)
{
	struct poise_guest_update update = support_update(MAX);
	(void)start(NULL);
	fake_add(&fake, 0, MIN, BOOT, MAX);
	update.body.balloon_pages = MAX - BOOT;
	update.body.available_pages = 0;
	update.body.active_file_pages = 0;
	update.body.active_anon_pages = 0;
	update.body.free_pages = needy ? 0 : 2000;
	update.body.inactive_file_pages = 0;
	update.body.inactive_anon_pages = needy ? 4000 : 500;
	fake_manage(&fake, 0, &update);
	fake_forget(&fake);
}

static void f27_urgent_is_rate_limited(void **state)
{
	static const struct {
		uint64_t after_ms;
		enum poise_err err;
	} rows[] = {
		{0, POISE_OK},      {0, POISE_E_BUSY},  {99, POISE_E_BUSY}, {1, POISE_OK},
		{50, POISE_E_BUSY}, {49, POISE_E_BUSY}, {2, POISE_OK},      {1000, POISE_OK},
	};
	uint64_t early = 0;
	uint64_t busy = 0;
	(void)state;
	managed(true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake.now_ms += rows[i].after_ms;
		assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), rows[i].err);
		early += rows[i].err == POISE_OK;
		busy += rows[i].err == POISE_E_BUSY;
		assert_int_equal(errors(POISE_E_BUSY), busy);
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_URGENT, 0, (uint32_t)i);
		assert_non_null(r);
		assert_int_equal(r->a, rows[i].err == POISE_OK);
	}
	assert_int_equal(early, 4);
}

/* A million doorbells in a second: as many early ticks as gaps, whatever the load. */
static void f27_a_storm_makes_one_plan_a_gap(void **state)
{
	(void)state;
	managed(true);
	unsigned early = 0;
	for (unsigned i = 0; i < 100000; i++) {
		early += poise_urgent(&fake.p, 0, fake.now_ms + i / 100) == POISE_OK;
	}
	assert_int_equal(early, 10);
	assert_int_equal(errors(POISE_E_BUSY), 100000 - 10);
}

/* F29: asking without need makes the next wait twice as long, up to a second. */
static void f29_needless_requests_wait_longer(void **state)
{
	static const uint32_t gaps[] = {200, 400, 800, 1000, 1000};
	(void)state;
	managed(false);
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), POISE_OK);
		assert_int_equal(vm(0)->urgent_gap, gaps[i]);
		assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms + gaps[i] - 1), POISE_E_BUSY);
		fake.now_ms += gaps[i];
	}
	/* One with need is back at the beginning. */
	vm(0)->forecast.reclaimable_q16 = -1;
	assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), POISE_OK);
	assert_int_equal(vm(0)->urgent_gap, 100);
	/* A gap that is longer than a second by configuration does not shrink. */
	managed(false);
	fake.p.config.urgent_gap_ms = 5000;
	vm(0)->urgent_gap = 5000;
	assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), POISE_OK);
	assert_int_equal(vm(0)->urgent_gap, 5000);
}

static void f28_a_doorbell_of_a_vm_that_is_absent_or_not_managed_is_refused(void **state)
{
	static const uint32_t states[] = {POISE_VM_UNMANAGED, POISE_VM_STALE, POISE_VM_FROZEN,
					  POISE_VM_QUARANTINED};
	(void)state;
	assert_int_equal(poise_urgent(&fake.p, 0, 1), POISE_E_NOT_FOUND);
	assert_int_equal(poise_urgent(&fake.p, POISE_VM_MAX, 1), POISE_E_ARG);
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		vm(0)->state = states[i];
		fake_forget(&fake);
		assert_int_equal(poise_urgent(&fake.p, 0, 100000), POISE_E_STATE);
		assert_int_equal(errors(POISE_E_STATE), i + 1);
		assert_null(fake_find(&fake, POISE_EVENT_URGENT, 0, 0));
		assert_int_equal(fake.calls[FAKE_RESIZE], 0);
	}
	vm(0)->state = POISE_VM_UNMANAGED;
	assert_int_equal(poise_vm_remove(&fake.p, 0), POISE_OK);
	assert_int_equal(poise_urgent(&fake.p, 0, 100000), POISE_E_NOT_FOUND);
}

/* At the very first millisecond, too: time 0 is no "never". */
static void an_urgent_call_in_the_first_millisecond_is_served(void **state)
{
	(void)state;
	managed(true);
	fake.p.now_ms = 0;
	vm(0)->sample_ms = 0;
	assert_int_equal(poise_urgent(&fake.p, 0, 0), POISE_OK);
	assert_int_equal(poise_urgent(&fake.p, 0, 0), POISE_E_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pool_set_refuses_sizes_that_make_no_sense, start),
		cmocka_unit_test_setup(f52_f53_pool_shrinks_and_grows, start),
		cmocka_unit_test_setup(f54_a_failed_or_absurd_measurement_leaves_the_last_in_force,
				       start),
		cmocka_unit_test(f55_a_reserve_that_is_eaten_into_makes_no_storm_of_requests),
		cmocka_unit_test(f40_a_balloon_that_frees_nothing_frees_nothing_in_the_books),
		cmocka_unit_test_setup(f70_a_call_from_within_a_port_call_is_refused, start),
		cmocka_unit_test_setup(f67_f68_ticks_too_early_or_late_make_no_catch_up, start),
		cmocka_unit_test_setup(f69_a_clock_at_its_end_is_survived, start),
		cmocka_unit_test_setup(notify_only_what_is_new, start),
		cmocka_unit_test_setup(poll_reads_reports_and_hears_the_urgent_word, start),
		cmocka_unit_test(f27_urgent_is_rate_limited),
		cmocka_unit_test(f27_a_storm_makes_one_plan_a_gap),
		cmocka_unit_test(f29_needless_requests_wait_longer),
		cmocka_unit_test_setup(
			f28_a_doorbell_of_a_vm_that_is_absent_or_not_managed_is_refused, start),
		cmocka_unit_test(an_urgent_call_in_the_first_millisecond_is_served),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
