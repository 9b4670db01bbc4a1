/* SPDX-License-Identifier: MIT */
/*
 * The main function of the test image: runs the group that the arguments name, on a bench of
 * probes.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include "../../board/args.h"
#include "../../board/blk.h"
#include "../../board/board.h"
#include "../../board/carve.h"
#include "../../board/hypercall.h"
#include "../../board/monitor.h"
#include "../../board/panic.h"
#include "../../board/pool.h"
#include "../../board/timer.h"
#include "../../board/vm_check.h"
#include "../../board/vm_table.h"
#include "report.h"

extern const uint8_t probe_image[], probe_image_end[];

static struct board_vm_config configs[BOARD_VM_MAX];
static uint64_t mark;

#define MIB 256u /* pages */
#define REAL(name)                                                                    \
	{                                                                             \
		name, name, 24u * MIB, 64u * MIB, 128u * MIB, 0, 96u * MIB, "scale=8" \
	}

const struct board_guest bench_guests[BENCH_GUESTS] = {REAL("play"), REAL("web"), REAL("game")};

void bench_reset(void)
{
	if (mark == 0) {
		mark = board_carve_mark();
	}
	board_hvc_listen(NULL);
	board_carve_release(mark);
	board_blk_init(&board_blk_emmc);
	if (!board_vm_init(256) || !board_pool_init(BENCH_POOL_PAGES)) {
		board_panic("no memory for the test bench");
	}
}

struct board_vm *bench_probe(uint32_t slot, const char *arguments)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

	configs[slot] = (struct board_vm_config){
		.name = names[slot % 8u],
		.image = {probe_image, (size_t)(probe_image_end - probe_image)},
		.ram_pages = BENCH_RAM_PAGES,
		.boot_pages = BENCH_BOOT_PAGES,
		.swap_blocks = BENCH_SWAP,
		.file_blocks = BENCH_FILE,
	};
	snprintf(configs[slot].args, sizeof(configs[slot].args), "%s", arguments);
	struct board_vm *vm = board_vm_create(slot, &configs[slot]);
	if (vm == NULL) {
		board_panic("no memory for probe %u", (unsigned)slot);
	}
	board_vm_start(vm);
	return vm;
}

void bench_restart(struct board_vm *vm, const char *arguments)
{
	if (arguments != NULL) {
		snprintf(configs[vm->slot].args, sizeof(configs[0].args), "%s", arguments);
	}
	board_vm_start(vm);
}

void bench_run_ms(uint64_t ms)
{
	uint64_t until = board_time_ns() + ms * MS;

	while (board_monitor_run(until) != NULL) {
		continue;
	}
}

bool bench_ends_well(struct board_vm *vm, uint64_t ms)
{
	uint64_t until = board_time_ns() + ms * MS;

	while (board_vm_alive(vm) && board_time_ns() < until) {
		board_monitor_run(until);
	}
	return !board_vm_alive(vm) && !vm->faulted && vm->exit_status == 0;
}

uint64_t bench_word(const struct board_vm *vm, uint32_t index)
{
	uint64_t page = board_vm_alive(vm) ? board_stage2_lookup(&vm->space, PROBE_SHARED) : 0;

	return page == 0 ? 0 : ((const volatile uint64_t *)(uintptr_t)page)[index];
}

void bench_check(const char *name)
{
	const char *wrong = board_vm_check();

	report(wrong == NULL, "%s: pool, tables and counts agree%s%s", name,
	       wrong == NULL ? "" : ": ", wrong == NULL ? "" : wrong);
}

int board_main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} groups[] = {
		{"boot", test_boot},     {"memory", test_memory},       {"calls", test_calls},
		{"faults", test_faults}, {"sched", test_sched},         {"device", test_device},
		{"vector", test_vector}, {"balance", test_balance},     {"hostile", test_hostile},
		{"churn", test_churn},   {"scenarios", test_scenarios}, {"update", test_update},
		{"live", test_live},
	};
	char name[16];

	if (board_arg("test", name, sizeof(name))) {
		for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
			if (strcmp(name, groups[i].name) == 0) {
				bench_reset();
				groups[i].run();
				return report_summary();
			}
		}
	}
	printf("test= names no group\n");
	return 2;
}
