/* SPDX-License-Identifier: MIT */
/*
 * The board's stage 2 on this machine: a walker that knows nothing of its code reads the tables as
 * the CPU would, and a TLB that forgets only what it is told to keeps what the walker has found. An
 * entry that becomes another without the invalidation in between is seen by that.
 */
#include "../../board/stage2.h"
#include "board_arch_fake.h"
#include "support.h"

#include <stdlib.h>

#include "../../board/mmu.h"
#include "../../board/panic.h"
#include "../../board/pool.h"

#define TABLES   40u
#define BASE     ((uint64_t)GUEST_RAM_BASE)
#define PAGE     UINT64_C(4096)
#define IPA(n)   (BASE + (uint64_t)(n)*PAGE)
#define ADDRESS  UINT64_C(0x0000fffffffff000)
#define READABLE (UINT64_C(1) << 6)
#define WRITABLE (UINT64_C(1) << 7)

static void *memory;
static uint64_t feature_fwb;
static uint64_t vtcr, vttbr;
static jmp_buf panicked;

/* --- the machine --- */

/* What the CPU remembers of one page number of the current VMID: a leaf, or 0. */
static uint64_t tlb_key, tlb_leaf;

uint64_t fake_sysreg_read(const char *name)
{
	/* ID_AA64MMFR2_EL1, of which only FWB is looked at. */
	assert_string_equal(name, "s3_0_c0_c7_2");
	return feature_fwb << 40;
}

void fake_sysreg_write(const char *name, uint64_t value)
{
	if (strcmp(name, "vtcr_el2") == 0) {
		vtcr = value;
	} else {
		assert_string_equal(name, "vttbr_el2");
		vttbr = value;
	}
}

void fake_arch(enum fake_arch what, uint64_t argument)
{
	const uint64_t vmid = vttbr >> 48;

	if (what == FAKE_TLBI_BOTH_STAGES ||
	    (what == FAKE_TLBI_STAGE2_PAGE && tlb_key == (vmid << 32 | argument))) {
		tlb_leaf = 0;
	}
}

uint64_t board_mmu_address_size(void)
{
	return 2;
}

void board_page_zero(uint64_t page)
{
	memset((void *)(uintptr_t)page, 0, PAGE);
}

_Noreturn void board_panic(const char *format, ...)
{
	(void)format;
	longjmp(panicked, 1);
}

/* Walks as VTCR_EL2 says: 4 KiB granule, 32-bit IPA, from level 1. Returns: the leaf, or 0. */
static uint64_t walk(const struct board_stage2 *space, uint64_t ipa)
{
	const uint64_t *table =
		(const uint64_t *)(uintptr_t)(board_stage2_vttbr(space) & 0xffffffffffffu);

	for (unsigned level = 1; level < 3; level++) {
		const uint64_t entry = table[ipa >> (39 - 9 * level) & 511u];
		if ((entry & 3u) != 3u) {
			return 0;
		}
		table = (const uint64_t *)(uintptr_t)(entry & ADDRESS);
	}
	const uint64_t leaf = table[ipa >> 12 & 511u];
	return (leaf & 3u) == 3u ? leaf : 0;
}

/* The same by way of the TLB, which keeps what it finds. */
static uint64_t access_page(const struct board_stage2 *space, uint64_t ipa)
{
	const uint64_t key = (uint64_t)space->vmid << 32 | ipa >> 12;

	if (tlb_leaf == 0 || tlb_key != key) {
		tlb_key = key;
		tlb_leaf = walk(space, ipa);
	}
	return tlb_leaf;
}

static int setup(void **state)
{
	(void)state;
	feature_fwb = 0;
	tlb_leaf = 0;
	if (posix_memalign(&memory, PAGE, TABLES * PAGE) != 0) {
		return -1;
	}
	memset(memory, 0xa5, TABLES * PAGE);
	board_stage2_init((uint64_t)(uintptr_t)memory, TABLES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* --- tests --- */

static void stage2_translates_as_asked(void **state)
{
	static const uint32_t pages[] = {0, 1, 511, 512, 1023, 1029};
	struct board_stage2 space;

	(void)state;
	assert_true(board_stage2_create(&space, 7, 1030));
	assert_int_equal(board_stage2_vttbr(&space) >> 48, 7);
	assert_int_equal(vtcr & 0xffu, 32u | 1u << 6); /* T0SZ: 32 bits; SL0: from level 1 */
	assert_int_equal(vtcr >> 16 & 7u, 2);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const uint64_t page = UINT64_C(0x50000000) + i * PAGE;
		const uint64_t ipa = IPA(pages[i]);
		assert_int_equal(walk(&space, ipa), 0);
		assert_int_equal(board_stage2_lookup(&space, ipa), 0);
		board_stage2_map(&space, ipa, page, i % 2 == 0);
		const uint64_t leaf = walk(&space, ipa);
		assert_int_equal(leaf & ADDRESS, page);
		assert_int_equal(leaf & READABLE, READABLE);
		assert_int_equal((leaf & WRITABLE) != 0, i % 2 == 0);
		assert_int_equal(leaf >> 2 & 15u, 15u); /* Normal, write-back */
		assert_int_equal(leaf >> 8 & 3u, 3u);   /* inner shareable */
		assert_int_equal(leaf >> 10 & 1u, 1u);  /* accessed */
		assert_int_equal(leaf >> 53 & 3u, 0u);  /* may be executed */
		assert_int_equal(board_stage2_lookup(&space, ipa), page);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		assert_int_equal(board_stage2_unmap(&space, IPA(pages[i])),
				 UINT64_C(0x50000000) + i * PAGE);
		assert_int_equal(board_stage2_unmap(&space, IPA(pages[i])), 0);
		assert_int_equal(walk(&space, IPA(pages[i])), 0);
	}
	board_stage2_destroy(&space);
}

static void stage2_forces_write_back_where_it_can(void **state)
{
	struct board_stage2 space;

	(void)state;
	feature_fwb = 1;
	board_stage2_init((uint64_t)(uintptr_t)memory, TABLES);
	assert_true(board_stage2_create(&space, 1, 1));
	board_stage2_map(&space, IPA(0), PAGE, true);
	assert_int_equal(walk(&space, IPA(0)) >> 2 & 15u, 6u);
}

/* The old translation is out of the TLB before there is a new one. */
static void stage2_breaks_before_it_makes(void **state)
{
	struct board_stage2 space;

	(void)state;
	assert_true(board_stage2_create(&space, 3, 600));
	for (uint32_t n = 0; n < 600; n += 599) {
		board_stage2_map(&space, IPA(n), 0x50000000, true);
		assert_int_equal(access_page(&space, IPA(n)) & WRITABLE, WRITABLE);
		board_stage2_protect(&space, IPA(n), false);
		assert_int_equal(access_page(&space, IPA(n)) & (READABLE | WRITABLE), READABLE);
		board_stage2_protect(&space, IPA(n), true);
		assert_int_equal(access_page(&space, IPA(n)) & WRITABLE, WRITABLE);

		/* Unmapping alone leaves it there; the flush does not. */
		assert_int_equal(board_stage2_unmap(&space, IPA(n)), 0x50000000);
		assert_int_not_equal(access_page(&space, IPA(n)), 0);
		board_stage2_flush(&space, IPA(n), 1);
		assert_int_equal(access_page(&space, IPA(n)), 0);
	}
}

/* A range of any length is flushed to its last page, and no other VMID's. */
static void stage2_flushes_the_range(void **state)
{
	static const uint32_t lengths[] = {1, 2, 63, 64, 65, 512};
	struct board_stage2 space, other;

	(void)state;
	assert_true(board_stage2_create(&space, 1, 1024));
	assert_true(board_stage2_create(&other, 2, 1024));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const uint32_t picks[] = {0, lengths[i] / 2, lengths[i] - 1};
		for (size_t j = 0; j < ARRAY_SIZE(picks); j++) {
			const uint64_t ipa = IPA(100 + picks[j]);
			board_stage2_map(&space, ipa, 0x50000000, true);
			assert_int_not_equal(access_page(&space, ipa), 0);
			board_stage2_unmap(&space, ipa);
			board_stage2_flush(&space, IPA(100), lengths[i]);
			assert_int_equal(access_page(&space, ipa), 0);
		}
	}
	board_stage2_map(&other, IPA(100), 0x60000000, true);
	assert_int_not_equal(access_page(&other, IPA(100)), 0);
	board_stage2_flush(&space, IPA(100), 1);
	assert_int_not_equal(tlb_leaf, 0);
}

/* Spaces get zeroed tables, give all of them back, and take none when there are too few. */
static void stage2_counts_its_tables(void **state)
{
	struct board_stage2 space, other;

	(void)state;
	assert_int_equal(board_stage2_tables_free(), TABLES);
	/* A root, a table of level 2, and one of level 3 for each 512 pages. */
	assert_true(board_stage2_create(&space, 1, 513));
	assert_int_equal(board_stage2_tables_free(), TABLES - 4);
	assert_false(board_stage2_create(&other, 2, TABLES * 512));
	assert_int_equal(other.root, 0);
	assert_int_equal(board_stage2_tables_free(), TABLES - 4);
	board_stage2_destroy(&other);
	for (uint32_t n = 0; n < 513; n++) {
		assert_int_equal(walk(&space, IPA(n)), 0);
	}
	board_stage2_destroy(&space);
	assert_int_equal(space.root, 0);
	assert_int_equal(board_stage2_tables_free(), TABLES);

	/* A window that crosses a gigabyte: two tables of level 2. */
	void *more;
	assert_int_equal(posix_memalign(&more, PAGE, 520 * PAGE), 0);
	board_stage2_init((uint64_t)(uintptr_t)more, 520);
	assert_true(board_stage2_create(&space, 1, (1u << 18) + 1u));
	assert_int_equal(board_stage2_tables_free(), 520 - 1 - 2 - 513);
	board_stage2_map(&space, IPA(1u << 18), 0x50000000, true);
	assert_int_equal(walk(&space, IPA(1u << 18)) & ADDRESS, 0x50000000);
	free(more);
}

/* What would corrupt an address space ends the run instead. */
static void stage2_panics_rather_than_corrupt_an_address_space(void **state)
{
	struct board_stage2 space;

	(void)state;
	assert_true(board_stage2_create(&space, 1, 10));
	board_stage2_map(&space, IPA(3), 0x50000000, true);
	for (volatile unsigned i = 0; i < 6; i++) {
		if (setjmp(panicked) == 0) {
			switch (i) {
			case 0:
				board_stage2_map(&space, IPA(3), 0x60000000, true);
				break;
			case 1:
				board_stage2_protect(&space, IPA(4), true);
				break;
			case 2:
				board_stage2_lookup(&space, IPA(10));
				break;
			case 3:
				board_stage2_lookup(&space, BASE - PAGE);
				break;
			case 4:
				board_stage2_unmap(&space, IPA(10));
				break;
			default:
				board_stage2_map(&space, UINT64_MAX & ~4095ull, PAGE, true);
				break;
			}
			fail_msg("no panic in case %u", i);
		}
	}
	assert_int_equal(board_stage2_lookup(&space, IPA(3)), 0x50000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stage2_translates_as_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(stage2_forces_write_back_where_it_can, setup,
						teardown),
		cmocka_unit_test_setup_teardown(stage2_breaks_before_it_makes, setup, teardown),
		cmocka_unit_test_setup_teardown(stage2_flushes_the_range, setup, teardown),
		cmocka_unit_test_setup_teardown(stage2_counts_its_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(stage2_panics_rather_than_corrupt_an_address_space,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
