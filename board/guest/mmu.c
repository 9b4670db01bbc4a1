/* SPDX-License-Identifier: MIT */
/*
 * Stage 1: 4 KiB granule, 39-bit addresses, three levels. The image is mapped page by page with the
 * least permissions, RAM linearly in 2 MiB blocks, and the workload window page by page, on demand:
 * its level 3 is one flat array, so that the entry of a page of the window is found by its number.
 *
 * All memory is Normal, Inner and Outer Write-Back, Inner Shareable. Cortex-A72 does not update the
 * access flag in hardware: clearing it makes the next touch fault, and that is what tells reclaim
 * which pages are in use.
 */
#include "guest.h"
#include "../arch.h"

#define ENTRIES       512u
#define WINDOW_BASE   UINT64_C(0x4000000000) /* entry 256 of level 1 */
#define WINDOW_TABLES 4u                     /* of level 2, 1 GiB each */
#define WINDOW_PAGES  (WINDOW_TABLES * ENTRIES * ENTRIES)
#define RAM_TABLES    2u /* IPAs end at 4 GiB */
#define BLOCK_BYTES   UINT64_C(0x200000)

#define DESC_TABLE UINT64_C(3)
#define DESC_PAGE  UINT64_C(3)
#define DESC_BLOCK UINT64_C(1)
#define DESC_RO    (UINT64_C(1) << 7)
#define DESC_INNER (UINT64_C(3) << 8)
#define DESC_AF    (UINT64_C(1) << 10)
#define DESC_PXN   (UINT64_C(1) << 53)
#define DESC_UXN   (UINT64_C(1) << 54)
#define DESC_DATA  (DESC_INNER | DESC_AF | DESC_PXN | DESC_UXN)
#define DESC_CODE  (DESC_INNER | DESC_AF | DESC_UXN | DESC_RO)

#define MAIR_NORMAL_WB UINT64_C(0xff)
/* 39-bit TTBR0, walks write-back inner shareable, 4 KiB, TTBR1 off, 32-bit output. */
#define TCR_VALUE (25u | 1u << 8 | 1u << 10 | 3u << 12 | 1u << 23)
/* RES1 bits, W^X, and M, C, SA, I. */
#define SCTLR_VALUE (UINT64_C(0x30d00800) | 1u << 19 | 1u << 12 | 1u << 3 | 1u << 2 | 1u)

/* ESR_EL1: a data abort from EL1, and why. */
#define ESR_CLASS(esr)    ((esr) >> 26 & 0x3fu)
#define ESR_DATA_ABORT    0x25u
#define ESR_FAULT(esr)    ((esr)&0x3cu)
#define FAULT_TRANSLATION 0x04u
#define FAULT_ACCESS_FLAG 0x08u

static uint64_t level1[ENTRIES] __attribute__((aligned(4096)));
static uint64_t ram_level2[RAM_TABLES][ENTRIES] __attribute__((aligned(4096)));
static uint64_t image_level3[ENTRIES] __attribute__((aligned(4096)));
static uint64_t window_level2[WINDOW_TABLES][ENTRIES] __attribute__((aligned(4096)));
static uint64_t *window; /* a level 3 entry for each page of the window */
static uint32_t window_pages;

void mmu_build(void)
{
	for (uint64_t i = 0; i < ENTRIES; i++) {
		const uint64_t address = GUEST_RAM_BASE + i * GUEST_PAGE_BYTES;
		uint64_t attributes = DESC_DATA;

		if (address < (uintptr_t)guest_rodata_start) {
			attributes = DESC_CODE;
		} else if (address < (uintptr_t)guest_data_start) {
			attributes = DESC_DATA | DESC_RO;
		}
		if (address != (uintptr_t)guest_stack_guard) {
			image_level3[i] = address | attributes | DESC_PAGE;
		}
	}
	/* All that could be RAM: stage 2 knows what is, and ends a guest that touches the rest. */
	for (uint64_t i = 0; i < (uint64_t)RAM_TABLES * ENTRIES; i++) {
		ram_level2[i / ENTRIES][i % ENTRIES] =
			(GUEST_RAM_BASE + i * BLOCK_BYTES) | DESC_DATA | DESC_BLOCK;
	}
	ram_level2[0][0] = (uintptr_t)image_level3 | DESC_TABLE;
	for (uint64_t i = 0; i < RAM_TABLES; i++) {
		level1[(GUEST_RAM_BASE >> 30) + i] = (uintptr_t)ram_level2[i] | DESC_TABLE;
	}
	for (uint64_t i = 0; i < WINDOW_TABLES; i++) {
		level1[(WINDOW_BASE >> 30) + i] = (uintptr_t)window_level2[i] | DESC_TABLE;
	}
}

void mmu_enable(void)
{
	board_sysreg_write(mair_el1, MAIR_NORMAL_WB);
	board_sysreg_write(tcr_el1, TCR_VALUE);
	board_sysreg_write(ttbr0_el1, (uintptr_t)level1);
	board_isb();
	__asm__ volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh" ::: "memory");
	board_isb();
	board_sysreg_write(sctlr_el1, SCTLR_VALUE);
	board_isb();
}

size_t mmu_window_bytes(uint32_t pages)
{
	return (size_t)(pages + ENTRIES - 1u) / ENTRIES * GUEST_PAGE_BYTES;
}

void mmu_window_init(uint64_t *tables, uint32_t pages)
{
	window = tables;
	window_pages = pages < WINDOW_PAGES ? pages : WINDOW_PAGES;
	for (uint32_t i = 0; i * ENTRIES < window_pages; i++) {
		window_level2[i / ENTRIES][i % ENTRIES] =
			(uintptr_t)(window + (size_t)i * ENTRIES) | DESC_TABLE;
	}
	__asm__ volatile("dsb ishst" ::: "memory");
	board_isb();
}

static void set_entry(uint32_t vpn, uint64_t entry)
{
	__atomic_store_n(&window[vpn], entry, __ATOMIC_RELAXED);
	__asm__ volatile("dsb ishst" ::: "memory");
}

/* The operand of TLBI by address: bits 55..12 of it, all ASIDs. */
static void invalidate(uint32_t vpn)
{
	const uint64_t page = (WINDOW_BASE >> 12) + vpn;

	__asm__ volatile("tlbi vaale1is, %0" ::"r"(page) : "memory");
}

void machine_map(void *machine, uint32_t vpn, uint32_t pfn)
{
	(void)machine;
	const uint64_t address = GUEST_RAM_BASE + (uint64_t)pfn * GUEST_PAGE_BYTES;

	set_entry(vpn, address | DESC_DATA | DESC_PAGE);
	board_isb();
}

void machine_unmap(void *machine, uint32_t vpn)
{
	(void)machine;
	set_entry(vpn, 0);
	invalidate(vpn);
	board_dsb_ish();
	board_isb();
}

bool machine_test_clear_young(void *machine, uint32_t vpn)
{
	(void)machine;
	const uint64_t entry = window[vpn];

	if ((entry & DESC_AF) == 0) {
		return false;
	}
	set_entry(vpn, entry & ~DESC_AF);
	/*
	 * Not waited for: a touch that still hits the old translation goes unnoticed, which makes
	 * the page look a little older than it is and does no other harm.
	 */
	invalidate(vpn);
	return true;
}

volatile uint64_t *machine_window(void *machine, uint32_t vpn)
{
	(void)machine;
	return (volatile uint64_t *)(uintptr_t)(WINDOW_BASE + (uint64_t)vpn * GUEST_PAGE_BYTES);
}

bool mmu_window_fault(uint64_t address, uint64_t esr)
{
	const uint64_t vpn = (address - WINDOW_BASE) / GUEST_PAGE_BYTES;

	if (ESR_CLASS(esr) != ESR_DATA_ABORT || address < WINDOW_BASE || vpn >= window_pages) {
		return false;
	}
	if (ESR_FAULT(esr) == FAULT_ACCESS_FLAG) {
		set_entry((uint32_t)vpn, window[vpn] | DESC_AF);
		return true;
	}
	if (ESR_FAULT(esr) != FAULT_TRANSLATION) {
		return false;
	}
	/* The fault may reclaim and sleep: the timer has to go on. */
	irq_unmask();
	mm_anon_fault(&guest_mm, (uint32_t)vpn);
	irq_mask();
	return true;
}
