/* SPDX-License-Identifier: MIT */
/*
 * The balloon: moves this guest's size towards the host's target, a bounded step at a time, from
 * free memory and then by reclaim; never below its floor and never through its high watermark.
 * It settles an epoch once, when it is there or can do no more.
 */
#include "mm.h"

/* Reclaim that frees nothing in this many steps running will not do so in the next one either. */
#define NO_PROGRESS_LIMIT 8u

void balloon_target(struct mm *m, uint32_t target, uint64_t epoch)
{
	struct balloon *b = &m->balloon;

	b->target = target < m->page_count ? target : m->page_count;
	b->epoch = epoch;
	b->no_progress = 0;
	b->pending = true;
}

static void settle(struct mm *m)
{
	m->balloon.pending = false;
	machine_settled(m->machine, m->balloon.epoch);
}

static uint32_t lowest_given(struct mm *m)
{
	uint32_t pfn = m->balloon.lowest;

	while (pfn < m->page_count && m->page[pfn].kind != PAGE_BALLOON) {
		pfn++;
	}
	m->balloon.lowest = pfn;
	return pfn;
}

uint32_t balloon_deflate(struct mm *m, uint32_t want)
{
	const struct balloon *b = &m->balloon;
	const uint32_t size = balloon_size(m);
	uint32_t moved = 0;

	if (b->target <= size || b->mode == BALLOON_STUCK || b->mode == BALLOON_REFUSE_DEFLATE) {
		return 0;
	}
	want = want < b->target - size ? want : b->target - size;
	while (moved < want && m->balloon_pages > 0) {
		const uint32_t pfn = lowest_given(m);
		uint32_t run = 0;
		uint32_t came;

		while (run < want - moved && pfn + run < m->page_count &&
		       m->page[pfn + run].kind == PAGE_BALLOON) {
			run++;
		}
		if (run == 0) {
			break;
		}
		came = machine_deflate(m->machine, pfn, run);
		/* First, so that an interrupt that publishes in between never counts a page twice.
		 */
		m->balloon_pages -= came;
		for (uint32_t i = pfn; i < pfn + came; i++) {
			m->page[i].flags = PG_FRESH;
			mm_free(m, i);
		}
		moved += came;
		if (came < run) {
			break;
		}
	}
	if (moved > 0) {
		mm_set_watermarks(m);
	}
	return moved;
}

/* Takes the run of free frames [pfn, pfn + count) off the free map and offers it to the host. */
static uint32_t give_run(struct mm *m, uint32_t pfn, uint32_t count)
{
	const uint32_t gone = machine_inflate(m->machine, pfn, count);

	for (uint32_t i = pfn; i < pfn + gone; i++) {
		const uint32_t word = i / 64u;

		m->free_map[word] &= ~(UINT64_C(1) << (i % 64u));
		if (m->free_map[word] == 0) {
			m->free_summary[word / 64u] &= ~(UINT64_C(1) << (word % 64u));
		}
		m->page[i].kind = PAGE_BALLOON;
		m->page[i].flags = 0;
	}
	m->free_pages -= gone;
	m->balloon_pages += gone;
	if (gone > 0 && pfn < m->balloon.lowest) {
		m->balloon.lowest = pfn;
	}
	return gone;
}

/* Gives free frames from the top down, in runs: the allocator fills from the bottom up. */
static uint32_t give_free(struct mm *m, uint32_t want)
{
	uint32_t pfn = m->page_count;
	uint32_t moved = 0;

	while (moved < want && pfn > 0) {
		uint32_t run = 0;
		uint32_t gone;

		if (pfn % 64u == 0 && m->free_map[pfn / 64u - 1u] == 0) {
			pfn -= 64u;
			continue;
		}
		while (run < want - moved && run < pfn &&
		       m->page[pfn - run - 1u].kind == PAGE_FREE) {
			run++;
		}
		if (run == 0) {
			pfn--;
			continue;
		}
		gone = give_run(m, pfn - run, run);
		moved += gone;
		if (gone < run) {
			break;
		}
		pfn -= run;
	}
	return moved;
}

static uint32_t inflate(struct mm *m, uint32_t want)
{
	uint32_t spare;
	uint32_t moved;

	if (m->free_pages < m->wmark_high + want) {
		reclaim_pages(m, m->wmark_high + want - m->free_pages);
	}
	spare = m->free_pages > m->wmark_high ? m->free_pages - m->wmark_high : 0;
	moved = give_free(m, want < spare ? want : spare);
	if (moved > 0) {
		mm_set_watermarks(m);
	}
	return moved;
}

void balloon_step(struct mm *m, uint32_t budget)
{
	struct balloon *b = &m->balloon;
	const uint32_t goal = b->target > b->floor ? b->target : b->floor;
	uint32_t moved = 0;

	if (!b->pending || b->mode == BALLOON_STUCK) {
		return;
	}
	if (b->mode == BALLOON_SLOW) {
		const uint64_t now_ms = machine_now_ms(m->machine);

		if (now_ms < b->slow_ms) {
			return;
		}
		b->slow_ms = now_ms + BALLOON_SLOW_MS;
		budget = budget < BALLOON_SLOW_PAGES ? budget : BALLOON_SLOW_PAGES;
	}
	if (balloon_size(m) < b->target) {
		moved = balloon_deflate(m, budget);
	} else if (balloon_size(m) > goal && b->mode != BALLOON_REFUSE_INFLATE &&
		   b->mode != BALLOON_HOG) {
		moved = inflate(m,
				budget < balloon_size(m) - goal ? budget : balloon_size(m) - goal);
		if (moved == 0 && ++b->no_progress < NO_PROGRESS_LIMIT) {
			return;
		}
	}
	if (moved == 0 || balloon_size(m) == goal || balloon_size(m) == b->target) {
		settle(m);
	} else {
		b->no_progress = 0;
	}
}
