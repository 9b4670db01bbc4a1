/* SPDX-License-Identifier: MIT */
/*
 * The twin of board/arch.h for this machine: included before everything else, it takes its place.
 * What would be an instruction becomes a call of the test, which looks at the tables at that
 * moment.
 */
#ifndef BOARD_ARCH_H
#define BOARD_ARCH_H

#include <stdint.h>

#define BOARD_PAGE_BYTES UINT64_C(4096)
#define BOARD_PAGE_SHIFT 12

enum fake_arch {
	FAKE_BARRIER,
	FAKE_TLBI_STAGE2_PAGE,
	FAKE_TLBI_STAGE1,
	FAKE_TLBI_BOTH_STAGES,
};

/* What happens in the order in which the CPU would see it; `argument`: a page number. */
void fake_arch(enum fake_arch what, uint64_t argument);
uint64_t fake_sysreg_read(const char *name);
void fake_sysreg_write(const char *name, uint64_t value);

#define board_sysreg_read(name)         fake_sysreg_read(#name)
#define board_sysreg_write(name, value) fake_sysreg_write(#name, value)

static inline void board_isb(void)
{
}

static inline void board_dsb_ish(void)
{
	fake_arch(FAKE_BARRIER, 0);
}

static inline void board_dsb_ishst(void)
{
	fake_arch(FAKE_BARRIER, 0);
}

static inline void board_tlbi_stage2_page(uint64_t page_number)
{
	fake_arch(FAKE_TLBI_STAGE2_PAGE, page_number);
}

static inline void board_tlbi_stage1(void)
{
	fake_arch(FAKE_TLBI_STAGE1, 0);
}

static inline void board_tlbi_both_stages(void)
{
	fake_arch(FAKE_TLBI_BOTH_STAGES, 0);
}

#endif
