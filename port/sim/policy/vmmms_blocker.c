/* SPDX-License-Identifier: MIT */
/*
 * Who may move a balloon, for policy `vmmms`: a request, granted or not, blocks the opposite
 * direction at its priority for a while, so that the two sides do not undo each other's work.
 *
 * Decided here: a block at a priority stops requests of that and of lower priority. A request that
 * is more important than the blocks against it counts as one level above them only; one with no
 * block against it counts as what it is. The blocks that a request clears are those of higher
 * priority that its own direction has made earlier: who asks for little now is no longer in need.
 */
#include "vmmms.h"

#define BLOCK_LOW_MS  100000u /* priority of cached tabs and lower */
#define BLOCK_HIGH_MS 10000u

bool vmmms_request(struct vmmms_blocker *b, enum vmmms_direction direction,
		   enum vmmms_priority priority, uint64_t now_ms)
{
	const uint64_t *against = b->until_ms[direction];
	uint64_t *made = b->until_ms[direction == VMMMS_INFLATE ? VMMMS_DEFLATE : VMMMS_INFLATE];
	uint32_t block = 0;
	uint32_t level = priority;
	bool granted;

	while (block < VMMMS_PRIORITIES && against[block] <= now_ms) {
		block++;
	}
	granted = priority < block;
	if (granted && block < VMMMS_PRIORITIES) {
		level = block - 1u;
	}
	if (priority != VMMMS_MGLRU_RECLAIM) {
		made[level] = now_ms + (level >= VMMMS_CACHED_TAB ? BLOCK_LOW_MS : BLOCK_HIGH_MS);
		for (uint32_t i = 0; i < level; i++) {
			made[i] = 0;
		}
	}
	return granted;
}
