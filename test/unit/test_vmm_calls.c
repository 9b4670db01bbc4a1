/* SPDX-License-Identifier: MIT */
/*
 * What a hostile guest can make poise-vmm do through its registers, and its balloon. The same code
 * as in the program, with a struct kvm_run that the test fills in; the memory is real.
 */
#include "support.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

#define PAGES 200u
#define BOOT  120u

static struct vmm vm;
static struct kvm_run run;
static uint64_t given[PAGES / 64 + 1];

static int start(void **state)
{
	(void)state;
	vm = (struct vmm){.config = {.ram_pages = PAGES, .boot_pages = BOOT},
			  .run = &run,
			  .given = given,
			  .allowed_pages = BOOT};
	memset(given, 0, sizeof(given));
	vm.ram = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	assert_ptr_not_equal(vm.ram, MAP_FAILED);
	memset(vm.ram, 0xaa, PAGES * PAGE_BYTES);
	assert_int_equal(vmm_inflate(&vm, BOOT, PAGES - BOOT), PAGES - BOOT);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return munmap(vm.ram, PAGES * PAGE_BYTES);
}

static enum vmm_call store(uint64_t at, uint64_t value, uint32_t length)
{
	run.mmio.phys_addr = at;
	run.mmio.len = length;
	run.mmio.is_write = 1;
	memcpy(run.mmio.data, &value, sizeof(value));
	return vmm_mmio(&vm);
}

static enum vmm_call load(uint64_t at, uint32_t length)
{
	run.mmio.phys_addr = at;
	run.mmio.len = length;
	run.mmio.is_write = 0;
	memset(run.mmio.data, 0x5a, sizeof(run.mmio.data));
	return vmm_mmio(&vm);
}

/* A whole call as a guest makes it. Returns the answer. */
static uint64_t call(uint64_t number, uint64_t arg0, uint64_t arg1)
{
	uint64_t answer;
	assert_int_equal(store(VMM_IO_BASE + VMM_IO_ARG0, arg0, 8), VMM_CALL_COUNT);
	assert_int_equal(store(VMM_IO_BASE + VMM_IO_ARG1, arg1, 8), VMM_CALL_COUNT);
	assert_int_equal(load(VMM_IO_BASE + VMM_IO_CALL + 8 * number, 8), VMM_CALL_COUNT);
	memcpy(&answer, run.mmio.data, sizeof(answer));
	return answer;
}

static uint64_t bits(void)
{
	return kvm_dirty_count(given, PAGES);
}

static void balloon_moves_by_what_happened(void **state)
{
	static const struct {
		uint64_t number, first, count, answer;
	} rows[] = {
		{VMM_CALL_INFLATE, 100, 20, 20}, /* up to the balloon */
		{VMM_CALL_INFLATE, 100, 20, 0},  /* again */
		{VMM_CALL_INFLATE, 90, 20, 10},  /* up to what is there already */
		{VMM_CALL_INFLATE, 0, 0, 0},
		{VMM_CALL_DEFLATE, 0, 10, 0}, /* is not in the balloon */
		{VMM_CALL_DEFLATE, 90, 10, 10},
		{VMM_CALL_DEFLATE, 100, 100, 20}, /* as far as it is allowed to be large */
		{VMM_CALL_DEFLATE, 120, 1, 0},
		{VMM_CALL_INFLATE, PAGES, 1, 0}, /* not RAM, in every way */
		{VMM_CALL_INFLATE, PAGES - 1, 2, 0},
		{VMM_CALL_INFLATE, 0, PAGES + 1, 0},
		{VMM_CALL_INFLATE, 1, UINT64_MAX, 0},
		{VMM_CALL_INFLATE, UINT64_MAX, 1, 0},
		{VMM_CALL_INFLATE, UINT64_MAX, UINT64_MAX, 0},
		{VMM_CALL_DEFLATE, PAGES, 1, 0},
		{VMM_CALL_DEFLATE, 150, PAGES, 0},
		{VMM_CALL_DEFLATE, UINT64_MAX, 2, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t before = bits();
		const uint64_t answer = call(rows[i].number, rows[i].first, rows[i].count);
		assert_int_equal(answer, rows[i].answer);
		assert_int_equal(bits(), vm.given_pages);
		assert_int_equal(bits(), rows[i].number == VMM_CALL_INFLATE ? before + answer
									    : before - answer);
	}
	assert_int_equal(vm.given_pages, PAGES - BOOT);
}

/* Whether the kernel would let anybody read this page: it copies it for us, or does not. */
static bool reachable(uint64_t page)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	const ssize_t copied = write(ends[1], vm.ram + page * PAGE_BYTES, 1);
	const bool refused = copied < 0 && errno == EFAULT;
	close(ends[0]);
	close(ends[1]);
	assert_true(copied == 1 || refused);
	return copied == 1;
}

static void given_pages_are_gone_and_others_are_not(void **state)
{
	(void)state;
	assert_int_equal(call(VMM_CALL_INFLATE, 10, 5), 5);
	for (uint64_t i = 0; i < PAGES; i++) {
		const bool away = (i >= 10 && i < 15) || i >= BOOT;
		assert_int_equal(reachable(i), !away);
		assert_true(away || vm.ram[i * PAGE_BYTES] == 0xaa);
	}
	assert_int_equal(vmm_size(&vm), BOOT - 5);
	/* What comes back is new. */
	assert_int_equal(call(VMM_CALL_DEFLATE, 10, 5), 5);
	for (uint64_t i = 10; i < 15; i++) {
		assert_int_equal(vm.ram[i * PAGE_BYTES], 0);
	}
	assert_int_equal(vmm_size(&vm), BOOT);
}

/* Given and taken in any order and size: the bits, the count and the mapping agree. */
static void books_agree_with_the_mapping(void **state)
{
	uint64_t seed = 1;
	(void)state;
	vm.allowed_pages = PAGES;
	for (unsigned i = 0; i < 300; i++) {
		const uint64_t number =
			random_upto(&seed, 1) != 0 ? VMM_CALL_INFLATE : VMM_CALL_DEFLATE;
		const uint64_t first = random_upto(&seed, PAGES);
		(void)call(number, first, random_upto(&seed, 40));
		assert_int_equal(bits(), vm.given_pages);
	}
	for (uint64_t i = 0; i < PAGES; i++) {
		assert_int_equal(reachable(i), (given[i / 64] >> (i % 64) & 1) == 0);
	}
}

static void no_more_is_had_than_allowed(void **state)
{
	(void)state;
	vm.allowed_pages = BOOT + 7;
	assert_int_equal(call(VMM_CALL_DEFLATE, BOOT, 50), 7);
	vm.allowed_pages = 10; /* to be shrunk: nothing until it has */
	assert_int_equal(call(VMM_CALL_DEFLATE, BOOT + 7, 1), 0);
	vm.allowed_pages = UINT64_MAX;
	assert_int_equal(call(VMM_CALL_DEFLATE, BOOT + 7, PAGES - BOOT - 7), PAGES - BOOT - 7);
	assert_int_equal(vm.given_pages, 0);
}

static void calls_for_others_are_handed_on(void **state)
{
	static const enum vmm_call handed[] = {VMM_CALL_NEXT, VMM_CALL_SETTLED, VMM_CALL_DOORBELL};
	(void)state;
	store(VMM_IO_BASE + VMM_IO_ARG0, 41, 8);
	store(VMM_IO_BASE + VMM_IO_ARG1, 42, 8);
	for (size_t i = 0; i < ARRAY_SIZE(handed); i++) {
		assert_int_equal(load(VMM_IO_BASE + VMM_IO_CALL + 8 * (uint64_t)handed[i], 8),
				 handed[i]);
		assert_int_equal(vm.arg[0], 41);
		assert_int_equal(vm.arg[1], 42);
		assert_string_equal(vm.error, "");
	}
	assert_int_equal(load(VMM_IO_BASE + VMM_IO_CALL + 8 * VMM_CALL_FAULT, 8), VMM_CALL_FAULT);
	assert_non_null(strstr(vm.error, "ESR 0x29 FAR 0x2a"));
}

static void anything_else_ends_the_vm(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t length;
		bool store;
	} rows[] = {
		{0, 8, true},
		{VMM_IO_BASE - 8, 8, false},
		{VMM_IO_BASE + VMM_IO_CONSOLE, 8, true},
		{VMM_IO_BASE + VMM_IO_CONSOLE, 1, false},
		{VMM_IO_BASE + VMM_IO_ARG0, 4, true},
		{VMM_IO_BASE + VMM_IO_ARG0, 8, false},
		{VMM_IO_BASE + VMM_IO_ARG0 + 4, 8, true},
		{VMM_IO_BASE + VMM_IO_CALL, 8, true},
		{VMM_IO_BASE + VMM_IO_CALL, 4, false},
		{VMM_IO_BASE + VMM_IO_CALL + 1, 8, false},
		{VMM_IO_BASE + VMM_IO_CALL + 8 * VMM_CALL_COUNT, 8, false},
		{VMM_HOST_PAGE, 8, true}, /* read-only: a store arrives here */
		{VMM_RAM_BASE - 8, 8, false},
		{UINT64_MAX, 8, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		vm.error[0] = '\0';
		assert_int_equal(rows[i].store ? store(rows[i].at, 1, rows[i].length)
					       : load(rows[i].at, rows[i].length),
				 VMM_CALL_FAULT);
		assert_string_not_equal(vm.error, "");
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
	static const struct CMUnitTest tests[] = {
		TEST(balloon_moves_by_what_happened), TEST(given_pages_are_gone_and_others_are_not),
		TEST(books_agree_with_the_mapping),   TEST(no_more_is_had_than_allowed),
		TEST(calls_for_others_are_handed_on), TEST(anything_else_ends_the_vm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
