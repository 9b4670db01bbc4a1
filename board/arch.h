/* SPDX-License-Identifier: MIT */
/*
 * The AArch64 instructions that C has no words for: system registers, barriers, cache lines.
 * Nothing in here knows what it is used for.
 */
#ifndef BOARD_ARCH_H
#define BOARD_ARCH_H

#include <stdint.h>

#define BOARD_PAGE_BYTES UINT64_C(4096)
#define BOARD_PAGE_SHIFT 12

#define board_sysreg_read(name)                                                 \
	__extension__({                                                         \
		uint64_t value_;                                                \
		__asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory"); \
		value_;                                                         \
	})

#define board_sysreg_write(name, value)                                             \
	do {                                                                        \
		uint64_t written_ = (value);                                        \
		__asm__ volatile("msr " #name ", %0" : : "r"(written_) : "memory"); \
	} while (0)

static inline void board_isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void board_dsb_ish(void)
{
	__asm__ volatile("dsb ish" : : : "memory");
}

static inline void board_dsb_ishst(void)
{
	__asm__ volatile("dsb ishst" : : : "memory");
}

static inline void board_dsb_sy(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

static inline void board_wfi(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

/*
 * Drop TLB entries of the VMID in VTTBR_EL2, on all CPUs: of one page of stage 2; all of stage 1
 * with what combines both stages; everything.
 */
static inline void board_tlbi_stage2_page(uint64_t page_number)
{
	__asm__ volatile("tlbi ipas2e1is, %0" : : "r"(page_number) : "memory");
}

static inline void board_tlbi_stage1(void)
{
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
}

static inline void board_tlbi_both_stages(void)
{
	__asm__ volatile("tlbi vmalls12e1is" : : : "memory");
}

/* Device registers: one access of the given width, in program order. */
static inline uint32_t board_mmio_read32(uint64_t address)
{
	uint32_t value;
	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void board_mmio_write32(uint64_t address, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline void board_mmio_write64(uint64_t address, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

/*
 * Cleans and invalidates [start, start + bytes) to the point of coherency, line by line: what EL2
 * wrote becomes visible to a guest that still runs with its caches off, and the other way round.
 */
static inline void board_cache_flush(uint64_t start, uint64_t bytes)
{
	uint64_t line = UINT64_C(4) << ((board_sysreg_read(ctr_el0) >> 16) & 15u);
	for (uint64_t at = start & ~(line - 1u); at < start + bytes; at += line) {
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	}
	board_dsb_sy();
}

#endif
