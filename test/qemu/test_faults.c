/* SPDX-License-Identifier: MIT */
/*
 * Guests that misbehave at length: loops, floods, deaths by the hundred. Each costs itself alone.
 */
#include <string.h>

#include "../../board/hypercall.h"
#include "../../board/pool.h"
#include "../../board/sched.h"
#include "../../board/vm_table.h"
#include "bench.h"
#include "report.h"

/* Progress of a neighbour in 200 ms beside a probe that does `arguments`. */
static uint64_t neighbour_progress(const char *arguments)
{
	bench_reset();
	struct board_vm *neighbour = bench_probe(0, "do=count");
	struct board_vm *vm = bench_probe(1, arguments);
	bench_run_ms(20);
	uint64_t before = bench_word(neighbour, PROBE_PROGRESS);
	bench_run_ms(200);
	uint64_t progress = bench_word(neighbour, PROBE_PROGRESS) - before;
	report(board_vm_alive(vm), "%s: is still alive", arguments);
	bench_check(arguments);
	return progress;
}

static uint32_t listened;

static void count_registered(struct board_vm *vm)
{
	(void)vm;
}

static void count_settled(struct board_vm *vm, uint64_t epoch)
{
	(void)vm;
	(void)epoch;
}

static void count_urgent(struct board_vm *vm)
{
	(void)vm;
	listened++;
}

static const struct board_poise_ops counting = {count_registered, count_settled, count_urgent};

static void test_hogs(void)
{
	uint64_t fair = neighbour_progress("do=count");

	uint64_t beside = neighbour_progress("do=spin");
	report(beside > fair * 95 / 100 && beside < fair * 105 / 100,
	       "endless loop with interrupts masked: neighbour at %lu permille of its fair half",
	       beside * 1000 / fair);
	beside = neighbour_progress("do=flood");
	report(beside > fair * 95 / 100, "F27 doorbell flood: neighbour at %lu permille",
	       beside * 1000 / fair);
	beside = neighbour_progress("do=shout");
	report(beside > fair * 95 / 100, "console flood: neighbour at %lu permille",
	       beside * 1000 / fair);
	beside = neighbour_progress("do=disk");
	report(beside > fair * 95 / 100, "block flood: neighbour at %lu permille",
	       beside * 1000 / fair);
}

static void test_flood_bound(void)
{
	bench_reset();
	board_hvc_listen(&counting);
	listened = 0;
	struct board_vm *vm = bench_probe(0, "do=flood");
	bench_run_ms(200);
	uint64_t slices = 200 * MS / BOARD_SLICE_NS;
	report(vm->stats.doorbells > 10000 &&
		       listened <= (slices + 2) * BOARD_DOORBELLS_PER_SLICE && listened > 0,
	       "F27 doorbell flood: %lu rings, %u listened to in %lu slices", vm->stats.doorbells,
	       (unsigned)listened, slices);
	report(vm->stats.doorbells == vm->stats.doorbells_ignored + listened,
	       "F27 doorbell flood: the others are counted");

	bench_reset();
	board_hvc_listen(&counting);
	listened = 0;
	vm = bench_probe(0, "do=early");
	report(bench_ends_well(vm, 50) && listened == 0 && vm->stats.doorbells_ignored == 100,
	       "F28 doorbell before the page is ready: counted, not looked at");
	board_hvc_listen(NULL);
}

static void test_restarts(void)
{
	static const char *const deaths[] = {
		"do=suicide",          "do=read ipa=0", "do=exit status=3",       "do=hostpage",
		"do=hostile turns=20", "do=balloon",    "do=jump ipa=2415919104",
	};

	bench_reset();
	board_vm_quiet(true);
	uint32_t free_before = board_pool_free_count();
	uint32_t tables_before = board_stage2_tables_free();
	struct board_vm *witness = bench_probe(1, "do=guard pages=8");
	bench_run_ms(5);
	uint32_t free_alone = board_pool_free_count();

	struct board_vm *vm = bench_probe(0, deaths[0]);
	uint64_t boot_id = 0;
	bool all_dead = true;
	bool new_ids = true;
	for (int i = 1; i <= 140; i++) {
		new_ids = new_ids && vm->boot_id > boot_id;
		boot_id = vm->boot_id;
		bench_ends_well(vm, 1000);
		all_dead = all_dead && !board_vm_alive(vm) && board_pool_free_count() == free_alone;
		if (i < 140) {
			bench_restart(vm, deaths[(unsigned)i % 7u]);
		}
	}
	report(all_dead && vm->stats.starts == 140 && vm->stats.deaths == 140,
	       "F45 restart: 140 deaths of 7 kinds, each gave all pages back");
	report(new_ids, "F45 restart: each boot has a new generation");
	report(board_vm_alive(witness) && bench_word(witness, PROBE_PROGRESS) > 100,
	       "F45 restart: the neighbour never noticed");
	bench_check("F45 restart");
	board_vm_remove(vm);
	board_vm_remove(witness);
	report(board_pool_free_count() == free_before &&
		       board_stage2_tables_free() == tables_before,
	       "F45 restart: pages and tables are counted out as they were counted in");
	board_vm_quiet(false);
}

static void test_undefined_end(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=suicide");
	bench_run_ms(20);
	report(!board_vm_alive(vm) && vm->faulted && vm->fault.ipa == 0x200u &&
		       vm->fault.esr >> 26 == 0x20u && vm->fault.pc == 0x200u,
	       "undefined instruction without vectors: dies at its own vector");
}

void test_faults(void)
{
	test_hogs();
	test_flood_bound();
	test_restarts();
	test_undefined_end();
}
