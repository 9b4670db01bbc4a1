/* SPDX-License-Identifier: MIT */
/* Working sets from dirty pages: the window, the headroom, and the way through a page into the
 * core's forecast. */
#include "support.h"

#include "working_set.h"

#define TOTAL 1000u

static struct kvm_ws ws;
static struct poise_host_page host __attribute__((aligned(POISE_ABI_PAGE_BYTES)));

static void init(uint32_t window, uint32_t headroom_permille)
{
	const struct kvm_ws_config config = {.window = window,
					     .headroom_permille = headroom_permille};
	assert_int_equal(kvm_ws_init(&ws, &config, 7, TOTAL, &host), 0);
}

static void init_refuses_what_makes_no_sense(void **state)
{
	static const struct {
		uint32_t window, headroom;
		uint64_t boot_id, total;
		int result;
	} rows[] = {
		{0, 0, 1, 1, 0},
		{KVM_WS_WINDOW_MAX, 10000, 1, UINT64_C(1) << 32, 0},
		{KVM_WS_WINDOW_MAX + 1, 0, 1, 1, -1},
		{UINT32_MAX, 0, 1, 1, -1},
		{0, 10001, 1, 1, -1},
		{0, 0, 0, 1, -1},
		{0, 0, 1, 0, -1},
		{0, 0, 1, UINT64_MAX, -1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct kvm_ws_config config = {rows[i].window, rows[i].headroom};
		assert_int_equal(kvm_ws_init(&ws, &config, rows[i].boot_id, rows[i].total, &host),
				 rows[i].result);
	}
	const struct kvm_ws_config config = {0, 0};
	assert_int_equal(kvm_ws_init(&ws, &config, 1, TOTAL, NULL), -1);
}

static void window_rises_at_once_and_falls_late(void **state)
{
	static const struct {
		uint64_t dirty, set;
	} rows[] = {
		{10, 10}, {500, 500}, {20, 500}, {30, 500}, {25, 30},
		{0, 30},  {0, 25},    {0, 0},    {1, 1},    {2000, TOTAL},
	};
	(void)state;
	init(3, 0);
	assert_int_equal(kvm_ws_pages(&ws, TOTAL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(kvm_ws_step(&ws, rows[i].dirty), rows[i].set);
		assert_int_equal(kvm_ws_pages(&ws, TOTAL), rows[i].set);
	}
	/* One interval: the last is what counts. Four by default. */
	init(1, 0);
	assert_int_equal(kvm_ws_step(&ws, 9), 9);
	assert_int_equal(kvm_ws_step(&ws, 3), 3);
	init(0, 0);
	assert_int_equal(kvm_ws_step(&ws, 9), 9);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(kvm_ws_step(&ws, 1), 9);
	}
	assert_int_equal(kvm_ws_step(&ws, 1), 1);
}

static void headroom_rounds_up_and_ends_at_the_size(void **state)
{
	(void)state;
	init(1, 250);
	kvm_ws_step(&ws, 0);
	assert_int_equal(kvm_ws_pages(&ws, TOTAL), 0);
	kvm_ws_step(&ws, 1);
	assert_int_equal(kvm_ws_pages(&ws, TOTAL), 2);
	kvm_ws_step(&ws, 100);
	assert_int_equal(kvm_ws_pages(&ws, TOTAL), 125);
	assert_int_equal(kvm_ws_pages(&ws, 110), 110);
	assert_int_equal(kvm_ws_pages(&ws, 0), 0);
}

static void page_is_one_that_the_core_takes(void **state)
{
	struct poise_sample sample;
	(void)state;
	init(1, 0);
	kvm_ws_step(&ws, 300);
	assert_int_equal(kvm_ws_publish(&ws, 5000, 400), 0);
	assert_int_equal(poise_page_read(&ws.page, TOTAL, &sample), POISE_OK);
	assert_int_equal(sample.boot_id, 7);
	assert_int_equal(sample.features, 0);
	assert_int_equal(sample.body.sample, 1);
	assert_int_equal(sample.body.guest_ms, 5000);
	assert_int_equal(sample.body.total_pages, TOTAL);
	assert_int_equal(sample.body.balloon_pages, 400);
	assert_int_equal(sample.body.active_anon_pages, 300);
	assert_int_equal(sample.body.free_pages, 300);
	/* All of it in use, all but one page in the balloon: the borders that the core checks. */
	kvm_ws_step(&ws, TOTAL + 1);
	assert_int_equal(kvm_ws_publish(&ws, 6000, 0), 0);
	assert_int_equal(poise_page_read(&ws.page, TOTAL, &sample), POISE_OK);
	assert_int_equal(sample.body.active_anon_pages, TOTAL);
	assert_int_equal(kvm_ws_publish(&ws, 7000, TOTAL - 1), 0);
	assert_int_equal(poise_page_read(&ws.page, TOTAL, &sample), POISE_OK);
	assert_int_equal(sample.body.active_anon_pages, 1);
	/* No balloon is as large as its VM: nothing is published. */
	assert_int_equal(kvm_ws_publish(&ws, 8000, TOTAL), -1);
	assert_int_equal(kvm_ws_publish(&ws, 8000, UINT64_MAX), -1);
	assert_int_equal(poise_page_read(&ws.page, TOTAL, &sample), POISE_OK);
	assert_int_equal(sample.body.guest_ms, 7000);
}

/* --- through the core --- */

static enum poise_err resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	(void)ctx;
	(void)vm;
	(void)target_pages;
	(void)epoch;
	return POISE_OK;
}

static enum poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	(void)vm;
	*pages = *(const uint64_t *)ctx;
	return POISE_OK;
}

static void notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static void event(void *ctx, const struct poise_event *e)
{
	(void)ctx;
	(void)e;
}

static void forecast_follows_the_dirty_pages(void **state)
{
	static struct poise p;
	static const struct poise_port port = {
		.resize = resize, .measure = measure, .notify = notify, .event = event};
	const struct poise_config config = {.pool_pages = 2 * TOTAL};
	const struct poise_vm_config limits = {
		.min_pages = 100, .boot_pages = TOTAL, .max_pages = TOTAL};
	static const uint64_t dirty[] = {200, 200, 600};
	uint64_t size = TOTAL;
	(void)state;
	init(1, 0);
	assert_int_equal(poise_init(&p, sizeof(p), &config, &port, &size), POISE_OK);
	assert_int_equal(poise_vm_add(&p, 0, &limits, TOTAL), POISE_OK);
	for (uint64_t i = 0; i < ARRAY_SIZE(dirty); i++) {
		const uint64_t now_ms = 1000 * (i + 1);
		kvm_ws_step(&ws, dirty[i]);
		assert_int_equal(kvm_ws_publish(&ws, now_ms, TOTAL - size), 0);
		assert_int_equal(poise_poll(&p, 0, now_ms, &ws.page), POISE_OK);
	}
	/* Equation (1): 400 more, times alpha = 3/4, the average before was 0. Equation (3): what
	 * is not in the set less a tenth. */
	assert_int_equal(p.vm[0].state, POISE_VM_MANAGED);
	assert_int_equal(p.vm[0].forecast.used_pages, 600);
	assert_int_equal(p.vm[0].forecast.delta_q16, INT64_C(300) << 16);
	assert_int_equal(p.vm[0].forecast.reclaimable_q16, INT64_C(300) << 16);
	/* Quiet again: the core asks for memory back. */
	kvm_ws_step(&ws, 50);
	assert_int_equal(kvm_ws_publish(&ws, 4000, 0), 0);
	assert_int_equal(poise_poll(&p, 0, 4000, &ws.page), POISE_OK);
	assert_true(p.vm[0].forecast.delta_q16 < 0);
	assert_int_equal(p.vm[0].forecast.reclaimable_q16, INT64_C(850) << 16);
	/* The page is checked like any other. */
	((volatile uint8_t *)&ws.page)[0x80] ^= 1;
	assert_int_equal(poise_poll(&p, 0, 5000, &ws.page), POISE_E_CHECKSUM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_refuses_what_makes_no_sense),
		cmocka_unit_test(window_rises_at_once_and_falls_late),
		cmocka_unit_test(headroom_rounds_up_and_ends_at_the_size),
		cmocka_unit_test(page_is_one_that_the_core_takes),
		cmocka_unit_test(forecast_follows_the_dirty_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
