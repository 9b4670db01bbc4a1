/* SPDX-License-Identifier: MIT */
/* EL2 stage 1: the monitor's own map. */
#ifndef BOARD_MMU_H
#define BOARD_MMU_H

#include <stdint.h>

/*
 * Maps devices, device tree and image (W^X by page); turns MMU and caches on. Called by start.S
 * only.
 */
void board_mmu_init(void);
/* Maps RAM from the end of the image to `end`, if it is whole blocks. Returns: the end of the map.
 */
uint64_t board_mmu_map_ram(uint64_t end);
/* Returns: the first address that this CPU or this map cannot reach. */
uint64_t board_mmu_reach(void);
/* Returns: the size of physical addresses, coded as in TCR_EL2.PS and VTCR_EL2.PS. */
uint64_t board_mmu_address_size(void);

#endif
