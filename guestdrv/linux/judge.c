/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#include "judge.h"

uint32_t judge_urgent(uint32_t signs, const struct poise_abi_guest *before,
		      const struct poise_abi_guest *now, uint32_t background_permille)
{
	uint32_t counts = signs & (JUDGE_DIRECT | JUDGE_OOM);
	if ((signs & JUDGE_BACKGROUND) != 0) {
		const uint64_t size = now->total_pages - now->balloon_pages;
		const bool swaps = now->swap_out_pages != before->swap_out_pages;
		/* Sizes are below 2^32 pages: no product overflows. */
		if (swaps || now->available_pages * 1000u < size * background_permille) {
			counts |= JUDGE_BACKGROUND;
		}
	}
	return counts;
}

int64_t judge_swap_total_kib(const char *text, size_t length)
{
	static const char key[] = "SwapTotal:";
	const size_t key_length = sizeof(key) - 1;
	size_t at = 0;
	while (at + key_length <= length && __builtin_memcmp(text + at, key, key_length) != 0) {
		while (at < length && text[at] != '\n') {
			at++;
		}
		at++;
	}
	if (at + key_length > length) {
		return -1;
	}
	at += key_length;
	while (at < length && text[at] == ' ') {
		at++;
	}
	if (at == length || text[at] < '0' || text[at] > '9') {
		return -1;
	}
	int64_t value = 0;
	while (at < length && text[at] >= '0' && text[at] <= '9') {
		if (value > (int64_t)1 << 50) {
			return -1;
		}
		value = value * 10 + (text[at] - '0');
		at++;
	}
	return value;
}

bool judge_region_is_ours(uint32_t guest_magic, uint32_t host_magic)
{
	return (guest_magic == 0 || guest_magic == POISE_ABI_GUEST_MAGIC) &&
	       (host_magic == 0 || host_magic == POISE_ABI_HOST_MAGIC);
}

uint64_t judge_next_due(uint64_t due_ms, uint64_t now_ms, uint64_t interval_ms)
{
	const uint64_t next = due_ms + interval_ms;
	return next > now_ms ? next : now_ms + interval_ms;
}
