/* SPDX-License-Identifier: MIT */
/*
 * Time: slices, fairness, the virtual timer, interrupts, and the block device's model.
 */
#include "../../board/timer.h"
#include "../../board/vm.h"
#include "bench.h"
#include "report.h"

static void test_fairness(uint32_t vm_count)
{
	struct board_vm *vms[6];
	uint64_t before[6];
	uint64_t least = UINT64_MAX;
	uint64_t most = 0;

	bench_reset();
	for (uint32_t i = 0; i < vm_count; i++) {
		vms[i] = bench_probe(i, "do=count");
	}
	bench_run_ms(20);
	for (uint32_t i = 0; i < vm_count; i++) {
		before[i] = bench_word(vms[i], PROBE_PROGRESS);
	}
	bench_run_ms(60 * vm_count);
	for (uint32_t i = 0; i < vm_count; i++) {
		uint64_t progress = bench_word(vms[i], PROBE_PROGRESS) - before[i];
		least = progress < least ? progress : least;
		most = progress > most ? progress : most;
	}
	report(least > 0 && most - least < most / 20,
	       "fairness: %u VMs, least served has %lu permille of the most", (unsigned)vm_count,
	       most == 0 ? 0 : least * 1000 / most);
}

static void test_virtual_timer(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=timer");
	uint64_t worst = 0;
	for (int i = 0; i < 400 && board_vm_alive(vm); i++) {
		bench_run_ms(1);
		worst = bench_word(vm, PROBE_RESULT) != 0 ? bench_word(vm, PROBE_RESULT) : worst;
	}
	report(!board_vm_alive(vm) && !vm->faulted && vm->exit_status == 0,
	       "virtual timer: 200 deadlines met in time, none early, status %lu", vm->exit_status);

	bench_reset();
	vm = bench_probe(0, "do=timer");
	bench_probe(1, "do=count");
	bench_probe(2, "do=spin");
	report(bench_ends_well(vm, 10000),
	       "virtual timer: likewise beside two VMs that use all the time they get");

	/* A VM that has slept starts its virtual time at its own boot. */
	bench_reset();
	bench_run_ms(100);
	vm = bench_probe(0, "do=timer");
	report(bench_ends_well(vm, 2000), "virtual timer: after a late start");
}

static void test_interrupt(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=listen");
	bench_run_ms(5);
	report(vm->state == BOARD_VM_IDLE, "interrupt: the VM waits");
	for (int i = 0; i < 10; i++) {
		board_vm_interrupt(vm);
		bench_run_ms(1);
	}
	report(bench_word(vm, PROBE_RESULT + 9) == 10 && vm->state == BOARD_VM_IDLE,
	       "interrupt: ten times told, ten times taken, %lu", bench_word(vm, PROBE_RESULT + 9));
	board_vm_exit(vm, 0);
	board_vm_interrupt(vm);
	report(!board_vm_alive(vm), "interrupt: for a dead VM, nothing happens");
}

static void test_idle(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=sleep");
	bench_run_ms(5);
	uint64_t before = vm->stats.run_ns;
	uint64_t start = board_time_ns();
	bench_run_ms(1000);
	report(board_time_ns() - start < 1000 * MS + 100000u && vm->stats.run_ns == before,
	       "idle: a second passes without anybody running");
}

void test_sched(void)
{
	test_fairness(2);
	test_fairness(3);
	test_fairness(6);
	test_virtual_timer();
	test_interrupt();
	test_idle();
}

void test_device(void)
{
	bench_reset();
	struct board_vm *vm = bench_probe(0, "do=block");
	report(bench_ends_well(vm, 1000), "block: bounds, contents, cost, status %lu",
	       vm->exit_status);

	/* One queue: two VMs that read all the time get half the rate each. */
	bench_reset();
	vm = bench_probe(0, "do=disk");
	bench_run_ms(300);
	uint64_t alone = bench_word(vm, PROBE_PROGRESS);
	bench_reset();
	vm = bench_probe(0, "do=disk");
	struct board_vm *other = bench_probe(1, "do=disk");
	bench_run_ms(300);
	uint64_t a = bench_word(vm, PROBE_PROGRESS);
	uint64_t b = bench_word(other, PROBE_PROGRESS);
	/* 64 blocks take 150 us + 2621 us: 108 requests in 300 ms. */
	report(alone >= 100 && alone <= 108, "block: %lu requests alone in 300 ms", alone);
	report(a + b >= 100 && a + b <= 108 && a <= b + 1 && b <= a + 1,
	       "block: %lu and %lu together, the device is shared", a, b);

	/* Swap does not outlive its VM. */
	board_vm_exit(vm, 0);
	board_vm_exit(other, 0);
	bench_restart(vm, "do=block");
	report(bench_ends_well(vm, 1000), "block: swap reads zero again after a restart");
	bench_check("block");
}
