/* SPDX-License-Identifier: MIT */
/* The machine: where things are on QEMU's virt board, and how it comes up. */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include <stdint.h>

/* Linker script symbols: addresses, never read. */
extern char board_image_start[], board_text_end[], board_rodata_end[], board_stack_guard[],
	board_image_end[];
extern char board_vectors[], board_last_vectors[];

#define BOARD_DTB         0x40000000u /* QEMU's device tree, if the image leaves room for it */
#define BOARD_DTB_BYTES   0x100000u
#define BOARD_UART        0x09000000u
#define BOARD_GICD        0x08000000u
#define BOARD_GICR        0x080a0000u
#define BOARD_DEVICES_END 0x40000000u

/* Brings the board up in order, runs board_main, leaves with its status. Called by start.S only. */
_Noreturn void board_start(void);

/* What to run once the board is up; each image has its own. Returns: the exit status. */
int board_main(void);

/* Returns: the end of RAM that can be used; whole blocks of the map. */
uint64_t board_ram_end(void);

#endif
