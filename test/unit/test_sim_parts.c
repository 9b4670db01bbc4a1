/* SPDX-License-Identifier: MIT */
/* Parts of the simulator that need no guest: the device, the LRU miss curve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device.h"
#include "truth.h"

static void test_device_has_latency_bandwidth_and_a_queue(void **state)
{
	struct sim_device d = {
		.latency_us = 100, .read_mib_s = 100, .write_mib_s = 50, .readahead_pages = 32};

	(void)state;
	sim_device_advance(&d, 1000);
	/* A page of swap: a request of its own, and 4 KiB at 100 MiB/s. */
	assert_int_equal(sim_device_submit(&d, 1000, SIM_IO_SWAP_READ, 1), 1000 + 100 + 40);
	/* Who comes later in the same step does not wait for it. */
	assert_int_equal(sim_device_submit(&d, 1000, SIM_IO_SWAP_READ, 1), 1000 + 100 + 40);
	/* A batch: one latency, half the bandwidth. */
	assert_int_equal(sim_device_submit(&d, 1000, SIM_IO_SWAP_WRITE, 32), 1000 + 100 + 2500);
	assert_int_equal(sim_device_submit(&d, 1000, SIM_IO_FILE_READ, 32), 1000 + 100 + 1250);
	/* In the next step everybody waits for what is left: 139 + 139 + 2600 + 1350 - 1000. */
	sim_device_advance(&d, 2000);
	assert_in_range(sim_device_submit(&d, 2000, SIM_IO_SWAP_READ, 1), 2000 + 3360, 2000 + 3370);
	/* And less by the time that passes before one asks. */
	assert_in_range(sim_device_submit(&d, 4000, SIM_IO_SWAP_READ, 1), 2000 + 3360, 2000 + 3370);
	sim_device_advance(&d, 1000000);
	assert_int_equal(sim_device_submit(&d, 1000000, SIM_IO_SWAP_READ, 1), 1000000 + 140);
}

static void test_miss_curve_is_that_of_lru(void **state)
{
	struct sim_truth t;

	(void)state;
	assert_true(sim_truth_start(&t, 10));
	assert_true(sim_truth_curve_start(&t));
	/* Round and round four pages: with less than four all miss, with four none. */
	for (uint32_t i = 0; i < 4000; i++) {
		sim_truth_touch(&t, i % 4u, i);
	}
	assert_int_equal(sim_truth_curve_misses(&t, 3), 3996);
	assert_int_equal(sim_truth_curve_misses(&t, 4), 0);
	sim_truth_curve_clear(&t);
	/* A page that was freed is new when it comes back. */
	sim_truth_forget(&t, 0);
	sim_truth_touch(&t, 0, 5000);
	assert_int_equal(sim_truth_curve_misses(&t, 0), 0);
	/* One page again: it is the newest. */
	sim_truth_touch(&t, 0, 5001);
	assert_int_equal(sim_truth_curve_misses(&t, 0), 1);
	assert_int_equal(sim_truth_curve_misses(&t, 1), 0);
	assert_int_equal(sim_truth_count(&t, 5001, 2), 1);
	sim_truth_stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_has_latency_bandwidth_and_a_queue),
		cmocka_unit_test(test_miss_curve_is_that_of_lru),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
