/* SPDX-License-Identifier: MIT */
/*
 * Memory that is handed out in one direction: tables of stage 2, the pool's records and pages, swap
 * areas. A phase of a run takes a mark at its start and releases everything after it at its end.
 */
#include "carve.h"

#include "arch.h"
#include "panic.h"

static uint64_t next;
static uint64_t limit;

void board_carve_init(uint64_t start, uint64_t end)
{
	next = (start + BOARD_PAGE_BYTES - 1u) & ~(BOARD_PAGE_BYTES - 1u);
	limit = end & ~(BOARD_PAGE_BYTES - 1u);
}

uint64_t board_carve(uint64_t bytes)
{
	if (bytes > limit - next) {
		return 0;
	}
	uint64_t taken = next;
	next += (bytes + BOARD_PAGE_BYTES - 1u) & ~(BOARD_PAGE_BYTES - 1u);
	return taken;
}

uint64_t board_carve_mark(void)
{
	return next;
}

void board_carve_release(uint64_t mark)
{
	if (mark > next) {
		board_panic("memory released that was never carved");
	}
	next = mark;
}

uint64_t board_carve_left_bytes(void)
{
	return limit - next;
}
