/* SPDX-License-Identifier: MIT */
/*
 * EL2 stage 1: one identity map, built once with the MMU off and never changed. Devices and RAM are
 * mapped by large blocks, the image by pages so that nothing is both writable and executable
 * (SCTLR_EL2.WXN makes the CPU agree) and so that the page below the stack can be left out.
 */
#include "board.h"

#include "arch.h"

#define IMAGE_BLOCKS                                                                 \
	16u /* 2 MiB each from 0x40000000: device tree and image; virt.ld asserts it \
	     */
#define RAM_GIB_MAX 4u

#define BLOCK_BYTES (UINT64_C(2) << 20)
#define GIB         (UINT64_C(1) << 30)

/* Descriptor bits, stage 1, EL2. */
#define DESC_TABLE     3u
#define DESC_PAGE      3u
#define DESC_BLOCK     1u
#define ATTR_DEVICE    (0u << 2)
#define ATTR_NORMAL    (1u << 2)
#define ATTR_AP_RES1   (1u << 6)
#define ATTR_READ_ONLY (1u << 7)
#define ATTR_INNER     (3u << 8)
#define ATTR_AF        (1u << 10)
#define ATTR_XN        (UINT64_C(1) << 54)

#define MEMORY_RW (ATTR_NORMAL | ATTR_AP_RES1 | ATTR_INNER | ATTR_AF | ATTR_XN)
#define MEMORY_RO (MEMORY_RW | ATTR_READ_ONLY)
#define MEMORY_RX (MEMORY_RO & ~ATTR_XN)
#define DEVICE_RW (ATTR_DEVICE | ATTR_AP_RES1 | ATTR_AF | ATTR_XN)

/* Attribute 0: Device-nGnRE; 1: Normal, write-back, read and write allocate, inner and outer. */
#define MAIR UINT64_C(0xff04)

/* 39-bit addresses, 4 KiB granule, walks write-back inner shareable, 40-bit output, RES1 bits. */
#define TCR (UINT64_C(0x80800000) | 25u | 1u << 8 | 1u << 10 | 3u << 12 | 2u << 16)

/* RES1 bits; MMU, caches, stack alignment check, and no execution of what is writable. */
#define SCTLR (UINT64_C(0x30c50830) | 1u << 0 | 1u << 2 | 1u << 3 | 1u << 12 | 1u << 19)

static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[RAM_GIB_MAX][512] __attribute__((aligned(4096)));
static uint64_t level3[IMAGE_BLOCKS][512] __attribute__((aligned(4096)));

static uint64_t address_of(const void *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

/* The permission of one page of the first IMAGE_BLOCKS blocks; 0 leaves it unmapped. */
static uint64_t page_attributes(uint64_t page)
{
	if (page < address_of(board_image_start)) {
		return MEMORY_RO; /* the device tree */
	}
	if (page < address_of(board_text_end)) {
		return MEMORY_RX;
	}
	if (page < address_of(board_rodata_end)) {
		return MEMORY_RO;
	}
	return page == address_of(board_stack_guard) ? 0 : MEMORY_RW;
}

void board_mmu_init(uint64_t ram_end)
{
	/* One gigabyte of devices: the GIC and the UART live in it. */
	level1[0] = DEVICE_RW | DESC_BLOCK;

	for (uint64_t gib = 0; gib < RAM_GIB_MAX && BOARD_DTB + gib * GIB < ram_end; gib++) {
		level1[BOARD_DTB / GIB + gib] = address_of(level2[gib]) | DESC_TABLE;
		for (uint64_t i = 0; i < 512; i++) {
			uint64_t block = BOARD_DTB + gib * GIB + i * BLOCK_BYTES;
			if (block + BLOCK_BYTES <= ram_end) {
				level2[gib][i] = block | MEMORY_RW | DESC_BLOCK;
			}
		}
	}

	for (uint64_t i = 0; i < IMAGE_BLOCKS; i++) {
		for (uint64_t j = 0; j < 512; j++) {
			uint64_t page = BOARD_DTB + i * BLOCK_BYTES + j * BOARD_PAGE_BYTES;
			uint64_t attributes = page_attributes(page);
			level3[i][j] = attributes == 0 ? 0 : page | attributes | DESC_PAGE;
		}
		level2[0][i] = address_of(level3[i]) | DESC_TABLE;
	}

	board_sysreg_write(mair_el2, MAIR);
	board_sysreg_write(tcr_el2, TCR);
	board_sysreg_write(ttbr0_el2, address_of(level1));

	/* What the tables hold must be in memory, and nothing stale in the TLB or the caches. */
	board_dsb_sy();
	__asm__ volatile("tlbi alle2\n\tic iallu" : : : "memory");
	board_dsb_sy();
	board_isb();
	board_sysreg_write(sctlr_el2, SCTLR);
	board_isb();
}
