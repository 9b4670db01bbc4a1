/* SPDX-License-Identifier: MIT */
/*
 * Reclaim: which lists to scan, how far, and what happens to the pages found. After mm/vmscan.c of
 * Linux 6, without cgroups, zones and writeback: a scan is synchronous, and so is the swap I/O.
 *
 * The rule. Each pass looks at size >> priority pages of a list, priority going from 12 to 0 until
 * enough was freed. File pages only, when there is inactive page cache at this priority that did
 * not refault lately ("cache trim") or when swap is full. Anonymous pages only, when page cache is
 * all but gone. Otherwise both, in proportion swappiness to 200 - swappiness, each divided by what
 * reclaiming that kind has cost lately (swap writes, refaults, futile scans).
 */
#include "mm.h"

#define PRIORITY_START 12u

enum balance { BALANCE_FILE, BALANCE_ANON, BALANCE_EQUAL, BALANCE_FRACTION };

struct scan {
	uint32_t want, freed;
	uint32_t priority;
	bool deactivate_anon, deactivate_file;
};

bool reclaim_is_easy(const struct mm *m)
{
	const uint32_t lacking = m->wmark_high > m->free_pages ? m->wmark_high - m->free_pages : 0;

	return m->lru_pages[LRU_INACTIVE_FILE] > 4u * lacking && !lru_inactive_is_low(m, true);
}

static void shrink_active(struct mm *m, uint32_t count, bool file)
{
	const enum lru_list from = file ? LRU_ACTIVE_FILE : LRU_ACTIVE_ANON;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t pfn = lru_oldest(m, from);
		struct page *page;

		if (pfn == MM_NONE) {
			return;
		}
		page = &m->page[pfn];
		/*
		 * Whether it was used lately is not asked: if it is, it will be found accessed on
		 * the inactive list. Only the flag is cleared, so that it shows.
		 */
		if (!file) {
			machine_test_clear_young(m->machine, page->owner);
		}
		lru_del(m, pfn);
		page->flags = PG_WORKINGSET;
		lru_add(m, pfn, file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON);
	}
}

static uint32_t shrink_inactive_file(struct mm *m, uint32_t count)
{
	uint32_t freed = 0;

	while (freed < count) {
		const uint32_t pfn = lru_oldest(m, LRU_INACTIVE_FILE);

		if (pfn == MM_NONE) {
			break;
		}
		/* Read once or twice lately or never: all clean, and all of it was not activated.
		 */
		lru_del(m, pfn);
		cache_evict(m, pfn);
		freed++;
	}
	return freed;
}

static uint32_t shrink_inactive_anon(struct mm *m, uint32_t count)
{
	uint32_t victim[RECLAIM_BATCH];
	uint32_t victims = 0;
	uint32_t freed;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t pfn = lru_oldest(m, LRU_INACTIVE_ANON);
		struct page *page;

		if (pfn == MM_NONE) {
			break;
		}
		page = &m->page[pfn];
		lru_del(m, pfn);
		if (!machine_test_clear_young(m->machine, page->owner)) {
			victim[victims++] = pfn;
		} else if ((page->flags & PG_REFERENCED) != 0 || m->anon_active) {
			lru_activate(m, pfn);
		} else {
			/*
			 * Every page starts accessed, by the fault that made it: so the first time
			 * counts for nothing but a second look. Before Linux 5.9 it was reason
			 * enough.
			 */
			page->flags |= PG_REFERENCED;
			lru_add(m, pfn, LRU_INACTIVE_ANON);
		}
	}
	freed = swap_out(m, victim, victims);
	lru_note_cost(m, false, freed, count - freed);
	for (uint32_t i = freed; i < victims; i++) {
		lru_add(m, victim[i], LRU_INACTIVE_ANON);
	}
	return freed;
}

static enum balance choose_balance(const struct mm *m, const struct scan *scan)
{
	const uint32_t inactive_file = m->lru_pages[LRU_INACTIVE_FILE];
	const uint32_t file = inactive_file + m->lru_pages[LRU_ACTIVE_FILE];

	if (m->swap_used >= m->slot_count || m->swappiness == 0) {
		return BALANCE_FILE;
	}
	if (scan->priority == 0) {
		return BALANCE_EQUAL;
	}
	if (file + m->free_pages <= m->wmark_high && !scan->deactivate_anon &&
	    m->lru_pages[LRU_INACTIVE_ANON] >> scan->priority != 0) {
		return BALANCE_ANON;
	}
	if (inactive_file >> scan->priority != 0 && !scan->deactivate_file) {
		return BALANCE_FILE;
	}
	return BALANCE_FRACTION;
}

/* Fills in how many pages of each list this pass looks at. */
static void scan_counts(const struct mm *m, const struct scan *scan, uint32_t count[LRU_LISTS])
{
	const enum balance balance = choose_balance(m, scan);
	const uint64_t total = (uint64_t)m->anon_cost + m->file_cost + 1u;
	const uint64_t anon_part = m->swappiness * (2u * total) / (total + m->anon_cost);
	const uint64_t file_part = (200u - m->swappiness) * (2u * total) / (total + m->file_cost);

	for (uint32_t list = 0; list < LRU_LISTS; list++) {
		const bool file = list >= LRU_INACTIVE_FILE;
		const uint64_t part = file ? file_part : anon_part;

		count[list] = m->lru_pages[list] >> scan->priority;
		if (balance == BALANCE_FRACTION) {
			count[list] = (uint32_t)(count[list] * part / (anon_part + file_part));
		} else if (balance == (file ? BALANCE_ANON : BALANCE_FILE)) {
			count[list] = 0;
		}
	}
}

static void shrink_list(struct mm *m, struct scan *scan, enum lru_list list, uint32_t count)
{
	switch (list) {
	case LRU_ACTIVE_ANON:
		if (scan->deactivate_anon) {
			shrink_active(m, count, false);
		}
		break;
	case LRU_ACTIVE_FILE:
		if (scan->deactivate_file) {
			shrink_active(m, count, true);
		}
		break;
	case LRU_INACTIVE_ANON:
		scan->freed += shrink_inactive_anon(m, count);
		break;
	default:
		scan->freed += shrink_inactive_file(m, count);
		break;
	}
}

static void shrink_lists(struct mm *m, struct scan *scan)
{
	uint32_t count[LRU_LISTS];
	bool more = true;

	scan_counts(m, scan, count);
	while (more && scan->freed < scan->want) {
		more = false;
		for (uint32_t list = 0; list < LRU_LISTS; list++) {
			const uint32_t now =
				count[list] < RECLAIM_BATCH ? count[list] : RECLAIM_BATCH;

			if (now != 0) {
				count[list] -= now;
				shrink_list(m, scan, (enum lru_list)list, now);
				more = true;
			}
		}
	}
}

uint32_t reclaim_pages(struct mm *m, uint32_t want)
{
	struct scan scan = {.want = want};

	for (uint32_t left = PRIORITY_START + 1u; left > 0 && scan.freed < want; left--) {
		scan.priority = left - 1u;
		/* Active pages lose their place when theirs is too long or evicted ones come back.
		 */
		scan.deactivate_anon = m->activate_anon != m->seen_activate_anon ||
				       lru_inactive_is_low(m, false) || scan.priority == 0;
		scan.deactivate_file = m->activate_file != m->seen_activate_file ||
				       lru_inactive_is_low(m, true) || scan.priority == 0;
		shrink_lists(m, &scan);
	}
	m->seen_activate_anon = m->activate_anon;
	m->seen_activate_file = m->activate_file;
	return scan.freed;
}

void reclaim_wake(struct mm *m)
{
	if (m->reclaim_wanted) {
		return;
	}
	m->reclaim_wanted = true;
	if (!reclaim_is_easy(m)) {
		machine_pressure(m->machine);
	}
}

void reclaim_background(struct mm *m, uint32_t want)
{
	uint32_t freed = 0;

	while (m->reclaim_wanted && freed < want) {
		uint32_t batch;

		if (m->free_pages >= m->wmark_high) {
			m->reclaim_wanted = false;
			return;
		}
		/* What the host has granted by now need not be taken from anybody here. */
		batch = balloon_deflate(m, RECLAIM_BATCH);
		if (batch == 0) {
			batch = reclaim_pages(m, RECLAIM_BATCH);
		}
		if (batch == 0) {
			/* Nothing to be had: the next allocation below low tries again. */
			m->reclaim_wanted = false;
			return;
		}
		freed += batch;
	}
}
