/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: 32-bit guest physical address spaces with 4 KiB pages, three levels, a VMID each.
 *
 * All tables of a space's RAM window are built when it is created, from pages of their own: a fault
 * can then always be answered, and memory for tables never competes with memory for guests. An
 * entry goes from one valid value to another only through invalid, TLB invalidation and DSB.
 */
#include "stage2.h"

#include <stddef.h>

#include "arch.h"
#include "mmu.h"
#include "panic.h"
#include "pool.h"

#define ENTRIES     512u
#define LEVEL2_SPAN (UINT64_C(1) << 30)
#define LEVEL3_SPAN (UINT64_C(1) << 21)

/* The RAM window starts at a border of level 2 and ends at 4 GiB at the latest. */
_Static_assert(GUEST_RAM_BASE % (UINT64_C(1) << 30) == 0, "RAM must start on a 1 GiB border");

#define DESC_VALID      UINT64_C(1)
#define DESC_TABLE      UINT64_C(3)
#define DESC_PAGE       UINT64_C(3)
#define DESC_ADDRESS    UINT64_C(0x0000fffffffff000)
#define S2_NORMAL_WB    (UINT64_C(15) << 2) /* inner and outer write-back */
#define S2_NORMAL_FWB   (UINT64_C(6) << 2)  /* with HCR_EL2.FWB: force write-back */
#define S2_READ         (UINT64_C(1) << 6)
#define S2_WRITE        (UINT64_C(1) << 7)
#define S2_INNER        (UINT64_C(3) << 8)
#define S2_AF           (UINT64_C(1) << 10)
#define FLUSH_ALL_ABOVE 64u /* pages; more than this costs less by VMID */

/* 32-bit IPA from level 1, walks write-back inner shareable, 4 KiB, RES1; bits 16 up: PS. */
#define VTCR          (UINT64_C(1) << 31 | 32u | 1u << 6 | 1u << 8 | 1u << 10 | 3u << 12)
#define VTCR_PS_SHIFT 16

static uint64_t free_tables; /* list through the first word of each free table */
static uint32_t free_table_count;
static uint64_t memory_type;

static uint64_t *entries_of(uint64_t table)
{
	return (uint64_t *)(uintptr_t)table;
}

static void table_free(uint64_t table)
{
	entries_of(table)[0] = free_tables;
	free_tables = table;
	free_table_count++;
}

void board_stage2_init(uint64_t tables, uint32_t count)
{
	free_tables = 0;
	free_table_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		table_free(tables + i * BOARD_PAGE_BYTES);
	}
	memory_type = board_stage2_forces_write_back() ? S2_NORMAL_FWB : S2_NORMAL_WB;
	board_sysreg_write(vtcr_el2, VTCR | board_mmu_address_size() << VTCR_PS_SHIFT);
	board_isb();
}

bool board_stage2_forces_write_back(void)
{
	/* ID_AA64MMFR2_EL1.FWB, by encoding: older assemblers do not know the name. */
	return (board_sysreg_read(s3_0_c0_c7_2) >> 40 & 15u) != 0;
}

static uint64_t table_alloc(void)
{
	uint64_t table = free_tables;
	if (table != 0) {
		free_tables = entries_of(table)[0];
		free_table_count--;
		board_page_zero(table);
	}
	return table;
}

uint32_t board_stage2_tables_free(void)
{
	return free_table_count;
}

bool board_stage2_create(struct board_stage2 *space, uint8_t vmid, uint32_t pages)
{
	uint64_t end = GUEST_RAM_BASE + pages * BOARD_PAGE_BYTES;

	*space = (struct board_stage2){.root = table_alloc(), .pages = pages, .vmid = vmid};
	if (space->root == 0) {
		return false;
	}
	for (uint64_t ipa = GUEST_RAM_BASE; ipa < end; ipa += LEVEL3_SPAN) {
		uint64_t *level1 = &entries_of(space->root)[ipa / LEVEL2_SPAN];
		if (*level1 == 0) {
			uint64_t table = table_alloc();
			if (table == 0) {
				board_stage2_destroy(space);
				return false;
			}
			*level1 = table | DESC_TABLE;
		}
		uint64_t table = table_alloc();
		if (table == 0) {
			board_stage2_destroy(space);
			return false;
		}
		entries_of(*level1 & DESC_ADDRESS)[ipa / LEVEL3_SPAN % ENTRIES] =
			table | DESC_TABLE;
	}
	board_stage2_flush_all(space);
	return true;
}

void board_stage2_destroy(struct board_stage2 *space)
{
	if (space->root == 0) {
		return;
	}
	board_stage2_flush_all(space);
	for (uint32_t i = 0; i < 4u; i++) {
		uint64_t level1 = entries_of(space->root)[i];
		if (level1 == 0) {
			continue;
		}
		for (uint32_t j = 0; j < ENTRIES; j++) {
			uint64_t level2 = entries_of(level1 & DESC_ADDRESS)[j];
			if (level2 != 0) {
				table_free(level2 & DESC_ADDRESS);
			}
		}
		table_free(level1 & DESC_ADDRESS);
	}
	table_free(space->root);
	space->root = 0;
}

/* The level 3 entry of an IPA; the tables of the whole window are there. */
static uint64_t *entry_of(const struct board_stage2 *space, uint64_t ipa)
{
	uint64_t offset = ipa - GUEST_RAM_BASE;
	if (offset >= space->pages * BOARD_PAGE_BYTES) {
		board_panic("VMID %u: no table for IPA 0x%lx", space->vmid, (unsigned long)ipa);
	}
	uint64_t level2 = entries_of(space->root)[ipa / LEVEL2_SPAN] & DESC_ADDRESS;
	uint64_t level3 = entries_of(level2)[ipa / LEVEL3_SPAN % ENTRIES] & DESC_ADDRESS;
	return &entries_of(level3)[ipa / BOARD_PAGE_BYTES % ENTRIES];
}

uint64_t board_stage2_lookup(const struct board_stage2 *space, uint64_t ipa)
{
	uint64_t entry = *entry_of(space, ipa);
	return (entry & DESC_VALID) != 0 ? entry & DESC_ADDRESS : 0;
}

static uint64_t leaf(uint64_t page, bool writable)
{
	return page | memory_type | S2_READ | (writable ? S2_WRITE : 0) | S2_INNER | S2_AF |
	       DESC_PAGE;
}

void board_stage2_map(struct board_stage2 *space, uint64_t ipa, uint64_t page, bool writable)
{
	uint64_t *entry = entry_of(space, ipa);
	if ((*entry & DESC_VALID) != 0) {
		board_panic("VMID %u: IPA 0x%lx is mapped already", space->vmid,
			    (unsigned long)ipa);
	}
	*(volatile uint64_t *)entry = leaf(page, writable);
	/* The walker must see the entry before the guest retries; invalid entries are not cached.
	 */
	board_dsb_ishst();
	board_isb();
}

uint64_t board_stage2_unmap(struct board_stage2 *space, uint64_t ipa)
{
	uint64_t *entry = entry_of(space, ipa);
	uint64_t page = (*entry & DESC_VALID) != 0 ? *entry & DESC_ADDRESS : 0;
	*(volatile uint64_t *)entry = 0;
	return page;
}

void board_stage2_protect(struct board_stage2 *space, uint64_t ipa, bool writable)
{
	uint64_t page = board_stage2_unmap(space, ipa);
	if (page == 0) {
		board_panic("VMID %u: IPA 0x%lx is not mapped", space->vmid, (unsigned long)ipa);
	}
	board_stage2_flush(space, ipa, 1);
	board_stage2_map(space, ipa, page, writable);
}

uint64_t board_stage2_vttbr(const struct board_stage2 *space)
{
	return space->root | (uint64_t)space->vmid << 48;
}

/*
 * TLB instructions by IPA or VMID act on the VMID in VTTBR_EL2, which is set for the purpose; the
 * VM that runs next has its own loaded on the way in.
 */
static void flush_begin(const struct board_stage2 *space)
{
	board_dsb_ish();
	board_sysreg_write(vttbr_el2, board_stage2_vttbr(space));
	board_isb();
}

void board_stage2_flush(const struct board_stage2 *space, uint64_t ipa, uint64_t pages)
{
	if (pages > FLUSH_ALL_ABOVE) {
		board_stage2_flush_all(space);
		return;
	}
	flush_begin(space);
	for (uint64_t i = 0; i < pages; i++) {
		board_tlbi_stage2_page((ipa >> BOARD_PAGE_SHIFT) + i);
	}
	/* Entries that combine both stages are found by VA only: all of stage 1 goes, afterwards.
	 */
	board_dsb_ish();
	board_tlbi_stage1();
	board_dsb_ish();
	board_isb();
}

void board_stage2_flush_all(const struct board_stage2 *space)
{
	flush_begin(space);
	board_tlbi_both_stages();
	board_dsb_ish();
	board_isb();
}
