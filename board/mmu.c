/* SPDX-License-Identifier: MIT */
/*
 * EL2 stage 1: one identity map. Devices and RAM are mapped by large blocks, the image by pages so
 * that nothing is both writable and executable (SCTLR_EL2.WXN makes the CPU agree) and so that the
 * page below the stack can be left out.
 *
 * How much RAM there is stands in the device tree, which is read with the MMU on. So the map is
 * made in two steps: what the loader has put into memory, which is there for certain; the rest when
 * its end is known. In between, and ever after, nothing that may not exist is mapped as Normal
 * memory: a CPU may read such an address of its own accord, and an interconnect need not survive
 * that.
 *
 * board_mmu_init runs with the MMU off. All data is Device memory then, where an access that is not
 * aligned faults: this file calls nothing but panic.c, which is made for that, and no library;
 * test/objcode checks it.
 */
#include "mmu.h"

#include "arch.h"
#include "board.h"
#include "panic.h"

/* Of 2 MiB each from 0x40000000: device tree and image; virt.ld asserts it. */
#define IMAGE_BLOCKS 16u

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

/* 39-bit addresses, 4 KiB granule, walks write-back inner shareable, RES1 bits; bits 16 up: PS. */
#define ADDRESS_BITS 39u
#define TCR          (UINT64_C(0x80800000) | (64u - ADDRESS_BITS) | 1u << 8 | 1u << 10 | 3u << 12)
#define TCR_PS_SHIFT 16

/* RES1 bits; MMU, caches, stack alignment check, and no execution of what is writable. */
#define SCTLR (UINT64_C(0x30c50830) | 1u << 0 | 1u << 2 | 1u << 3 | 1u << 12 | 1u << 19)

/* ID_AA64MMFR0_EL1: physical address size, coded as in TCR_EL2.PS; 4 KiB granule, 15 for none. */
#define MMFR0_PARANGE      15u
#define MMFR0_TGRAN4_SHIFT 28
#define MMFR0_TGRAN4_NONE  15u
#define PS_40_BITS         2u

static uint64_t level1[512] __attribute__((aligned(4096)));
/* Of the first GiB of RAM, and of the last one if RAM ends inside it. */
static uint64_t level2_first[512] __attribute__((aligned(4096)));
static uint64_t level2_last[512] __attribute__((aligned(4096)));
static uint64_t level3[IMAGE_BLOCKS * 512u] __attribute__((aligned(4096)));

static uint64_t address_of(const void *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

/* The permission of a page below the end of the image; 0 leaves it unmapped. */
static uint64_t image_attributes(uint64_t page)
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

uint64_t board_mmu_address_size(void)
{
	uint64_t range = board_sysreg_read(id_aa64mmfr0_el1) & MMFR0_PARANGE;
	return range < PS_40_BITS ? range : PS_40_BITS;
}

uint64_t board_mmu_reach(void)
{
	static const uint8_t bits[PS_40_BITS + 1u] = {32, 36, ADDRESS_BITS};
	return UINT64_C(1) << bits[board_mmu_address_size()];
}

void board_mmu_init(void)
{
	uint64_t granule = board_sysreg_read(id_aa64mmfr0_el1) >> MMFR0_TGRAN4_SHIFT & 15u;
	if (granule == MMFR0_TGRAN4_NONE) {
		board_refuse("board: this CPU has no 4 KiB pages\n");
	}

	/* One gigabyte of devices: the GIC and the UART live in it. */
	level1[0] = DEVICE_RW | DESC_BLOCK;
	level1[BOARD_DTB / GIB] = address_of(level2_first) | DESC_TABLE;
	for (uint64_t i = 0; i < IMAGE_BLOCKS; i++) {
		level2_first[i] = address_of(&level3[i * 512u]) | DESC_TABLE;
	}
	uint64_t image_pages = (address_of(board_image_end) - BOARD_DTB) / BOARD_PAGE_BYTES;
	for (uint64_t i = 0; i < image_pages; i++) {
		uint64_t page = BOARD_DTB + i * BOARD_PAGE_BYTES;
		uint64_t attributes = image_attributes(page);
		level3[i] = attributes == 0 ? 0 : page | attributes | DESC_PAGE;
	}

	board_sysreg_write(mair_el2, MAIR);
	board_sysreg_write(tcr_el2, TCR | board_mmu_address_size() << TCR_PS_SHIFT);
	board_sysreg_write(ttbr0_el2, address_of(level1));

	/* What the tables hold must be in memory, and nothing stale in the TLB or the caches. */
	board_dsb_sy();
	__asm__ volatile("tlbi alle2\n\tic iallu" : : : "memory");
	board_dsb_sy();
	board_isb();
	board_sysreg_write(sctlr_el2, SCTLR);
	board_isb();
}

uint64_t board_mmu_map_ram(uint64_t end)
{
	uint64_t at = address_of(board_image_end);

	while (at < BOARD_DTB + IMAGE_BLOCKS * BLOCK_BYTES && end - at >= BOARD_PAGE_BYTES) {
		level3[(at - BOARD_DTB) / BOARD_PAGE_BYTES] = at | MEMORY_RW | DESC_PAGE;
		at += BOARD_PAGE_BYTES;
	}
	while (at < BOARD_DTB + GIB && end - at >= BLOCK_BYTES) {
		level2_first[(at - BOARD_DTB) / BLOCK_BYTES] = at | MEMORY_RW | DESC_BLOCK;
		at += BLOCK_BYTES;
	}
	while (at >= BOARD_DTB + GIB && end - at >= GIB) {
		level1[at / GIB] = at | MEMORY_RW | DESC_BLOCK;
		at += GIB;
	}
	if (at >= BOARD_DTB + GIB && end - at >= BLOCK_BYTES) {
		level1[at / GIB] = address_of(level2_last) | DESC_TABLE;
		while (end - at >= BLOCK_BYTES) {
			level2_last[at % GIB / BLOCK_BYTES] = at | MEMORY_RW | DESC_BLOCK;
			at += BLOCK_BYTES;
		}
	}

	/* The walker must see the entries; what was invalid is in no TLB. */
	board_dsb_sy();
	board_isb();
	return at;
}
