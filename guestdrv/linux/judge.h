/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Pure parts of the Linux guest module: no kernel call, no state, so that they are tested on the
 * build machine as well.
 */
#ifndef POISE_LINUX_JUDGE_H
#define POISE_LINUX_JUDGE_H

#include "poise_abi.h"

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/* Signs of memory pressure, as bits. */
#define JUDGE_BACKGROUND 1u /* the kernel reclaims in the background (kswapd) */
#define JUDGE_DIRECT     2u /* an allocation had to reclaim itself and waits */
#define JUDGE_OOM        4u /* the kernel is about to kill a process */

/*
 * Tells whether a sign of pressure is worth a call for help at once.
 * Direct reclaim and OOM always are. Background reclaim is the daily work of a guest with a full
 * page cache: it counts only if pages were swapped out since `before`, or if less than
 * `background_permille` (0..1000) of the guest's present size can be had without swapping.
 * `signs`: JUDGE_*; `before`, `now`: two samples of this boot. Returns the signs that count, 0 for
 * none.
 */
uint32_t judge_urgent(uint32_t signs, const struct poise_abi_guest *before,
		      const struct poise_abi_guest *now, uint32_t background_permille);

/*
 * Reads the line "SwapTotal: N kB" from the text of /proc/meminfo.
 * `text` has `length` bytes and need not end with a zero. Returns N, or -1 without such a line.
 */
int64_t judge_swap_total_kib(const char *text, size_t length);

/*
 * Tells whether a region of shared memory may be written to: at the places of the two magic numbers
 * stands the magic number or zero.
 */
bool judge_region_is_ours(uint32_t guest_magic, uint32_t host_magic);

/*
 * Moves the time of the next regular update on: one interval after the last due time, or after now
 * when that has passed as well (a late guest does not catch up). All in ms.
 */
uint64_t judge_next_due(uint64_t due_ms, uint64_t now_ms, uint64_t interval_ms);

#endif
