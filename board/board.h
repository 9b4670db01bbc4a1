/* SPDX-License-Identifier: MIT */
/*
 * What the board offers below the virtual machines: console, exit, time, interrupts, memory.
 * One section a file; each function is documented here and nowhere else.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "panic.h"

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

/* --- boot.c --- */

/* Brings the board up in order, runs board_main, leaves with its status. Called by start.S only. */
_Noreturn void board_start(void);

/* What to run once the board is up; each image has its own. Returns: the exit status. */
int board_main(void);

/* Returns: the end of RAM that can be used; whole blocks of the map. */
uint64_t board_ram_end(void);

/* --- args.c: the arguments of the run --- */

/* Fetches them from the host. */
void board_args_init(void);

/*
 * Finds `name=value` among the arguments. `value` receives at most `size` bytes, always terminated.
 * Returns: whether the argument is there.
 */
bool board_arg(const char *name, char *value, size_t size);

/* The same for an unsigned decimal number; `otherwise` if it is absent or malformed. */
uint64_t board_arg_number(const char *name, uint64_t otherwise);

/* --- uart.c: PL011, output only, polled; works with the MMU off --- */

void board_uart_init(void);
void board_uart_put(char character);
void board_uart_write(const char *text, size_t bytes);

/* --- semi.c: Arm semihosting, the run's connection to the host; works with the MMU off --- */

#define BOARD_SEMI_READ  0 /* open modes of the semihosting specification: "r" */
#define BOARD_SEMI_WRITE 4 /* "w" */

_Noreturn void board_exit(int status);
/* Writes to the console of the host, which is there whatever the machine is. */
void board_semi_say(const char *text);
/* Copies the command line into `line`. Returns: whether there is one that fits. */
bool board_semi_command_line(char *line, size_t size);
/* Returns: a handle, or a negative number. */
int board_semi_open(const char *path, int mode);
int board_semi_close(int handle);
/* Return: bytes NOT transferred; negative on failure. */
int64_t board_semi_write(int handle, const void *data, size_t bytes);
int64_t board_semi_read(int handle, void *data, size_t bytes);
/* Returns: 0, or negative on failure. */
int board_semi_seek(int handle, uint64_t offset);
/* Returns: bytes in the file, or negative on failure. */
int64_t board_semi_length(int handle);

/* --- fdt.c: the flattened device tree, only as far as the size of memory --- */

struct board_memory {
	uint64_t base;
	uint64_t bytes;
};

/*
 * Finds the first memory range in the tree at `blob`, of which at most `limit` bytes are looked at.
 * The blob is outside data: any content gives either a range or false, never a wild access.
 */
bool board_fdt_memory(const void *blob, size_t limit, struct board_memory *memory);

/* --- mmu.c: EL2 stage 1 --- */

/*
 * Maps devices, device tree and image (W^X by page); turns MMU and caches on. Called by start.S
 * only.
 */
void board_mmu_init(void);
/* Maps RAM from the end of the image to `end`, if it is whole blocks. Returns: the end of the map.
 */
uint64_t board_mmu_map_ram(uint64_t end);
/* Returns: the first address that this CPU or this map cannot reach. */
uint64_t board_mmu_reach(void);
/* Returns: the size of physical addresses, coded as in TCR_EL2.PS and VTCR_EL2.PS. */
uint64_t board_mmu_address_size(void);

/* --- gic.c: GICv3 --- */

#define BOARD_IRQ_VTIMER 27u /* CNTV: belongs to the running guest */
#define BOARD_IRQ_HTIMER 26u /* CNTHP: the monitor's own */
#define BOARD_IRQ_NONE   1023u

/* The virtual CPU interface of one VM; each virtual interrupt owns one list register. */
struct board_vgic {
	uint64_t timer; /* ICH_LR0_EL2, linked to the physical timer interrupt */
	uint64_t poise; /* ICH_LR1_EL2, software only */
	uint64_t vmcr;
	uint64_t ap0r0;
	uint64_t ap1r0;
};

void board_gic_init(void);
/* Returns: the interrupt taken, priority dropped but still active, or BOARD_IRQ_NONE. */
uint32_t board_gic_take(void);
/* Deactivates an interrupt that board_gic_take returned. */
void board_gic_done(uint32_t irq);
void board_vgic_reset(struct board_vgic *vgic);
void board_vgic_load(const struct board_vgic *vgic);
void board_vgic_save(struct board_vgic *vgic);
/* Make an interrupt pending in a VM that is not loaded. */
void board_vgic_inject_timer(struct board_vgic *vgic);
void board_vgic_inject_poise(struct board_vgic *vgic);
/* Returns: whether the VM has an interrupt to wake up for. */
bool board_vgic_pending(const struct board_vgic *vgic);

/* --- timer.c: virtual nanoseconds since the start of the machine --- */

void board_timer_init(void);
uint64_t board_time_ns(void);
/* Lets the monitor's timer interrupt fire at `ns`; UINT64_MAX switches it off. */
void board_timer_set(uint64_t ns);
/* Convert between nanoseconds and ticks of the counter. */
uint64_t board_timer_ticks_to_ns(uint64_t ticks);
uint64_t board_timer_ns_to_ticks(uint64_t ns);

/* --- carve.c: memory that is given out once, between the image and the end of RAM --- */

void board_carve_init(uint64_t start, uint64_t end);
/* Takes `bytes`, page aligned, not zeroed. Returns: the address, or 0 if there is not enough. */
uint64_t board_carve(uint64_t bytes);
/* Everything carved after `mark` is free again: the way one phase makes room for the next. */
uint64_t board_carve_mark(void);
void board_carve_release(uint64_t mark);
uint64_t board_carve_left_bytes(void);

/* --- pool.c: the pages that guests live in --- */

#define BOARD_OWNER_FREE 0u /* VMIDs start at 1 */

/*
 * Makes one pool of `page_count` free pages out of carved memory; a former pool is forgotten.
 * Returns: false if there is not enough memory.
 */
bool board_pool_init(uint32_t page_count);
/* Hands out one zeroed page, cleaned to the point of coherency. Returns: its address, or 0. */
uint64_t board_pool_take(uint8_t owner);
/* Scrubs a page and puts it back; `owner` must be who it was handed to. */
void board_pool_give(uint64_t page, uint8_t owner);
uint32_t board_pool_free_count(void);
uint32_t board_pool_page_count(void);
/* Counts the pages of an owner by looking at every page: for checks, not for work. */
uint32_t board_pool_count_owner(uint8_t owner);
/* Zeroes one page by cache line and cleans it to the point of coherency. */
void board_page_zero(uint64_t page);

#endif
