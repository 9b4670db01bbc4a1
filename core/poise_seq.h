/* SPDX-License-Identifier: MIT */
/*
 * Sequence protocol of the shared pages: the only two places that hold barriers, one for each side.
 *
 * One writer, any number of readers, no waiting on either side. The writer never reads the page;
 * the reader never writes it. After H.-J. Boehm, "Can seqlocks get along with programming language
 * memory models?" (HPL-2012-68), figure 6, with the AArch64 instructions spelled out:
 *
 *	writer	STR seq odd; DMB ISHST; STR words...; STLR seq even
 *	reader	LDAR seq; LDR words...; DMB ISHLD; LDR seq again
 *
 * A release store of the odd value would not do: release orders what comes before it, and here the
 * data comes after. An acquire load for the second look would not do for the mirrored reason.
 *
 * The POISE_SEQ_* primitives can be replaced before this file is included: the memory model checker
 * compiles the same two functions over its own atomics.
 */
#ifndef POISE_SEQ_H
#define POISE_SEQ_H

#include "poise_abi.h"

#ifndef POISE_SEQ_LOAD
typedef uint32_t poise_seq_word32;
/* The widest load that is single-copy atomic on every machine of this width. */
typedef uintptr_t poise_seq_cell __attribute__((may_alias));

#define POISE_SEQ_LOAD(cell)                 __atomic_load_n((cell), __ATOMIC_RELAXED)
#define POISE_SEQ_LOAD_ACQUIRE(cell)         __atomic_load_n((cell), __ATOMIC_ACQUIRE)
#define POISE_SEQ_STORE(cell, value)         __atomic_store_n((cell), (value), __ATOMIC_RELAXED)
#define POISE_SEQ_STORE_RELEASE(cell, value) __atomic_store_n((cell), (value), __ATOMIC_RELEASE)
#if defined(__aarch64__)
/* GCC makes a full DMB ISH of a release fence; only stores have to be kept in order here. */
#define POISE_SEQ_FENCE_STORES() __asm__ volatile("dmb ishst" ::: "memory")
#define POISE_SEQ_FENCE_LOADS()  __asm__ volatile("dmb ishld" ::: "memory")
#else
#define POISE_SEQ_FENCE_STORES() __atomic_thread_fence(__ATOMIC_RELEASE)
#define POISE_SEQ_FENCE_LOADS()  __atomic_thread_fence(__ATOMIC_ACQUIRE)
#endif
#endif

/* How often a reader looks before it gives up: a page that changes faster is not worth waiting for.
 */
#define POISE_SEQ_TRIES 3

/*
 * Publishes `count` cells from `from` to `to` under the sequence word.
 * `seq` is the writer's private copy of the sequence word: even before and after, never read from
 * the page. Context: one writer, not preempted by another writer of the same page.
 */
static inline void poise_seq_write(poise_seq_word32 *word, uint32_t *seq, poise_seq_cell *to,
				   const uintptr_t *from, size_t count)
{
	POISE_SEQ_STORE(word, *seq + 1u);
	POISE_SEQ_FENCE_STORES();
	for (size_t i = 0; i < count; i++) {
		POISE_SEQ_STORE(&to[i], from[i]);
	}
	*seq += 2u;
	POISE_SEQ_STORE_RELEASE(word, *seq);
}

/*
 * Takes one look: copies `count` cells from `from` to `to` if the writer was not at work.
 * Returns nonzero when the copy is one consistent update; zero leaves `to` half written.
 */
static inline int poise_seq_try(const poise_seq_word32 *word, uintptr_t *to,
				const poise_seq_cell *from, size_t count)
{
	const uint32_t before = POISE_SEQ_LOAD_ACQUIRE(word);
	if ((before & 1u) != 0u) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		to[i] = POISE_SEQ_LOAD(&from[i]);
	}
	POISE_SEQ_FENCE_LOADS();
	return POISE_SEQ_LOAD(word) == before;
}

/*
 * Sums an update of `bytes` bytes, a multiple of 8, in private memory. Its first word, which holds
 * the checksum itself, is left out.
 */
static inline uint64_t poise_seq_checksum(const void *update, size_t bytes)
{
	uint64_t sum = POISE_ABI_CHECKSUM_SEED;
	for (size_t at = sizeof(uint64_t); at < bytes; at += sizeof(uint64_t)) {
		uint64_t word;
		__builtin_memcpy(&word, (const char *)update + at, sizeof(word));
		sum = poise_abi_checksum(sum, word);
	}
	return sum;
}

/* How many cells the sequence protocol has to copy for an update. */
#define POISE_SEQ_CELLS(bytes) ((bytes) / sizeof(poise_seq_cell))

#endif
