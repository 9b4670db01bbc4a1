/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: guest physical address spaces. One is a root, a VMID and the size of its RAM window;
 * what lives in it, and who may have which page, is not known here.
 */
#ifndef BOARD_STAGE2_H
#define BOARD_STAGE2_H

#include <stdbool.h>
#include <stdint.h>

#include "hvc.h"

struct board_stage2 {
	/* The table of level 1; 0: there is none. */
	uint64_t root;
	/* Size of the window, which starts at GUEST_RAM_BASE. */
	uint32_t pages;
	/* Tags what the TLB holds of this space; not 0. */
	uint8_t vmid;
};

/* The most pages that a window may have: IPAs are 32 bits. */
#define BOARD_STAGE2_PAGES_MAX ((uint32_t)(((UINT64_C(1) << 32) - GUEST_RAM_BASE) >> 12))

/* Takes `count` pages from `tables` on for the tables of all spaces; forgets all there were. */
void board_stage2_init(uint64_t tables, uint32_t count);
/*
 * Builds empty tables for the whole window, so that mapping cannot fail later. Returns: false, and
 * no root, if there are not enough tables.
 */
bool board_stage2_create(struct board_stage2 *space, uint8_t vmid, uint32_t pages);
/* Gives the tables back. Context: nothing is mapped. */
void board_stage2_destroy(struct board_stage2 *space);
/* Returns: the page behind an IPA of the window, or 0. */
uint64_t board_stage2_lookup(const struct board_stage2 *space, uint64_t ipa);
/* Maps a page where nothing is mapped. */
void board_stage2_map(struct board_stage2 *space, uint64_t ipa, uint64_t page, bool writable);
/* Changes the permission of a mapped page: break, invalidate, make. */
void board_stage2_protect(struct board_stage2 *space, uint64_t ipa, bool writable);
/*
 * Takes a mapping away and returns the page, or 0. The guest may still reach it through the TLB
 * until board_stage2_flush.
 */
uint64_t board_stage2_unmap(struct board_stage2 *space, uint64_t ipa);
/* Drops TLB entries of `pages` pages from `ipa` on; when it returns, no access is under way. */
void board_stage2_flush(const struct board_stage2 *space, uint64_t ipa, uint64_t pages);
/* Drops all TLB entries of the space, both stages. */
void board_stage2_flush_all(const struct board_stage2 *space);
/* Returns: VTTBR_EL2 of the space. */
uint64_t board_stage2_vttbr(const struct board_stage2 *space);
uint32_t board_stage2_tables_free(void);
/* Whether HCR_EL2.FWB is there and used. */
bool board_stage2_forces_write_back(void);

#endif
