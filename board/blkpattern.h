/* SPDX-License-Identifier: MIT */
/*
 * What a file block of a VM contains: the one function that the monitor (which answers block reads)
 * and the guest (which checks every file page it uses) must agree on. It stands for a read-only
 * medium whose contents can be recomputed, so that a lost, torn, swapped or leaked page is seen at
 * once, without storing the medium anywhere.
 *
 * The word is linear in its index: a block is filled by adding BOARD_BLOCK_STEP from word to word.
 */
#ifndef BOARD_BLKPATTERN_H
#define BOARD_BLKPATTERN_H

#include <stdint.h>

#define BOARD_BLOCK_STEP UINT64_C(0x9e3779b97f4a7c15)

/*
 * Computes 64-bit word `word` (0..511) of file block `block` (counted from HVC_FILE_BLOCK) of VM
 * `vm`, the VM's number on the board, which the guest learns from its argument `vm=`.
 */
static inline uint64_t board_block_word(uint32_t vm, uint64_t block, uint32_t word)
{
	uint64_t seed = ((uint64_t)vm + 1) * UINT64_C(0xff51afd7ed558ccd) +
			block * UINT64_C(0xc4ceb9fe1a85ec53);

	return (seed ^ (seed >> 29)) + (uint64_t)word * BOARD_BLOCK_STEP;
}

#endif
