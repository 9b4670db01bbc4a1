/* SPDX-License-Identifier: MIT */
/* port/common/port_kit.c: notices that come before their page, pages with a past, the stopwatch. */
#include "support.h"

#include "port_kit.h"

static const struct poise_notice notice = {.epoch = 7, .target_pages = 4096};

static void a_notice_waits_for_its_page(void **state)
{
	struct port_notice kept = {0};
	struct poise_host_writer writer = {0};
	struct poise_host_page page = {0};

	(void)state;
	assert_false(port_notice_write(&kept, &page, &writer));
	assert_int_equal(page.head.seq, 0);
	port_notice_keep(&kept, &notice);
	assert_false(port_notice_write(&kept, NULL, &writer));
	assert_true(port_notice_write(&kept, &page, &writer));
	assert_int_equal(page.update.body.target_pages, 4096);
	assert_int_equal(page.update.body.epoch, 7);
}

static void a_page_that_somebody_wrote_to_is_noticed_and_goes_on_from_there(void **state)
{
	static const uint32_t found[] = {0, 1, 2, 0x7fffffffu, 0xfffffffeu, 0xffffffffu};
	struct port_notice kept = {0};

	(void)state;
	port_notice_keep(&kept, &notice);
	for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
		struct poise_host_writer writer = {0};
		struct poise_host_page page = {0};

		assert_true(port_notice_write(&kept, &page, &writer));
		assert_false(port_writer_disturbed(&writer, &page));
		if (page.head.seq == found[i]) {
			continue;
		}
		page.head.seq = found[i];
		assert_true(port_writer_disturbed(&writer, &page));
		port_writer_take_over(&writer, &page, 1000);
		assert_int_equal(writer.seq % 2u, 0);
		assert_int_not_equal(writer.seq, found[i]);
		assert_true(port_notice_write(&kept, &page, &writer));
		assert_int_equal(page.head.seq % 2u, 0);
		assert_int_not_equal(page.head.seq, found[i]);
		assert_true(writer.update > 1000);
	}
}

static void updates_never_go_back(void **state)
{
	struct poise_host_writer writer = {.update = 50};
	struct poise_host_page page = {0};

	(void)state;
	port_writer_take_over(&writer, &page, 20);
	assert_int_equal(writer.update, 50);
}

static void relief_is_timed_to_the_first_request_only(void **state)
{
	struct port_relief relief = {0};

	(void)state;
	port_relief_asked(&relief, 5); /* Nobody has called. */
	assert_int_equal(relief.count, 0);
	port_relief_begin(&relief, 10);
	port_relief_asked(&relief, 14);
	port_relief_asked(&relief, 90);
	port_relief_end(&relief);
	port_relief_begin(&relief, 100);
	port_relief_end(&relief); /* Nothing could be done. */
	port_relief_asked(&relief, 200);
	port_relief_begin(&relief, 300);
	port_relief_asked(&relief, 302);
	assert_int_equal(relief.count, 2);
	assert_int_equal(relief.least, 2);
	assert_int_equal(relief.most, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_waits_for_its_page),
		cmocka_unit_test(a_page_that_somebody_wrote_to_is_noticed_and_goes_on_from_there),
		cmocka_unit_test(updates_never_go_back),
		cmocka_unit_test(relief_is_timed_to_the_first_request_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
