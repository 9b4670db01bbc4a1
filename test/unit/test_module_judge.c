/* SPDX-License-Identifier: MIT */
/* The pure decisions of the Linux guest module. */
#include "support.h"

#include <stdlib.h>

#include "linux/judge.h"

#define ALL (JUDGE_BACKGROUND | JUDGE_DIRECT | JUDGE_OOM)

static void urgent_is_what_is_noticed_and_short(void **state)
{
	(void)state;
	static const struct {
		uint32_t signs;
		uint64_t balloon, available, swapped; /* swapped: pages since the sample before */
		uint32_t permille, counts;
	} rows[] = {
		/* nothing noticed, nothing urgent, however short memory is */
		{0, 0, 0, 100, 1000, 0},
		/* direct reclaim and OOM always are */
		{JUDGE_DIRECT, 0, 1000, 0, 100, JUDGE_DIRECT},
		{JUDGE_OOM, 0, 1000, 0, 0, JUDGE_OOM},
		/* background reclaim with enough in the page cache is not */
		{JUDGE_BACKGROUND, 0, 100, 0, 100, 0},
		{JUDGE_BACKGROUND, 0, 99, 0, 100, JUDGE_BACKGROUND},
		{JUDGE_BACKGROUND, 0, 0, 0, 0, 0},
		{JUDGE_BACKGROUND, 0, 999, 0, 1000, JUDGE_BACKGROUND},
		/* of what the guest has now, not of what it booted with */
		{JUDGE_BACKGROUND, 500, 50, 0, 100, 0},
		{JUDGE_BACKGROUND, 500, 49, 0, 100, JUDGE_BACKGROUND},
		/* the first page that is swapped out */
		{JUDGE_BACKGROUND, 0, 1000, 1, 0, JUDGE_BACKGROUND},
		{ALL, 0, 1000, 0, 100, JUDGE_DIRECT | JUDGE_OOM},
		{ALL, 0, 0, 0, 100, ALL},
		/* unknown signs do not count */
		{8u, 0, 0, 5, 1000, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct poise_abi_guest before = {.swap_out_pages = UINT64_MAX};
		const struct poise_abi_guest now = {
			.total_pages = 1000,
			.balloon_pages = rows[i].balloon,
			.available_pages = rows[i].available,
			.swap_out_pages = UINT64_MAX + rows[i].swapped,
		};
		const uint32_t counts =
			judge_urgent(rows[i].signs, &before, &now, rows[i].permille);
		if (counts != rows[i].counts) {
			fail_msg("row %zu: %u", i, counts);
		}
	}
}

static void urgent_part_of_the_largest_guest_does_not_wrap(void **state)
{
	(void)state;
	const struct poise_abi_guest now = {.total_pages = UINT64_C(1) << 32,
					    .available_pages = UINT64_C(1) << 32};
	assert_int_equal(judge_urgent(JUDGE_BACKGROUND, &now, &now, 1000), 0);
}

static void swap_total_is_read_from_meminfo_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t kib;
	} rows[] = {
		{"MemTotal:  100 kB\nSwapTotal:         131068 kB\nSwapFree:  5 kB\n", 131068},
		{"SwapTotal: 0 kB\n", 0},
		{"SwapTotal:7", 7},
		{"SwapTotal: 9223372036854775807 kB", -1},
		{"SwapTotal: 99999999999999999999999999 kB", -1},
		{"SwapTotal: -1 kB", -1},
		{"SwapTotal: ", -1},
		{"SwapTotal:", -1},
		{"SwapTotal", -1},
		{"NoSwapTotal: 5 kB\n", -1},
		{"A\n\n\nSwapTotal: 12 kB\n", 12},
		{"", -1},
		{"\n", -1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* At the very end of a buffer of its own, so that a sanitizer sees a byte too much.
		 */
		const size_t length = strlen(rows[i].text);
		char *text = malloc(length == 0 ? 1 : length);
		memcpy(text, rows[i].text, length);
		const int64_t kib = judge_swap_total_kib(text, length);
		free(text);
		if (kib != rows[i].kib) {
			fail_msg("row %zu: %lld", i, (long long)kib);
		}
	}
}

static void region_is_ours(void **state)
{
	(void)state;
	assert_true(judge_region_is_ours(0, 0));
	assert_true(judge_region_is_ours(POISE_ABI_GUEST_MAGIC, 0));
	assert_true(judge_region_is_ours(0, POISE_ABI_HOST_MAGIC));
	assert_true(judge_region_is_ours(POISE_ABI_GUEST_MAGIC, POISE_ABI_HOST_MAGIC));
	assert_false(judge_region_is_ours(POISE_ABI_HOST_MAGIC, POISE_ABI_GUEST_MAGIC));
	assert_false(judge_region_is_ours(1, 0));
	assert_false(judge_region_is_ours(0, 1));
	assert_false(judge_region_is_ours(POISE_ABI_GUEST_MAGIC, 1));
}

static void next_sample_is_due_without_drift_and_without_catching_up(void **state)
{
	(void)state;
	assert_int_equal(judge_next_due(1000, 1000, 100), 1100);
	assert_int_equal(judge_next_due(1000, 1099, 100), 1100);   /* late: no drift */
	assert_int_equal(judge_next_due(1000, 1100, 100), 1200);   /* too late: not at once */
	assert_int_equal(judge_next_due(1000, 99000, 100), 99100); /* no catching up */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgent_is_what_is_noticed_and_short),
		cmocka_unit_test(urgent_part_of_the_largest_guest_does_not_wrap),
		cmocka_unit_test(swap_total_is_read_from_meminfo_or_refused),
		cmocka_unit_test(region_is_ours),
		cmocka_unit_test(next_sample_is_due_without_drift_and_without_catching_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
