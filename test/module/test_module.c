/* SPDX-License-Identifier: MIT */
/*
 * poise_guest.ko in a real kernel: what it publishes, when it calls for help, and what it survives.
 * The tests of one machine run in the order of its table and leave it publishing every 100 ms.
 *	test_module QEMU KERNEL INITRAMFS DIRECTORY
 */
#include "common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "poise_seq.h"

#define OOMS 12 /* some of them just after another call for help */

static struct machine_files files;

/* --- the machine with ivshmem --- */

static int ivshmem_start(void **state)
{
	(void)state;
	return machine_start_ivshmem(&vm, &files) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	return machine_end(&vm) == 0 ? 0 : -1;
}

static void wrong_parameter_is_refused(void **state)
{
	(void)state;
	assert_int_not_equal(run("insmod /poise_guest.ko background_permille=1001"), 0);
	assert_int_not_equal(run("rmmod poise_guest"), 0);
	assert_int_equal(run("dmesg | grep -q 'background_permille=1001 is not within 0..1000'"),
			 0);
	assert_int_equal(vm.guest->head.seq, 0);
}

static void finds_its_region_among_others(void **state)
{
	(void)state;
	insert_module("");
	const struct poise_sample sample = machine_sample(&vm);
	assert_int_not_equal(sample.boot_id, 0);
	assert_int_equal(sample.body.total_pages, vm.total_pages);
	assert_int_equal(run(MACHINE_STATUS " | grep -q 'source *ivshmem 0000:00:04.0'"), 0);
	assert_int_equal(run("dmesg | grep -q 'ivshmem 0000:00:02.0: something else lives'"), 0);
	assert_int_equal(run("dmesg | grep -q '0000:00:03.0: shared memory of 4194304 bytes'"), 0);
	assert_int_equal(machine_status(&vm, "interval_ms"), 1000);
}

static void extreme_intervals_are_bounded(void **state)
{
	(void)state;
	struct poise_notice notice = machine_notice(&vm);
	notice.interval_ms = 0;
	machine_order(&vm, &notice);
	notice.epoch = 1000;
	machine_order(&vm, &notice);
	machine_wait_status(&vm, "host_epoch", 1000);
	assert_int_equal(machine_status(&vm, "interval_ms"), 100);
	notice.interval_ms = UINT64_MAX;
	notice.epoch = 1001;
	machine_order(&vm, &notice);
	machine_wait_status(&vm, "host_epoch", 1001);
	assert_int_equal(machine_status(&vm, "interval_ms"), 60000);
	/* It will not look again for a minute; a new generation starts with the default. */
	reload(state);
	assert_int_equal(machine_status(&vm, "interval_ms"), 1000);
	host_interval_is_taken(state);
}

static void hostile_host_page_changes_nothing(void **state)
{
	(void)state;
	const uint64_t bad = machine_status(&vm, "bad_host_pages");
	/* Right in form, wrong in what it says. */
	const struct poise_notice good = machine_notice(&vm);
	for (int i = 0; i < 4; i++) {
		struct poise_notice notice = good;
		notice.interval_ms = 60000;
		notice.epoch = 666;
		notice.target_pages = i == 0 ? 0 : i == 1 ? vm.total_pages + 1 : 1;
		notice.state = i == 2 ? 6 : POISE_HOST_STATE_MANAGED;
		notice.boot_id = i == 3 ? good.boot_id + 1 : good.boot_id;
		const uint64_t seen = machine_status(&vm, "bad_host_pages");
		machine_order(&vm, &notice);
		machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
		assert_true(machine_status(&vm, "bad_host_pages") > seen);
	}
	/* Noise, the sequence word included. */
	srand(1);
	for (int round = 0; round < 30; round++) {
		volatile uint32_t *words = (volatile uint32_t *)(void *)vm.host;
		for (size_t i = 0; i < POISE_ABI_PAGE_BYTES / sizeof(*words); i++) {
			words[i] = (uint32_t)rand() * 2654435761u;
		}
		words[0] &= ~1u;
		machine_wait_sample(&vm, machine_sample(&vm).body.sample + 1);
	}
	/* A writer that never ends. */
	*(volatile uint32_t *)&vm.host->head.seq |= 1u;
	machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	assert_true(machine_status(&vm, "bad_host_pages") > bad + 4);
	assert_int_equal(machine_status(&vm, "interval_ms"), INTERVAL_MS);
	assert_int_not_equal(machine_status(&vm, "host_epoch"), 666);
	machine_no_complaint(&vm);
	/* And a sane page again. */
	memset(vm.host, 0, sizeof(*vm.host));
	vm.writer.seq = 0;
	const struct poise_notice again = machine_notice(&vm);
	machine_order(&vm, &again);
	machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	assert_int_equal(machine_status(&vm, "host_epoch"), again.epoch);
}

static struct poise_sample wait_balloon(uint64_t pages)
{
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	struct poise_sample sample = machine_sample(&vm);
	while (sample.body.balloon_pages != pages) {
		if (console_ms() > limit) {
			fail_msg("%llu pages in the balloon, not %llu",
				 (unsigned long long)sample.body.balloon_pages,
				 (unsigned long long)pages);
		}
		sample = machine_wait_sample(&vm, sample.body.sample + 1);
	}
	return sample;
}

/* What is in the balloon is counted, and what the guest booted with stays what it was. */
static void balloon_is_counted(void **state)
{
	(void)state;
	const struct poise_sample before = machine_sample(&vm);
	machine_balloon(&vm, vm.total_pages - 8192);
	const struct poise_sample full = wait_balloon(8192);
	assert_int_equal(full.body.total_pages, vm.total_pages);
	assert_true(full.body.free_pages + 8192 < before.body.free_pages + NEAR_PAGES);
	machine_balloon(&vm, vm.total_pages);
	const struct poise_sample empty = wait_balloon(0);
	assert_true(empty.body.free_pages > full.body.free_pages + NEAR_PAGES);
	numbers_are_the_kernels(state);
}

#define STALLS "awk '/^allocstall/ { n += $2 } END { print n }' /proc/vmstat"

/* A page cache that turns over is no emergency, nor is an administrator who drops it. */
static void streaming_is_not_urgent(void **state)
{
	(void)state;
	const uint64_t background = machine_status(&vm, "noticed_background");
	const uint64_t raised = machine_status(&vm, "raised_background");
	console_run(&vm.console, "dd if=/dev/vda of=/dev/null bs=64k 2>/dev/null");
	assert_true(machine_status(&vm, "noticed_background") > background);
	assert_int_equal(machine_status(&vm, "raised_background"), raised);
	numbers_are_the_kernels(state);
	if (guest_sum(STALLS) == 0) {
		assert_int_equal(machine_status(&vm, "noticed_direct"), 0);
	}

	const char *before = console_run(&vm.console, MACHINE_STATUS);
	const uint64_t noticed = console_number(before, "noticed_background") +
				 console_number(before, "noticed_direct");
	console_run(&vm.console, "echo 3 >/proc/sys/vm/drop_caches");
	const char *after = console_run(&vm.console, MACHINE_STATUS);
	assert_int_equal(console_number(after, "noticed_background") +
				 console_number(after, "noticed_direct"),
			 noticed);
}

static void swap_space_comes_and_goes(void **state)
{
	(void)state;
	console_run(&vm.console, "modprobe zram && echo 128M >/sys/block/zram0/disksize && "
				 "mkswap /dev/zram0 && swapon /dev/zram0");
	struct poise_sample sample = machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	assert_int_equal(sample.body.swap_used_pages, 0);
	console_run(&vm.console, "swapoff /dev/zram0");
	sample = machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	assert_int_equal(sample.body.swap_used_pages, 0);
	console_run(&vm.console, "swapon /dev/zram0");
}

/* What the module shows now, to be compared with later. */
static void status_copy(char text[STATUS_BYTES])
{
	snprintf(text, STATUS_BYTES, "%s", console_run(&vm.console, MACHINE_STATUS));
}

/* More is written to a file system in memory than fits: swapped, with a call for help. */
static void shortage_is_urgent(void **state)
{
	(void)state;
	const uint32_t word = poise_page_urgent(vm.guest);
	const uint64_t stalls = guest_sum(STALLS);
	char before[STATUS_BYTES];
	status_copy(before);
	const uint64_t from_ms = machine_sample(&vm).body.guest_ms;

	console_run(&vm.console, "mkdir -p /fill && mount -t tmpfs -o size=300m fill /fill && "
				 "dd if=/dev/zero of=/fill/a bs=1M count=150 2>/dev/null");
	const struct poise_sample sample =
		machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	const uint32_t rung = poise_page_urgent(vm.guest) - word;
	const char *after = console_run(&vm.console, MACHINE_STATUS);
	assert_in_range(rung, 1, (sample.body.guest_ms - from_ms) / 20 + 1);
	assert_true(sample.body.swap_out_pages > 0);
	assert_true(sample.body.swap_used_pages > NEAR_PAGES);
	assert_true(console_number(after, "noticed_background") >
		    console_number(before, "noticed_background"));
	/* Direct reclaim is told apart: noticed if and only if the kernel counted stalls. */
	const bool stalled = sample.body.direct_reclaims > stalls;
	assert_int_equal(console_number(after, "noticed_direct") >
				 console_number(before, "noticed_direct"),
			 stalled);
	const uint64_t background = console_number(after, "raised_background") -
				    console_number(before, "raised_background");
	const uint64_t direct =
		console_number(after, "raised_direct") - console_number(before, "raised_direct");
	assert_true(background + direct >= rung);
	print_message("# urgent %u times: background %llu, direct %llu; %llu stalls\n", rung,
		      (unsigned long long)background, (unsigned long long)direct,
		      (unsigned long long)(sample.body.direct_reclaims - stalls));
	numbers_are_the_kernels(state);
}

/* A program takes all there is. Every sign is heard in the end, however close to the last call. */
static void one_oom(void)
{
	char before[STATUS_BYTES];
	status_copy(before);
	assert_int_not_equal(run("dd if=/dev/zero of=/dev/null bs=1024M count=1"), 0);
	static const char *const signs[] = {"direct", "oom"};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		char noticed[32];
		char raised[32];
		snprintf(noticed, sizeof(noticed), "noticed_%s", signs[i]);
		snprintf(raised, sizeof(raised), "raised_%s", signs[i]);
		assert_true(machine_status(&vm, noticed) > console_number(before, noticed));
		machine_wait_status(&vm, raised, console_number(before, raised) + 1);
	}
	const struct poise_sample sample =
		machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	assert_true(sample.body.oom_kills > 0);
	/* Nothing could be reclaimed in the background any more: allocations had to try. */
	assert_true(sample.body.direct_reclaims > 0);
	/* The kernel shows a call trace with each kill: no complaint in the sense of the others. */
	console_run(&vm.console, "dmesg -c >/dev/null");
}

static void oom_is_urgent(void **state)
{
	(void)state;
	machine_no_complaint(&vm);
	console_run(&vm.console, "rm /fill/a && swapoff /dev/zram0 && "
				 "echo 1 >/proc/sys/vm/overcommit_memory");
	for (int i = 0; i < OOMS; i++) {
		one_oom();
	}
	console_run(&vm.console, "umount /fill");
	numbers_are_the_kernels(state);
}

static void device_goes_and_comes(void **state)
{
	(void)state;
	const uint64_t boot_id = machine_sample(&vm).boot_id;
	console_run(&vm.console, "echo 1 >/sys/bus/pci/devices/0000:00:04.0/remove");
	assert_int_equal(run(MACHINE_STATUS " | grep -q 'source *none'"), 0);
	const uint64_t last = machine_sample(&vm).body.sample;
	console_run(&vm.console, "sleep 0.3");
	assert_int_equal(machine_sample(&vm).body.sample, last);
	assert_int_equal(machine_sample(&vm).boot_id, boot_id);
	console_run(&vm.console, "echo 1 >/sys/bus/pci/rescan");
	machine_wait_boot(&vm, boot_id);
	machine_no_complaint(&vm);
	host_interval_is_taken(state);
}

/* virtio-balloon gives all back in suspend, so what follows is a new generation. An alarm before
 * the machine sleeps would wake nobody. */
static void suspend_starts_a_new_generation(void **state)
{
	(void)state;
	const uint64_t boot_id = machine_sample(&vm).boot_id;
	console_run(&vm.console, "cd /sys/class/rtc/rtc0 && echo 0 >wakealarm && "
				 "echo +5 >wakealarm && echo freeze >/sys/power/state");
	const struct poise_sample sample = machine_wait_boot(&vm, boot_id);
	machine_wait_sample(&vm, sample.body.sample + 3);
	assert_int_equal(run("dmesg | grep -q 'PM: suspend exit'"), 0);
	machine_no_complaint(&vm);
	host_interval_is_taken(state);
}

static void floor_and_lists_are_declared(void **state)
{
	(void)state;
	console_run(&vm.console, "rmmod poise_guest");
	insert_module("floor_mib=64 mglru=1");
	struct poise_sample sample = machine_sample(&vm);
	assert_int_equal(sample.features & (POISE_GF_FLOOR | POISE_GF_MGLRU),
			 POISE_GF_FLOOR | POISE_GF_MGLRU);
	assert_int_equal(sample.body.floor_pages, 16384);
	/* More than there is. */
	console_run(&vm.console, "rmmod poise_guest");
	insert_module("floor_mib=4096 mglru=0");
	sample = machine_sample(&vm);
	assert_int_equal(sample.features & (POISE_GF_FLOOR | POISE_GF_MGLRU), POISE_GF_FLOOR);
	assert_int_equal(sample.body.floor_pages, vm.total_pages);
}

/* Loaded and unloaded while memory is short; nothing stays behind. */
static void many_reloads_under_pressure(void **state)
{
	(void)state;
	console_run(&vm.console, "(while :; do dd if=/dev/vda of=/dev/null bs=64k count=2000; done "
				 "2>/dev/null) & echo $! >/tmp/pid");
	console_run(&vm.console, "for i in 1 2 3 4 5 6 7 8 9 10; do rmmod poise_guest && "
				 "insmod /poise_guest.ko || break; done; kill $(cat /tmp/pid); "
				 "killall dd; while pidof dd >/dev/null; do sleep 0.1; done; [ $i "
				 "= 10 ] && [ -d /sys/module/poise_guest ]");
	machine_no_complaint(&vm);
	host_interval_is_taken(state);
}

static void foreign_memory_is_untouched(void **state)
{
	(void)state;
	for (size_t i = 0; i < MACHINE_FOREIGN_BYTES; i++) {
		assert_int_equal(vm.foreign[i], MACHINE_FOREIGN_BYTE);
	}
	console_run(&vm.console, "rmmod poise_guest");
	machine_no_complaint(&vm);
}

static const struct CMUnitTest ivshmem_tests[] = {
	cmocka_unit_test(wrong_parameter_is_refused),
	cmocka_unit_test(finds_its_region_among_others),
	cmocka_unit_test(host_interval_is_taken),
	cmocka_unit_test(numbers_are_the_kernels),
	cmocka_unit_test(extreme_intervals_are_bounded),
	cmocka_unit_test(hostile_host_page_changes_nothing),
	cmocka_unit_test(balloon_is_counted),
	cmocka_unit_test(streaming_is_not_urgent),
	cmocka_unit_test(swap_space_comes_and_goes),
	cmocka_unit_test(shortage_is_urgent),
	cmocka_unit_test(oom_is_urgent),
	cmocka_unit_test(device_goes_and_comes),
	cmocka_unit_test(suspend_starts_a_new_generation),
	cmocka_unit_test(floor_and_lists_are_declared),
	cmocka_unit_test(many_reloads_under_pressure),
	cmocka_unit_test(foreign_memory_is_untouched),
};

/* --- the machine with a device tree node; its clock counts instructions --- */

static int tree_start(void **state)
{
	(void)state;
	return machine_start_device_tree(&vm, &files) ? 0 : -1;
}

static void finds_its_node(void **state)
{
	(void)state;
	insert_module("");
	assert_int_equal(machine_sample(&vm).body.total_pages, vm.total_pages);
	assert_int_equal(run(MACHINE_STATUS " | grep -q 'source *device-tree 47010000.two'"), 0);
	/* The other good one waits, the wrong one is said. */
	assert_int_equal(run("dmesg | grep -q '47000000.one: pages are already found'"), 0);
	assert_int_equal(run("dmesg | grep -q 'wrong@47030000: only one reg entry'"), 0);
}

/* A region below /reserved-memory. */
static void other_node_takes_over(void **state)
{
	(void)state;
	console_run(&vm.console, "cd /sys/bus/platform/drivers/poise_guest && "
				 "echo 47010000.two >unbind && echo 47000000.one >bind");
	assert_int_equal(run(MACHINE_STATUS " | grep -q 'source *device-tree 47000000.one'"), 0);
	machine_tree_reserved(&vm);
	assert_int_equal(machine_sample(&vm).body.total_pages, vm.total_pages);
	vm.writer = (struct poise_host_writer){0};
	host_interval_is_taken(state);
	numbers_are_the_kernels(state);
	machine_no_complaint(&vm);
}

/* One instruction takes a nanosecond here, so that a time is a count of instructions. */
static void cost_is_within_its_budget(void **state)
{
	(void)state;
	machine_wait_sample(&vm, machine_sample(&vm).body.sample + 50);
	const char *status = console_run(&vm.console, MACHINE_STATUS);
	const uint64_t update = console_number(status, "update_ns_mean");
	const uint64_t write = console_number(status, "write_ns_mean");
	print_message("# an update costs %llu instructions, %llu of them in the publisher\n",
		      (unsigned long long)update, (unsigned long long)write);
	/* 0.005 % of a CPU at 1 GHz, once a second; the publisher's own share. */
	assert_in_range(update, 1, 50000);
	assert_in_range(write, 1, 5000);
}

static const struct CMUnitTest tree_tests[] = {
	cmocka_unit_test(finds_its_node),
	cmocka_unit_test(host_interval_is_taken),
	cmocka_unit_test(numbers_are_the_kernels),
	cmocka_unit_test(cost_is_within_its_budget),
	cmocka_unit_test(status_shows_what_was_published),
	cmocka_unit_test(reload),
	cmocka_unit_test(other_node_takes_over),
};

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: test_module QEMU KERNEL INITRAMFS DIRECTORY\n");
		return 2;
	}
	files = (struct machine_files){argv[1], argv[2], argv[3], argv[4]};
	mkdir(files.work, 0700);
	int failed = cmocka_run_group_tests(ivshmem_tests, ivshmem_start, stop);
	failed += cmocka_run_group_tests(tree_tests, tree_start, stop);
	return failed != 0;
}
