/* SPDX-License-Identifier: MIT */
/* Baseline B11: requests with priorities, and what sends them. */
#include "sim_bench.h"

#include "loop.h"
#include "policy/vmmms.h"

/* --- B11: who may move a balloon --- */

static void vmmms_a_request_blocks_the_opposite_for_a_time(void **state)
{
	struct vmmms_blocker b = {0};

	(void)state;
	assert_true(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_CACHED_APP, 1000));
	assert_false(vmmms_request(&b, VMMMS_INFLATE, VMMMS_CACHED_APP, 100999));
	b = (struct vmmms_blocker){0};
	assert_true(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_CACHED_APP, 1000));
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_CACHED_APP, 101000));
	b = (struct vmmms_blocker){0};
	assert_true(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_PERCEPTIBLE_APP, 1000));
	assert_false(vmmms_request(&b, VMMMS_INFLATE, VMMMS_STALE_CACHED_APP, 10999));
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_STALE_CACHED_APP, 11000));
	/* Nor does it block its own direction. */
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_STALE_CACHED_APP, 11000));
}

static void vmmms_a_block_is_beaten_by_one_level_at_a_time(void **state)
{
	struct vmmms_blocker b = {0};

	(void)state;
	assert_true(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_CACHED_APP, 0));
	/* Counts as one level above cached apps, so the guest needs but one more. */
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_NO_KILL_CANDIDATES_HOST, 0));
	assert_false(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_AGGRESSIVE_BALLOON, 0));
	assert_true(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_CACHED_TAB, 0));
}

static void vmmms_refused_requests_block_too_and_reclaim_by_age_never(void **state)
{
	struct vmmms_blocker b = {0};

	(void)state;
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_FOCUSED_APP, 0));
	assert_false(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_CACHED_APP, 0));
	assert_false(vmmms_request(&b, VMMMS_INFLATE, VMMMS_CACHED_APP, 0));
	b = (struct vmmms_blocker){0};
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_MGLRU_RECLAIM, 0));
	assert_true(vmmms_request(&b, VMMMS_DEFLATE, VMMMS_MGLRU_RECLAIM, 0));
	assert_true(vmmms_request(&b, VMMMS_INFLATE, VMMMS_MGLRU_RECLAIM, 0));
}

/* --- B11: the service --- */

#define FRAMES 64u

static struct sim_host host;
static uint8_t flags[2][FRAMES];

/* Two VMs of 1024 MiB, all theirs; in half of a second one was focused, so that boot is over. */
static void vmmms_start(struct bench *b)
{
	memset(&host, 0, sizeof(host));
	memset(flags, 0, sizeof(flags));
	bench_start(b, 4096);
	for (uint32_t i = 0; i < 2; i++) {
		bench_vm(b, 0, 1024, 1024);
		host.guest[i].probe = flags[i];
		host.guest[i].mm.page_count = FRAMES;
	}
	b->view.host = &host;
	bench_policy(b, "vmmms", "");
}

static void steps(struct bench *b, uint32_t count)
{
	while (count-- > 0) {
		bench_step(b);
	}
}

static void vmmms_takes_after_boot_until_somebody_complains(void **state)
{
	struct bench b;

	(void)state;
	vmmms_start(&b);
	steps(&b, 3);
	assert_int_equal(b.vm[0].target_pages, MIB(904));
	bench_follow(&b, NULL);
	b.vm[0].stall_ms += 400;
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(1004)); /* 100 more than it has */
	assert_int_equal(b.vm[1].target_pages, MIB(864));
	steps(&b, 2);
	assert_int_equal(b.vm[0].target_pages, MIB(1004));
	assert_int_equal(b.vm[1].target_pages, MIB(784));
	bench_stop(&b);
}

static void vmmms_answers_a_stalled_guest_not_oftener_than_it_may_ask(void **state)
{
	static const struct {
		uint64_t stall_ms;
		uint32_t answers; /* in 1.8 s, while the stall is in the window */
	} rows[] = {{199, 0}, {200, 1}, {399, 1}, {400, 1}, {600, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		uint32_t answers = 0;

		vmmms_start(&b);
		bench_resize(&b, &b.vm[0], MIB(500));
		b.vm[0].stats.sample = 0; /* no boot */
		b.vm[0].target_pages = MIB(500);
		b.vm[0].stall_ms = rows[i].stall_ms;
		for (uint32_t k = 0; k < 9; k++) {
			b.vm[0].target_pages = MIB(500);
			bench_step(&b);
			answers += b.vm[0].target_pages == MIB(600) ? 1u : 0u;
		}
		assert_int_equal(answers, rows[i].answers);
		bench_stop(&b);
	}
}

static void vmmms_a_short_host_takes_from_all_and_a_stuck_balloon_is_let_go(void **state)
{
	struct bench b;

	(void)state;
	vmmms_start(&b);
	b.vm[0].stall_ms = 700;
	b.vm[1].stall_ms = 700;
	steps(&b, 4);
	assert_int_equal(b.vm[0].target_pages, MIB(1024)); /* at its limit, boot refused */
	b.view.free_pages = MIB(200);
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(960)); /* 128 shared by two */
	assert_int_equal(b.vm[1].target_pages, MIB(960));
	b.view.free_pages = MIB(2048);
	bench_resize(&b, &b.vm[1], MIB(960));
	steps(&b, 20);
	assert_int_equal(b.vm[0].target_pages, MIB(1024)); /* has not moved for 4 s */
	assert_int_equal(b.vm[1].target_pages, MIB(960));
	bench_stop(&b);
}

static void vmmms_takes_file_pages_older_than_anybodys_oldest(void **state)
{
	struct bench b;

	(void)state;
	vmmms_start(&b);
	for (uint32_t i = 0; i < 2; i++) {
		b.vm[i].stall_ms = 400; /* asks once: boot is over, no block of 100 s */
		b.vm[i].stats.inactive_file_pages = MIB(300);
		b.vm[i].stats.active_anon_pages = MIB(724);
	}
	steps(&b, 149);
	assert_int_equal(b.vm[1].target_pages, MIB(1024));
	for (uint32_t i = 0; i < FRAMES; i++) {
		flags[0][i] = SIM_ACCESSED;
	}
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(1024));
	assert_int_equal(b.vm[1].target_pages, MIB(724));
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmmms_a_request_blocks_the_opposite_for_a_time),
		cmocka_unit_test(vmmms_a_block_is_beaten_by_one_level_at_a_time),
		cmocka_unit_test(vmmms_refused_requests_block_too_and_reclaim_by_age_never),
		cmocka_unit_test(vmmms_takes_after_boot_until_somebody_complains),
		cmocka_unit_test(vmmms_answers_a_stalled_guest_not_oftener_than_it_may_ask),
		cmocka_unit_test(vmmms_a_short_host_takes_from_all_and_a_stuck_balloon_is_let_go),
		cmocka_unit_test(vmmms_takes_file_pages_older_than_anybodys_oldest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
