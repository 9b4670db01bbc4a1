/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: a 32-bit guest physical address space with 4 KiB pages, three levels, one VMID a VM.
 *
 * All tables of a VM's RAM window are built when it is created, from pages of their own: a fault
 * can then always be answered, and memory for tables never competes with memory for guests. An
 * entry goes from one valid value to another only through invalid, TLB invalidation and DSB.
 */
#include "vm.h"

#include "arch.h"

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

bool board_stage2_init(uint32_t table_pages)
{
	uint64_t tables = board_carve(table_pages * BOARD_PAGE_BYTES);

	free_tables = 0;
	free_table_count = 0;
	if (tables == 0) {
		return false;
	}
	for (uint32_t i = 0; i < table_pages; i++) {
		uint64_t table = tables + i * BOARD_PAGE_BYTES;
		entries_of(table)[0] = free_tables;
		free_tables = table;
		free_table_count++;
	}
	memory_type = board_stage2_forces_write_back() ? S2_NORMAL_FWB : S2_NORMAL_WB;
	board_sysreg_write(vtcr_el2, VTCR | board_mmu_address_size() << VTCR_PS_SHIFT);
	board_isb();
	return true;
}

bool board_stage2_forces_write_back(void)
{
	/* ID_AA64MMFR2_EL1.FWB, by encoding: older assemblers do not know the name. */
	return (board_sysreg_read(s3_0_c0_c7_2) >> 40 & 15u) != 0;
}

static uint64_t table_take(void)
{
	uint64_t table = free_tables;
	if (table != 0) {
		free_tables = entries_of(table)[0];
		free_table_count--;
		board_page_zero(table);
	}
	return table;
}

static void table_give(uint64_t table)
{
	entries_of(table)[0] = free_tables;
	free_tables = table;
	free_table_count++;
}

uint32_t board_stage2_tables_free(void)
{
	return free_table_count;
}

bool board_stage2_create(struct board_vm *vm)
{
	uint64_t end = GUEST_RAM_BASE + vm->config->ram_pages * BOARD_PAGE_BYTES;

	vm->stage2_root = table_take();
	if (vm->stage2_root == 0) {
		return false;
	}
	for (uint64_t ipa = GUEST_RAM_BASE; ipa < end; ipa += LEVEL3_SPAN) {
		uint64_t *level1 = &entries_of(vm->stage2_root)[ipa / LEVEL2_SPAN];
		if (*level1 == 0) {
			uint64_t table = table_take();
			if (table == 0) {
				board_stage2_destroy(vm);
				return false;
			}
			*level1 = table | DESC_TABLE;
		}
		uint64_t table = table_take();
		if (table == 0) {
			board_stage2_destroy(vm);
			return false;
		}
		entries_of(*level1 & DESC_ADDRESS)[ipa / LEVEL3_SPAN % ENTRIES] =
			table | DESC_TABLE;
	}
	board_stage2_flush_all(vm);
	return true;
}

void board_stage2_destroy(struct board_vm *vm)
{
	if (vm->stage2_root == 0) {
		return;
	}
	board_stage2_flush_all(vm);
	for (uint32_t i = 0; i < 4u; i++) {
		uint64_t level1 = entries_of(vm->stage2_root)[i];
		if (level1 == 0) {
			continue;
		}
		for (uint32_t j = 0; j < ENTRIES; j++) {
			uint64_t level2 = entries_of(level1 & DESC_ADDRESS)[j];
			if (level2 != 0) {
				table_give(level2 & DESC_ADDRESS);
			}
		}
		table_give(level1 & DESC_ADDRESS);
	}
	table_give(vm->stage2_root);
	vm->stage2_root = 0;
}

/* The level 3 entry of an IPA; the tables of the whole window are there. */
static uint64_t *entry_of(const struct board_vm *vm, uint64_t ipa)
{
	uint64_t offset = ipa - GUEST_RAM_BASE;
	if (offset >= vm->config->ram_pages * BOARD_PAGE_BYTES) {
		board_panic("%s: no table for IPA 0x%lx", vm->config->name, ipa);
	}
	uint64_t level2 = entries_of(vm->stage2_root)[ipa / LEVEL2_SPAN] & DESC_ADDRESS;
	uint64_t level3 = entries_of(level2)[ipa / LEVEL3_SPAN % ENTRIES] & DESC_ADDRESS;
	return &entries_of(level3)[ipa / BOARD_PAGE_BYTES % ENTRIES];
}

uint64_t board_stage2_lookup(const struct board_vm *vm, uint64_t ipa)
{
	uint64_t entry = *entry_of(vm, ipa);
	return (entry & DESC_VALID) != 0 ? entry & DESC_ADDRESS : 0;
}

static uint64_t leaf(uint64_t page, bool writable)
{
	return page | memory_type | S2_READ | (writable ? S2_WRITE : 0) | S2_INNER | S2_AF |
	       DESC_PAGE;
}

void board_stage2_map(struct board_vm *vm, uint64_t ipa, uint64_t page, bool writable)
{
	uint64_t *entry = entry_of(vm, ipa);
	if ((*entry & DESC_VALID) != 0) {
		board_panic("%s: IPA 0x%lx is mapped already", vm->config->name, ipa);
	}
	*(volatile uint64_t *)entry = leaf(page, writable);
	/* The walker must see the entry before the guest retries; invalid entries are not cached.
	 */
	__asm__ volatile("dsb ishst" : : : "memory");
	board_isb();
}

uint64_t board_stage2_unmap(struct board_vm *vm, uint64_t ipa)
{
	uint64_t *entry = entry_of(vm, ipa);
	uint64_t page = (*entry & DESC_VALID) != 0 ? *entry & DESC_ADDRESS : 0;
	*(volatile uint64_t *)entry = 0;
	return page;
}

void board_stage2_protect(struct board_vm *vm, uint64_t ipa, bool writable)
{
	uint64_t page = board_stage2_unmap(vm, ipa);
	if (page == 0) {
		board_panic("%s: IPA 0x%lx is not mapped", vm->config->name, ipa);
	}
	board_stage2_flush(vm, ipa, 1);
	board_stage2_map(vm, ipa, page, writable);
}

uint64_t board_stage2_vttbr(const struct board_vm *vm)
{
	return vm->stage2_root | (uint64_t)BOARD_VMID(vm) << 48;
}

/*
 * TLB instructions by IPA or VMID act on the VMID in VTTBR_EL2, which is set for the purpose; the
 * VM that runs next has its own loaded on the way in.
 */
static void flush_begin(const struct board_vm *vm)
{
	board_dsb_ish();
	board_sysreg_write(vttbr_el2, board_stage2_vttbr(vm));
	board_isb();
}

void board_stage2_flush(const struct board_vm *vm, uint64_t ipa, uint64_t pages)
{
	if (pages > FLUSH_ALL_ABOVE) {
		board_stage2_flush_all(vm);
		return;
	}
	flush_begin(vm);
	for (uint64_t i = 0; i < pages; i++) {
		__asm__ volatile("tlbi ipas2e1is, %0" : : "r"((ipa >> 12) + i) : "memory");
	}
	/* Entries that combine both stages are found by VA only: all of stage 1 goes, afterwards.
	 */
	board_dsb_ish();
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
	board_dsb_ish();
	board_isb();
}

void board_stage2_flush_all(const struct board_vm *vm)
{
	flush_begin(vm);
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
	board_dsb_ish();
	board_isb();
}
