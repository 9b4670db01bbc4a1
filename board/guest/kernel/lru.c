/* SPDX-License-Identifier: MIT */
/*
 * The LRU lists: four doubly linked lists of frames, and what decides when a page changes its list.
 * Activation and refault distance follow Linux (mm/workingset.c, mm/swap.c); scanning is
 * reclaim.c's.
 */
#include "mm.h"

/* A shadow is (age << 1 | workingset) in 29 bits: distances are exact up to 2^28 evictions. */
#define SHADOW_AGE_MASK ((1u << 28) - 1u)

static uint32_t list_head(const struct mm *m, enum lru_list list)
{
	return m->page_count + (uint32_t)list;
}

void lru_init(struct mm *m)
{
	for (uint32_t i = 0; i < LRU_LISTS; i++) {
		const uint32_t head = m->page_count + i;

		m->page[head].next = head;
		m->page[head].prev = head;
		m->lru_pages[i] = 0;
	}
}

void lru_add(struct mm *m, uint32_t pfn, enum lru_list list)
{
	const uint32_t head = list_head(m, list);
	const uint32_t first = m->page[head].next;

	m->page[pfn].next = first;
	m->page[pfn].prev = head;
	m->page[first].prev = pfn;
	m->page[head].next = pfn;
	m->page[pfn].lru = (uint8_t)list;
	m->lru_pages[list]++;
}

void lru_del(struct mm *m, uint32_t pfn)
{
	struct page *page = &m->page[pfn];

	m->page[page->prev].next = page->next;
	m->page[page->next].prev = page->prev;
	m->lru_pages[page->lru]--;
}

uint32_t lru_oldest(const struct mm *m, enum lru_list list)
{
	const uint32_t head = list_head(m, list);
	const uint32_t last = m->page[head].prev;

	return last == head ? MM_NONE : last;
}

void lru_activate(struct mm *m, uint32_t pfn)
{
	const bool file = m->page[pfn].kind == PAGE_FILE;

	m->page[pfn].flags &= (uint8_t)~PG_REFERENCED;
	lru_add(m, pfn, file ? LRU_ACTIVE_FILE : LRU_ACTIVE_ANON);
	m->nonresident_age++;
}

void lru_mark_accessed(struct mm *m, uint32_t pfn)
{
	struct page *page = &m->page[pfn];

	if ((page->flags & PG_REFERENCED) == 0) {
		page->flags |= PG_REFERENCED;
	} else if (page->lru == LRU_INACTIVE_FILE) {
		lru_del(m, pfn);
		lru_activate(m, pfn);
	}
}

uint32_t lru_shadow(struct mm *m, const struct page *page)
{
	const uint32_t age = m->nonresident_age++ & SHADOW_AGE_MASK;

	return age << 1 | ((page->flags & PG_WORKINGSET) != 0 ? 1u : 0u);
}

void lru_refault(struct mm *m, uint32_t pfn, bool file, uint32_t shadow)
{
	const uint32_t distance = (m->nonresident_age - (shadow >> 1)) & SHADOW_AGE_MASK;
	uint32_t workingset = m->lru_pages[LRU_ACTIVE_FILE];

	/*
	 * The page would still be here if the inactive list had been longer by `distance`; it
	 * deserves to compete if the pages it would have displaced, those of all other lists, are
	 * that many.
	 */
	if (file) {
		m->refault_file++;
	} else {
		m->refault_anon++;
		workingset += m->lru_pages[LRU_INACTIVE_FILE];
	}
	if (m->slot_count > m->swap_used) {
		workingset += m->lru_pages[LRU_ACTIVE_ANON];
		if (file) {
			workingset += m->lru_pages[LRU_INACTIVE_ANON];
		}
	}
	if (distance > workingset) {
		lru_add(m, pfn, file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON);
		return;
	}
	lru_activate(m, pfn);
	if (file) {
		m->activate_file++;
	} else {
		m->activate_anon++;
	}
	if ((shadow & 1u) != 0) {
		m->page[pfn].flags |= PG_WORKINGSET;
		lru_note_cost(m, file, 1, 0);
	}
}

bool lru_inactive_is_low(const struct mm *m, bool file)
{
	/* Linux's ratio is sqrt(10 * GiB) for lists of a GiB and more, and 1 below: ours are below.
	 */
	return file ? m->lru_pages[LRU_INACTIVE_FILE] < m->lru_pages[LRU_ACTIVE_FILE]
		    : m->lru_pages[LRU_INACTIVE_ANON] < m->lru_pages[LRU_ACTIVE_ANON];
}

void lru_note_cost(struct mm *m, bool file, uint32_t io_pages, uint32_t rotated_pages)
{
	const uint32_t cost = io_pages * RECLAIM_BATCH + rotated_pages;
	uint32_t lru_pages = 0;

	if (file) {
		m->file_cost += cost;
	} else {
		m->anon_cost += cost;
	}
	for (uint32_t i = 0; i < LRU_LISTS; i++) {
		lru_pages += m->lru_pages[i];
	}
	/* Old costs fade, so that the balance follows the workload. */
	while (m->anon_cost + m->file_cost > lru_pages / 4u + 1u) {
		m->anon_cost /= 2u;
		m->file_cost /= 2u;
	}
}
