/* SPDX-License-Identifier: MIT */
/*
 * The order in which the board comes up once the MMU is on, and what it says of a machine that it
 * cannot use. What is run on the board is board_main's concern, one per image.
 */
#include <stdio.h>

#include "args.h"
#include "board.h"
#include "carve.h"
#include "fdt.h"
#include "gic.h"
#include "mmu.h"
#include "panic.h"
#include "semi.h"
#include "timer.h"
#include "uart.h"

#define MIB (UINT64_C(1) << 20)

static uint64_t ram_end;

/* Returns: the end of RAM, of a machine on which the rest of the monitor works. */
static uint64_t find_ram(void)
{
	struct board_memory memory;
	char why[160];

	if (!board_fdt_memory((const void *)(uintptr_t)BOARD_DTB, BOARD_DTB_BYTES, &memory)) {
		board_refuse("board: no device tree that names memory at 0x40000000; QEMU needs "
			     "-M virt\n");
	}
	uint64_t end = memory.base + memory.bytes;
	if (memory.base != BOARD_DTB) {
		snprintf(why, sizeof(why), "board: memory is at 0x%lx instead of 0x%x\n",
			 memory.base, BOARD_DTB);
	} else if (end < (uint64_t)(uintptr_t)board_image_end) {
		snprintf(why, sizeof(why), "board: %lu MiB of memory are too little\n",
			 memory.bytes / MIB);
	} else if (end > board_mmu_reach()) {
		snprintf(why, sizeof(why),
			 "board: %lu MiB of memory are more than the %lu that it "
			 "can map on this CPU\n",
			 memory.bytes / MIB, (board_mmu_reach() - BOARD_DTB) / MIB);
	} else {
		return end;
	}
	board_refuse(why);
}

uint64_t board_ram_end(void)
{
	return ram_end;
}

_Noreturn void board_start(void)
{
	ram_end = board_mmu_map_ram(find_ram());
	board_uart_init();
	board_gic_init();
	board_timer_init();
	board_carve_init((uint64_t)(uintptr_t)board_image_end, ram_end);
	board_args_init();

	int status = board_main();
	fflush(NULL);
	board_exit(status);
}
