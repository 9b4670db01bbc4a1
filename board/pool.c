/* SPDX-License-Identifier: MIT */
/*
 * The pool: 4 KiB pages that are either free or belong to exactly one VM, known by its VMID.
 *
 * A page is scrubbed when it leaves a VM, so that nobody's data rests in the pool, and zeroed again
 * when it is handed out, so that what the receiver is promised does not hang on the care of every
 * other line of the monitor. Both end with a clean to the point of coherency: the receiver may run
 * with its caches off.
 */
#include "pool.h"

#include <stddef.h>

#include "arch.h"
#include "carve.h"
#include "panic.h"

#define LIST_END UINT32_MAX

static uint64_t first_page;
static uint32_t page_count;
static uint32_t free_count;
static uint32_t free_head;
/* May exceed the count of pages, see board_pool_promise. */
static uint32_t promised;
/* By page: the next free one. */
static uint32_t *next_free;
/* By page: VMID, or BOARD_OWNER_FREE. */
static uint8_t *owners;

bool board_pool_init(uint32_t count)
{
	next_free = (uint32_t *)(uintptr_t)board_carve(sizeof(uint32_t) * (uint64_t)count);
	owners = (uint8_t *)(uintptr_t)board_carve(count);
	first_page = board_carve(BOARD_PAGE_BYTES * count);
	if (count == 0 || next_free == NULL || owners == NULL || first_page == 0) {
		return false;
	}

	page_count = count;
	free_count = count;
	free_head = 0;
	promised = 0;
	for (uint32_t i = 0; i < count; i++) {
		next_free[i] = i + 1u < count ? i + 1u : LIST_END;
		owners[i] = BOARD_OWNER_FREE;
	}
	return true;
}

void board_page_zero(uint64_t page)
{
	/* DCZID_EL0: bit 4 prohibits DC ZVA, the rest is log2 of the block in words. */
	uint64_t dczid = board_sysreg_read(dczid_el0);
	uint64_t step = (dczid & 16u) != 0 ? 8u : UINT64_C(4) << (dczid & 15u);

	for (uint64_t at = page; at < page + BOARD_PAGE_BYTES; at += step) {
		if (step == 8u) {
			*(volatile uint64_t *)(uintptr_t)at = 0;
		} else {
			__asm__ volatile("dc zva, %0" : : "r"(at) : "memory");
		}
	}
	board_cache_flush(page, BOARD_PAGE_BYTES);
}

uint64_t board_pool_alloc(uint8_t owner)
{
	if (free_head == LIST_END) {
		return 0;
	}
	uint32_t index = free_head;
	if (owner == BOARD_OWNER_FREE || owners[index] != BOARD_OWNER_FREE) {
		board_panic("pool page %u is free and owned by VMID %u", (unsigned)index,
			    owners[index]);
	}
	free_head = next_free[index];
	free_count--;
	owners[index] = owner;

	uint64_t page = first_page + index * BOARD_PAGE_BYTES;
	board_page_zero(page);
	return page;
}

void board_pool_free(uint64_t page, uint8_t owner)
{
	uint64_t index = (page - first_page) / BOARD_PAGE_BYTES;
	if (page < first_page || index >= page_count || owner == BOARD_OWNER_FREE ||
	    owners[index] != owner) {
		board_panic("page 0x%lx does not belong to VMID %u", page, owner);
	}
	board_page_zero(page);
	owners[index] = BOARD_OWNER_FREE;
	next_free[index] = free_head;
	free_head = (uint32_t)index;
	free_count++;
}

uint32_t board_pool_free_count(void)
{
	return free_count;
}

uint32_t board_pool_page_count(void)
{
	return page_count;
}

void board_pool_promise(uint32_t pages)
{
	promised += pages;
}

void board_pool_unpromise(uint32_t pages)
{
	if (pages > promised) {
		board_panic("%u pages less are promised, of %u", (unsigned)pages,
			    (unsigned)promised);
	}
	promised -= pages;
}

uint32_t board_pool_unpromised(void)
{
	return promised < page_count ? page_count - promised : 0;
}

uint32_t board_pool_promised(void)
{
	return promised;
}

uint32_t board_pool_count_owner(uint8_t owner)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < page_count; i++) {
		if (owners[i] == owner) {
			count++;
		}
	}
	return count;
}
