/* SPDX-License-Identifier: MIT */
/*
 * The dirty log against a kernel that the test plays: ioctl and mmap are wrapped at link time, so
 * that each of its answers can be an error. What the real one does is test/kvm's.
 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "dirty.h"

#define VM_FD      700
#define VCPU_FD    701
#define PAGE_BYTES 4096u
#define ENTRIES    8u
#define ACQ_REL    223
#define BITMAP     225

/* The kernel: what it has, what it was asked, and which ioctl it refuses. */
static struct {
	int manual, ring, ring_acq_rel, ring_bitmap; /* answers of KVM_CHECK_EXTENSION */
	unsigned long fails;                         /* this ioctl fails with EIO */
	uint64_t enabled[8];                         /* capability, argument */
	unsigned enables;
	uint64_t bitmap[4];    /* of every slot, as KVM_GET_DIRTY_LOG copies it */
	uint64_t bitmap_words; /* how many of them a slot has */
	uint64_t cleared[4];
	unsigned clears, resets, regions;
	struct kvm_userspace_memory_region region; /* the last one */
	off_t mapped_at;
	struct kvm_dirty_gfn gfn[ENTRIES];
} kernel;

static int extension(unsigned long capability)
{
	switch (capability) {
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return kernel.manual;
	case KVM_CAP_DIRTY_LOG_RING:
		return kernel.ring;
	case ACQ_REL:
		return kernel.ring_acq_rel;
	case BITMAP:
		return kernel.ring_bitmap;
	default:
		return 0;
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t bytes);
int __real_munmap(void *at, size_t bytes);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	va_start(list, request);
	const unsigned long argument = va_arg(list, unsigned long);
	va_end(list);
	assert_int_equal(fd, VM_FD);
	if (request == kernel.fails) {
		errno = EIO;
		return -1;
	}
	if (request == KVM_CHECK_EXTENSION) {
		return extension(argument);
	} else if (request == KVM_ENABLE_CAP) {
		const struct kvm_enable_cap *cap = (const void *)argument;
		assert_in_range(kernel.enables, 0, 3);
		kernel.enabled[2 * kernel.enables] = cap->cap;
		kernel.enabled[2 * kernel.enables++ + 1] = cap->args[0];
	} else if (request == KVM_SET_USER_MEMORY_REGION) {
		kernel.region = *(const struct kvm_userspace_memory_region *)argument;
		kernel.regions++;
	} else if (request == KVM_GET_DIRTY_LOG) {
		const struct kvm_dirty_log *log = (const void *)argument;
		memcpy(log->dirty_bitmap, kernel.bitmap, kernel.bitmap_words * sizeof(uint64_t));
	} else if (request == KVM_CLEAR_DIRTY_LOG) {
		const struct kvm_clear_dirty_log *log = (const void *)argument;
		memcpy(kernel.cleared, log->dirty_bitmap, kernel.bitmap_words * sizeof(uint64_t));
		kernel.clears++;
	} else if (request == KVM_RESET_DIRTY_RINGS) {
		kernel.resets++;
	} else {
		fail_msg("unknown ioctl %lx", request);
	}
	return 0;
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	if (fd != VCPU_FD) {
		return __real_mmap(at, bytes, protection, flags, fd, offset);
	}
	if (kernel.fails == 1) {
		errno = ENODEV;
		return MAP_FAILED;
	}
	assert_int_equal(bytes, sizeof(kernel.gfn));
	kernel.mapped_at = offset;
	return kernel.gfn;
}

int __wrap_munmap(void *at, size_t bytes)
{
	return at == (void *)kernel.gfn ? 0 : __real_munmap(at, bytes);
}

static struct kvm_dirty dirty;

/* A kernel that has everything; rings are small. */
static int all_there(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.manual = 3;
	kernel.ring_acq_rel = (int)sizeof(kernel.gfn);
	kernel.ring_bitmap = 1;
	kernel.bitmap_words = 2;
	memset(&dirty, 0, sizeof(dirty));
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kvm_dirty_close(&dirty);
	return 0;
}

static struct kvm_userspace_memory_region region(uint32_t slot, uint64_t pages)
{
	return (struct kvm_userspace_memory_region){
		.slot = slot,
		.guest_phys_addr = 0x80000000,
		.memory_size = pages * PAGE_BYTES,
		.userspace_addr = 0x10000000,
	};
}

static void add(uint32_t slot, uint64_t pages)
{
	const struct kvm_userspace_memory_region r = region(slot, pages);
	assert_int_equal(kvm_dirty_slot_add(&dirty, &r), 0);
}

/* --- counting --- */

static void count_stops_at_the_last_page(void **state)
{
	static const uint64_t full[3] = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	static const uint64_t ends[2] = {UINT64_C(1) << 63 | 1, UINT64_C(1) << 63 | 1};
	static const struct {
		const uint64_t *bitmap;
		uint64_t pages, count;
	} rows[] = {
		{full, 0, 0},     {full, 1, 1},     {full, 63, 63}, {full, 64, 64}, {full, 65, 65},
		{full, 127, 127}, {full, 192, 192}, {ends, 1, 1},   {ends, 63, 1},  {ends, 64, 2},
		{ends, 65, 3},    {ends, 127, 3},   {ends, 128, 4},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(kvm_dirty_count(rows[i].bitmap, rows[i].pages), rows[i].count);
	}
}

/* --- modes --- */

static void open_takes_the_best_there_is(void **state)
{
	(void)state;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_AUTO), 0);
	assert_int_equal(dirty.mode, KVM_DIRTY_MODE_RING);
	assert_int_equal(dirty.ring_entries, ENTRIES);
	assert_true(dirty.ring_bitmap);
	assert_int_equal(kernel.enabled[0], ACQ_REL);
	assert_int_equal(kernel.enabled[1], sizeof(kernel.gfn));
	assert_int_equal(kernel.enabled[2], BITMAP);
	assert_int_equal(kernel.enables, 2);

	/* As on x86: the older capability, and no bitmap beside it. */
	all_there(NULL);
	kernel.ring_acq_rel = 0;
	kernel.ring = 1 << 20;
	kernel.ring_bitmap = 0;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_AUTO), 0);
	assert_int_equal(dirty.ring_entries, KVM_DIRTY_RING_ENTRIES);
	assert_false(dirty.ring_bitmap);
	assert_int_equal(kernel.enabled[0], KVM_CAP_DIRTY_LOG_RING);
	assert_int_equal(kernel.enables, 1);

	all_there(NULL);
	kernel.ring_acq_rel = 0;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_AUTO), 0);
	assert_int_equal(dirty.mode, KVM_DIRTY_MODE_CLEAR);
	assert_int_equal(kernel.enabled[0], KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
	assert_int_equal(kernel.enabled[1], KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);

	all_there(NULL);
	kernel.ring_acq_rel = 0;
	kernel.manual = 0;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_AUTO), 0);
	assert_int_equal(dirty.mode, KVM_DIRTY_MODE_LOG);
	assert_int_equal(kernel.enables, 0);
}

static void open_says_what_is_not_there(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_RING), -ENOTSUP);
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_CLEAR), -ENOTSUP);
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_LOG), 0);
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_COUNT), -EINVAL);
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, (enum kvm_dirty_mode)99), -EINVAL);
	/* A kernel that errs when asked counts as one that has nothing. */
	all_there(NULL);
	kernel.fails = KVM_CHECK_EXTENSION;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_RING), -ENOTSUP);
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_AUTO), 0);
	assert_int_equal(dirty.mode, KVM_DIRTY_MODE_LOG);
	/* One that has a mode and refuses it is no reason to take another in silence. */
	all_there(NULL);
	kernel.fails = KVM_ENABLE_CAP;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_AUTO), -EIO);
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_CLEAR), -EIO);
}

static void modes_have_names(void **state)
{
	(void)state;
	assert_string_equal(kvm_dirty_mode_name(KVM_DIRTY_MODE_AUTO), "auto");
	assert_string_equal(kvm_dirty_mode_name(KVM_DIRTY_MODE_LOG), "log");
	assert_string_equal(kvm_dirty_mode_name(KVM_DIRTY_MODE_CLEAR), "clear");
	assert_string_equal(kvm_dirty_mode_name(KVM_DIRTY_MODE_RING), "ring");
	assert_string_equal(kvm_dirty_mode_name(KVM_DIRTY_MODE_COUNT), "?");
}

/* --- slots and vCPUs --- */

static void slots_are_checked_before_the_kernel_is_asked(void **state)
{
	static const struct {
		uint64_t bytes, guest, host;
	} rows[] = {
		{0, 0, 0},
		{PAGE_BYTES - 1, 0, 0},
		{PAGE_BYTES + 1, 0, 0},
		{PAGE_BYTES, 1, 0},
		{PAGE_BYTES, 0, 8},
		{UINT64_C(1) << 43, 0, 0}, /* 2^31 pages: one more than KVM takes */
		{UINT64_MAX, 0, 0},
	};
	(void)state;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_LOG), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct kvm_userspace_memory_region r = {.memory_size = rows[i].bytes,
							      .guest_phys_addr = rows[i].guest,
							      .userspace_addr = rows[i].host};
		assert_int_equal(kvm_dirty_slot_add(&dirty, &r), -EINVAL);
	}
	assert_int_equal(kernel.regions, 0);
	assert_null(kvm_dirty_slot_find(&dirty, 0));
}

static void slots_are_logged_and_keep_their_flags(void **state)
{
	struct kvm_userspace_memory_region r = region(5, 100);
	(void)state;
	r.flags = KVM_MEM_READONLY;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_LOG), 0);
	assert_int_equal(kvm_dirty_slot_add(&dirty, &r), 0);
	assert_int_equal(kernel.region.flags, KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES);
	assert_int_equal(kernel.region.memory_size, 100 * PAGE_BYTES);
	assert_int_equal(kvm_dirty_slot_find(&dirty, 5)->pages, 100);
	assert_null(kvm_dirty_slot_find(&dirty, 0));
	assert_int_equal(kvm_dirty_slot_add(&dirty, &r), -EEXIST);
	assert_int_equal(kernel.regions, 1);
}

static void slot_that_the_kernel_refuses_is_not_there(void **state)
{
	const struct kvm_userspace_memory_region r = region(5, 100);
	(void)state;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_LOG), 0);
	kernel.fails = KVM_SET_USER_MEMORY_REGION;
	assert_int_equal(kvm_dirty_slot_add(&dirty, &r), -EIO);
	assert_null(kvm_dirty_slot_find(&dirty, 5));
	kernel.fails = 0;
	assert_int_equal(kvm_dirty_slot_add(&dirty, &r), 0);
}

static void slots_and_vcpus_have_their_limits(void **state)
{
	const struct kvm_userspace_memory_region r = region(KVM_DIRTY_SLOTS_MAX, 100);
	(void)state;
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_RING), 0);
	for (uint32_t i = 0; i < KVM_DIRTY_SLOTS_MAX; i++) {
		add(i, 100);
	}
	assert_int_equal(kvm_dirty_slot_add(&dirty, &r), -ENOSPC);
	kernel.fails = 1;
	assert_int_equal(kvm_dirty_vcpu_add(&dirty, VCPU_FD), -ENODEV);
	kernel.fails = 0;
	for (uint32_t i = 0; i < KVM_DIRTY_VCPUS_MAX; i++) {
		assert_int_equal(kvm_dirty_vcpu_add(&dirty, VCPU_FD), 0);
	}
	assert_int_equal(kvm_dirty_vcpu_add(&dirty, VCPU_FD), -ENOSPC);
	assert_int_equal(kernel.mapped_at, 64 * PAGE_BYTES);
}

/* --- reading bitmaps --- */

static void read_counts_and_clears_what_it_read(void **state)
{
	uint64_t pages = 0;
	(void)state;
	kernel.bitmap[0] = 0xf0;
	kernel.bitmap[1] = UINT64_C(1) << 35 | UINT64_C(1) << 36; /* page 100 is behind the end */
	for (unsigned mode = KVM_DIRTY_MODE_LOG; mode <= KVM_DIRTY_MODE_CLEAR; mode++) {
		assert_int_equal(kvm_dirty_open(&dirty, VM_FD, (enum kvm_dirty_mode)mode), 0);
		assert_int_equal(kvm_dirty_vcpu_add(&dirty, VCPU_FD), 0);
		assert_int_equal(kvm_dirty_ring_full(&dirty), 0);
		add(1, 100);
		add(2, 100);
		assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
		assert_int_equal(pages, 2 * 5);
		assert_int_equal(kvm_dirty_slot_find(&dirty, 2)->written[0], 0xf0);
		assert_int_equal(kernel.clears, mode == KVM_DIRTY_MODE_CLEAR ? 2 : 0);
		kvm_dirty_close(&dirty);
	}
	assert_int_equal(kernel.cleared[0], kernel.bitmap[0]);
	assert_int_equal(kernel.cleared[1], kernel.bitmap[1]);
	assert_int_equal(kernel.resets, 0);
}

static void read_that_fails_tells_nothing(void **state)
{
	static const struct {
		enum kvm_dirty_mode mode;
		unsigned long fails;
	} rows[] = {
		{KVM_DIRTY_MODE_LOG, KVM_GET_DIRTY_LOG},
		{KVM_DIRTY_MODE_CLEAR, KVM_GET_DIRTY_LOG},
		{KVM_DIRTY_MODE_CLEAR, KVM_CLEAR_DIRTY_LOG},
		{KVM_DIRTY_MODE_RING, KVM_GET_DIRTY_LOG},
		{KVM_DIRTY_MODE_RING, KVM_RESET_DIRTY_RINGS},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t pages = 77;
		all_there(NULL);
		assert_int_equal(kvm_dirty_open(&dirty, VM_FD, rows[i].mode), 0);
		assert_int_equal(kvm_dirty_vcpu_add(&dirty, VCPU_FD), 0);
		add(1, 100);
		kernel.gfn[0] = (struct kvm_dirty_gfn){.flags = KVM_DIRTY_GFN_F_DIRTY, .slot = 1};
		kernel.fails = rows[i].fails;
		assert_int_equal(kvm_dirty_read(&dirty, &pages), -EIO);
		assert_int_equal(pages, 77);
		kernel.fails = 0;
		assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
		/* Also what the kernel has not been told of yet. */
		assert_int_equal(kernel.resets, rows[i].mode != KVM_DIRTY_MODE_RING      ? 0
						: rows[i].fails == KVM_RESET_DIRTY_RINGS ? 1
											 : 2);
		kvm_dirty_close(&dirty);
	}
}

/* --- rings --- */

/* What a vCPU would do: fills the entry at `at`. */
static void push(uint32_t at, uint32_t slot, uint64_t page)
{
	kernel.gfn[at % ENTRIES] = (struct kvm_dirty_gfn){
		.flags = KVM_DIRTY_GFN_F_DIRTY, .slot = slot, .offset = page};
}

static void ring_open(void)
{
	assert_int_equal(kvm_dirty_open(&dirty, VM_FD, KVM_DIRTY_MODE_RING), 0);
	assert_int_equal(kvm_dirty_vcpu_add(&dirty, VCPU_FD), 0);
	add(1, 100);
	add(2, 70);
}

static void ring_goes_round_and_counts_each_page_once(void **state)
{
	uint64_t pages = 0;
	uint32_t at = 0;
	(void)state;
	ring_open();
	/* Full twice within an interval, the same pages again. */
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ENTRIES; i++) {
			push(at++, 1 + i % 2, 60 + i);
		}
		assert_int_equal(kvm_dirty_ring_full(&dirty), ENTRIES);
		for (unsigned i = 0; i < ENTRIES; i++) {
			assert_int_equal(kernel.gfn[i].flags, KVM_DIRTY_GFN_F_RESET);
		}
	}
	assert_int_equal(kernel.resets, 2);
	push(at++, 2, 69);
	assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
	assert_int_equal(pages, ENTRIES + 1);
	assert_int_equal(kvm_dirty_slot_find(&dirty, 1)->written[0], UINT64_C(5) << 60);
	assert_int_equal(dirty.strays, 0);
	/* The next interval has none of it. */
	push(at++, 1, 0);
	assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
	assert_int_equal(pages, 1);
	assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
	assert_int_equal(pages, 0);
	assert_int_equal(kernel.resets, 5);
}

static void ring_stops_at_what_is_not_written_yet(void **state)
{
	(void)state;
	ring_open();
	push(0, 1, 3);
	push(2, 1, 4);
	assert_int_equal(kvm_dirty_ring_collect(&dirty, 0), 1);
	push(1, 1, 5);
	assert_int_equal(kvm_dirty_ring_collect(&dirty, 0), 2);
	/* Taken, and not yet given back to the kernel. */
	assert_int_equal(kvm_dirty_ring_collect(&dirty, 0), 0);
	assert_int_equal(kvm_dirty_ring_collect(&dirty, 1), 0);
}

static void ring_entry_of_nothing_of_ours_is_counted(void **state)
{
	uint64_t pages = 0;
	(void)state;
	ring_open();
	push(0, 3, 0);
	push(1, 1, 100);
	push(2, 2, UINT64_MAX);
	push(3, 1u << 16 | 1, 0);
	push(4, 1, 99);
	assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
	assert_int_equal(pages, 1);
	assert_int_equal(dirty.strays, 4);
}

static void ring_has_the_bitmap_beside_it(void **state)
{
	uint64_t pages = 0;
	(void)state;
	kernel.bitmap[0] = 1u << 7 | 1u << 8;
	ring_open();
	push(0, 1, 8);
	push(1, 1, 9);
	assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
	assert_int_equal(kvm_dirty_slot_find(&dirty, 1)->written[0], 7u << 7);
	assert_int_equal(pages, 3 + 2);
	kvm_dirty_close(&dirty);
	/* Where there is none, it is not asked for. */
	kernel.ring_bitmap = 0;
	kernel.fails = KVM_GET_DIRTY_LOG;
	ring_open();
	push(0, 1, 8);
	assert_int_equal(kvm_dirty_read(&dirty, &pages), 0);
	assert_int_equal(pages, 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, all_there, leave)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(count_stops_at_the_last_page),
		TEST(open_takes_the_best_there_is),
		TEST(open_says_what_is_not_there),
		cmocka_unit_test(modes_have_names),
		TEST(slots_are_checked_before_the_kernel_is_asked),
		TEST(slots_are_logged_and_keep_their_flags),
		TEST(slot_that_the_kernel_refuses_is_not_there),
		TEST(slots_and_vcpus_have_their_limits),
		TEST(read_counts_and_clears_what_it_read),
		TEST(read_that_fails_tells_nothing),
		TEST(ring_goes_round_and_counts_each_page_once),
		TEST(ring_stops_at_what_is_not_written_yet),
		TEST(ring_entry_of_nothing_of_ours_is_counted),
		TEST(ring_has_the_bitmap_beside_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
