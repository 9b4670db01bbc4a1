/* SPDX-License-Identifier: MIT */
/*
 * Who can see which memory: stage 2, the balloon, zeroes on reuse.
 */
#include <stdio.h>
#include <string.h>

#include "../../board/board.h"
#include "../../board/carve.h"
#include "../../board/memory.h"
#include "../../board/pool.h"
#include "bench.h"
#include "report.h"

/* Counts the words of the whole pool and of both pools' records that look like a probe's secret. */
static uint64_t count_pattern(uint64_t start, uint64_t end)
{
	uint64_t count = 0;

	for (uint64_t at = start; at < end; at += 8u) {
		count += *(const volatile uint64_t *)(uintptr_t)at == PROBE_PATTERN ? 1u : 0u;
	}
	return count;
}

static void test_isolation(void)
{
	bench_reset();
	struct board_vm *a = bench_probe(0, "do=guard pages=64 pattern=1111");
	struct board_vm *b = bench_probe(1, "do=guard pages=64 pattern=2222");
	struct board_vm *c = bench_probe(2, "do=verify pages=64 pattern=0");
	report(bench_ends_well(c, 100),
	       "isolation: the third VM sees zeroes where two others write");
	bench_run_ms(100);
	report(board_vm_alive(a) && board_vm_alive(b) && bench_word(a, PROBE_PROGRESS) > 2 &&
		       bench_word(b, PROBE_PROGRESS) > 2,
	       "isolation: two VMs at the same IPAs keep what they wrote");
	report(board_stage2_lookup(&a->space, PROBE_BUFFER) !=
		       board_stage2_lookup(&b->space, PROBE_BUFFER),
	       "isolation: one IPA, two pages");
	bench_check("isolation");
}

static void expect_fault(const char *arguments, uint64_t ipa, const char *why, const char *name)
{
	bench_reset();
	struct board_vm *witness = bench_probe(1, "do=guard pages=8");
	struct board_vm *vm = bench_probe(0, arguments);
	bench_run_ms(50);
	uint64_t before = bench_word(witness, PROBE_PROGRESS);
	bench_run_ms(50);
	report(!board_vm_alive(vm) && vm->faulted && vm->fault.ipa == ipa &&
		       strcmp(vm->fault.why, why) == 0,
	       "%s: dies with ipa=0x%lx", name, vm->fault.ipa);
	report(board_vm_alive(witness) && bench_word(witness, PROBE_PROGRESS) > before &&
		       board_pool_count_owner(BOARD_VMID(vm)) == 0,
	       "%s: its pages are back, its neighbour works", name);
	bench_check(name);
}

static void test_outside(void)
{
	char arguments[64];

	expect_fault("do=read ipa=0", 0, "outside its memory", "read of address 0");
	expect_fault("do=write ipa=150994944", BOARD_UART, "outside its memory",
		     "write to the UART");
	expect_fault("do=write ipa=134217728", BOARD_GICD, "outside its memory",
		     "write to the distributor");
	expect_fault("do=write ipa=1074790400", 0x40100000u, "outside its memory",
		     "write to the monitor");
	uint64_t end = GUEST_RAM_BASE + BENCH_RAM_PAGES * BOARD_PAGE_BYTES;
	snprintf(arguments, sizeof(arguments), "do=read ipa=%lu", end + 8u);
	expect_fault(arguments, end + 8u, "outside its memory", "read behind the RAM window");
	snprintf(arguments, sizeof(arguments), "do=write ipa=%lu", (uint64_t)GUEST_RAM_BASE - 8u);
	expect_fault(arguments, GUEST_RAM_BASE - 8u, "outside its memory",
		     "write before the RAM window");
	uint64_t balloon = GUEST_RAM_BASE + BENCH_BOOT_PAGES * BOARD_PAGE_BYTES + 16u;
	snprintf(arguments, sizeof(arguments), "do=write ipa=%lu", balloon);
	expect_fault(arguments, balloon, "touched a page in the balloon",
		     "F40 write to the balloon");
	snprintf(arguments, sizeof(arguments), "do=jump ipa=%lu", balloon);
	expect_fault(arguments, balloon, "touched a page in the balloon", "jump into the balloon");
	expect_fault("do=hostpage", PROBE_HOST, "write to the host page", "write to the host page");
	/*
	 * Beyond 32 bits stage 2 has nothing to walk: an address size or translation fault. Not
	 * beyond the CPU's own addresses, of 40 bits at least: those are the guest's own fault, at
	 * its EL1.
	 */
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=read ipa=549755813888");
	bench_run_ms(20);
	report(!board_vm_alive(vm) && vm->faulted, "read at 512 GiB: dies");
}

static void test_reuse(void)
{
	bench_reset();
	uint64_t end = board_carve_mark();
	struct board_vm *a = bench_probe(0, "do=fill pages=1000");
	bench_run_ms(200);
	uint64_t start = (uint64_t)(uintptr_t)board_image_end;
	uint64_t present = count_pattern(start, end);
	report(bench_word(a, PROBE_PROGRESS) == 1 && present == 1000u * 512u,
	       "reuse: the first VM's secret is in %lu words of the pool", present);

	/* While it lives, given pages leave nothing behind. */
	uint64_t given;
	int64_t result = board_memory_inflate(a, PROBE_BUFFER, 400, &given);
	report(result == HVC_OK && given == 400 && board_vm_measure(a) == BENCH_BOOT_PAGES - 400 &&
		       count_pattern(start, end) == 600u * 512u,
	       "reuse: 400 pages given are 400 pages scrubbed");
	struct board_vm *b = bench_probe(1, "do=verify pages=1500 pattern=0");
	report(bench_ends_well(b, 500), "reuse: who gets them sees zeroes");

	/* When it dies, everything is scrubbed, and its own next life starts from zeroes too. */
	board_vm_exit(a, 0);
	report(count_pattern(start, end) == 0, "reuse: a dead VM leaves nothing in RAM");
	bench_restart(a, "do=verify pages=1500 pattern=0");
	report(bench_ends_well(a, 500), "reuse: the same VM restarted sees zeroes");
	bench_check("reuse");
}

/* The TLB is what a give must not forget: the guest touches the page right before and after. */
static void test_stale_translation(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=guard pages=1");
	bench_run_ms(10);
	uint64_t given;
	board_memory_inflate(vm, PROBE_BUFFER, 1, &given);
	bench_run_ms(10);
	report(given == 1 && !board_vm_alive(vm) && vm->faulted &&
		       (vm->fault.ipa & ~UINT64_C(4095)) == PROBE_BUFFER,
	       "stale translation: a page taken away is gone for the very next access");
	bench_check("stale translation");
}

static void test_target(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=sleep");
	uint64_t taken;
	uint64_t balloon = GUEST_RAM_BASE + BENCH_BOOT_PAGES * BOARD_PAGE_BYTES;

	bench_run_ms(5);
	vm->target_pages = BENCH_BOOT_PAGES + 100;
	board_memory_deflate(vm, balloon, 512, &taken);
	report(taken == 100 && board_vm_measure(vm) == BENCH_BOOT_PAGES + 100,
	       "target: HVC_DEFLATE stops there");
	board_memory_deflate(vm, balloon, 512, &taken);
	report(taken == 0, "target: and takes nothing more");
	vm->target_pages = BENCH_RAM_PAGES;
	uint64_t total = 0;
	for (uint64_t ipa = balloon; ipa < GUEST_RAM_BASE + BENCH_RAM_PAGES * BOARD_PAGE_BYTES;
	     ipa += HVC_RANGE_MAX * BOARD_PAGE_BYTES) {
		board_memory_deflate(vm, ipa, HVC_RANGE_MAX, &taken);
		total += taken;
	}
	report(total == BENCH_RAM_PAGES - BENCH_BOOT_PAGES - 100 &&
		       board_vm_measure(vm) == BENCH_RAM_PAGES,
	       "target: up to the whole RAM window");
	bench_check("target");
}

void test_memory(void)
{
	test_isolation();
	test_outside();
	test_reuse();
	test_stale_translation();
	test_target();
}

static void expect_ends_well(const char *arguments, uint64_t ms, const char *name)
{
	bench_reset();
	struct board_vm *witness = bench_probe(1, "do=guard pages=8");
	struct board_vm *vm = bench_probe(0, arguments);
	bool well = bench_ends_well(vm, ms);
	report(well, "%s: status %lu after %lu calls, %lu refused", name, vm->exit_status,
	       vm->stats.calls, vm->stats.calls_refused);
	uint64_t before = bench_word(witness, PROBE_PROGRESS);
	bench_run_ms(50);
	report(board_vm_alive(witness) && bench_word(witness, PROBE_PROGRESS) > before,
	       "%s: the neighbour works", name);
	bench_check(name);
}

void test_calls(void)
{
	expect_ends_well("do=balloon", 500, "give and take");
	expect_ends_well("do=pages", 500, "F25 F26 shared pages move, stay, are given");
	expect_ends_well("do=hostile turns=4000", 60000, "F37 hostile arguments");
	expect_ends_well("do=unknown", 500, "unknown calls");
	expect_ends_well("do=undefined", 500, "registers that a guest does not have");
	expect_ends_well("do=float", 500, "floating point");
	expect_ends_well("do=early", 500, "F28 doorbell before the page is there");
	expect_ends_well("do=exit status=0", 50, "exit");
}
