/* SPDX-License-Identifier: MIT */
/*
 * The sequence protocol under a checker of C11 relaxed memory (relacy): the functions of
 * core/poise_seq.h themselves, compiled over the checker's atomics, in all executions that the
 * memory model allows. Then each barrier is taken away in turn: the checker has to find the
 * execution that goes wrong, or it has proved nothing.
 *
 * The checker prints each wrong execution that it finds, step by step.
 *
 * A writer publishes two updates and raises the urgent word after each; a reader looks twice.
 * A copy that is accepted must be one whole update, not older than the one before it, and not older
 * than the urgent word that was seen first.
 */
#include <relacy/relacy.hpp>

#include <cstdint>
#include <iostream>

enum barrier {
	NO_BARRIER,
	STORE_FENCE,    /* between the odd store and the data */
	EVEN_RELEASE,   /* of the data by the even store */
	FIRST_ACQUIRE,  /* of the data by the first load */
	LOAD_FENCE,     /* between the data and the second load */
	URGENT_RELEASE, /* of the update by the urgent word */
	URGENT_ACQUIRE,
};

static barrier without;

static rl::memory_order unless(barrier removed, rl::memory_order order)
{
	return without == removed ? rl::mo_relaxed : order;
}

typedef rl::atomic<uint32_t> poise_seq_word32;
typedef rl::atomic<uintptr_t> poise_seq_cell;
#define POISE_SEQ_LOAD(cell)         (cell)->load(rl::mo_relaxed, $)
#define POISE_SEQ_LOAD_ACQUIRE(cell) (cell)->load(unless(FIRST_ACQUIRE, rl::mo_acquire), $)
#define POISE_SEQ_STORE(cell, value) (cell)->store((value), rl::mo_relaxed, $)
#define POISE_SEQ_STORE_RELEASE(cell, value) \
	(cell)->store((value), unless(EVEN_RELEASE, rl::mo_release), $)
#define POISE_SEQ_FENCE_STORES()                                    \
	do {                                                        \
		if (without != STORE_FENCE) {                       \
			rl::atomic_thread_fence(rl::mo_release, $); \
		}                                                   \
	} while (0)
#define POISE_SEQ_FENCE_LOADS()                                     \
	do {                                                        \
		if (without != LOAD_FENCE) {                        \
			rl::atomic_thread_fence(rl::mo_acquire, $); \
		}                                                   \
	} while (0)

#include "poise_seq.h"

/* A 64-bit machine copies a 64-bit field as one cell, a 32-bit machine as two. */
template <unsigned CELLS, unsigned UPDATES, unsigned LOOKS>
struct protocol : rl::test_suite<protocol<CELLS, UPDATES, LOOKS>, 2> {
	poise_seq_word32 seq, urgent;
	poise_seq_cell page[CELLS];

	void before()
	{
		seq.store(0, rl::mo_relaxed, $);
		urgent.store(0, rl::mo_relaxed, $);
		for (unsigned i = 0; i < CELLS; i++) {
			page[i].store(0, rl::mo_relaxed, $);
		}
	}

	void write()
	{
		uint32_t own_seq = 0;
		for (uintptr_t update = 1; update <= UPDATES; update++) {
			uintptr_t cells[CELLS];
			for (unsigned i = 0; i < CELLS; i++) {
				cells[i] = update;
			}
			poise_seq_write(&seq, &own_seq, page, cells, CELLS);
			urgent.store((uint32_t)update, unless(URGENT_RELEASE, rl::mo_release), $);
		}
	}

	void read()
	{
		uintptr_t latest = 0;
		for (unsigned look = 0; look < LOOKS; look++) {
			uintptr_t cells[CELLS];
			const uint32_t raised =
				urgent.load(unless(URGENT_ACQUIRE, rl::mo_acquire), $);
			const bool taken = poise_seq_try(&seq, cells, page, CELLS) != 0;
			/* Raised for the last time: no writer is at work that could be waited for.
			 */
			RL_ASSERT(taken || raised < UPDATES);
			if (taken) {
				for (unsigned i = 1; i < CELLS; i++) {
					RL_ASSERT(cells[i] == cells[0]);
				}
				RL_ASSERT(cells[0] >= latest);
				RL_ASSERT(cells[0] >= raised);
				latest = cells[0];
			}
		}
	}

	void thread(unsigned index)
	{
		if (index == 0) {
			write();
		} else {
			read();
		}
	}
};

static unsigned number;

/*
 * How to search. EVERY and BOUND visit all executions (BOUND: those with so many preemptions), in
 * which a load finds the latest store or the one before it; RANDOM visits some, in which it may
 * find older ones too.
 */
enum { EVERY = 0, BOUND = 4, RANDOM = 100 };

/* Runs one search. Without a barrier it has to fail, with all of them it must not. */
template <typename TEST> static bool search(const char *name, barrier removed, unsigned how)
{
	rl::test_params params;
	params.search_type = how == EVERY    ? rl::fair_full_search_scheduler_type
			     : how == RANDOM ? rl::random_scheduler_type
					     : rl::fair_context_bound_scheduler_type;
	params.context_bound = how;
	params.iteration_count = 300000;
	without = removed;
	const bool clean = rl::simulate<TEST>(params);
	const bool found = params.test_result == rl::test_result_user_assert_failed;
	const bool passed = removed == NO_BARRIER ? clean : !clean && found;
	std::cout << (passed ? "ok " : "not ok ") << ++number << " - " << name << ": "
		  << (clean ? "no error" : "error found") << " in " << params.stop_iteration
		  << " executions" << std::endl;
	return passed;
}

int main()
{
	static const struct {
		barrier removed;
		const char *name;
	} negatives[] = {
		{STORE_FENCE, "without the fence after the odd store"},
		{EVEN_RELEASE, "without the release of the even store"},
		{FIRST_ACQUIRE, "without the acquire of the first load"},
		{LOAD_FENCE, "without the fence before the second load"},
		{URGENT_RELEASE, "without the release of the urgent word"},
		{URGENT_ACQUIRE, "without the acquire of the urgent word"},
	};
	bool passed = search<protocol<2, 1, 1>>("one update, one look, all", NO_BARRIER, EVERY);
	passed &= search<protocol<2, 2, 1>>("two updates, one look, all", NO_BARRIER, EVERY);
	passed &= search<protocol<2, 2, 2>>("two updates, two looks, bound", NO_BARRIER, BOUND);
	passed &= search<protocol<2, 2, 2>>("two updates, two looks, random", NO_BARRIER, RANDOM);
	passed &= search<protocol<4, 2, 2>>("32-bit cells, random", NO_BARRIER, RANDOM);
	for (unsigned i = 0; i < sizeof(negatives) / sizeof(negatives[0]); i++) {
		passed &=
			search<protocol<2, 2, 2>>(negatives[i].name, negatives[i].removed, RANDOM);
	}
	return passed ? 0 : 1;
}
