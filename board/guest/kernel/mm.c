/* SPDX-License-Identifier: MIT */
/*
 * Frames and anonymous memory: the free map, watermarks, the allocator with its slow path, and the
 * pages of the workload window with their faults, eviction and death. It knows nothing of LRU order
 * (lru.c) nor of what to reclaim (reclaim.c).
 */
#include "mm.h"

/*
 * A word of the window's table: two bits of state and a frame or slot number. Zero is a page that
 * has never been touched or was freed: it will be zero at its next touch.
 */
#define ANON_RESIDENT (1u << 30)
#define ANON_SWAPPED  (2u << 30)
#define ANON_STATE    (3u << 30)
#define ANON_VALUE    (ANON_RESIDENT - 1u)

/* Reclaim that frees nothing this often in a row means that there is nothing. */
#define FUTILE_LIMIT 4u

static size_t round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1u) / unit * unit;
}

static size_t map_words(size_t bits)
{
	return (bits + 63u) / 64u;
}

/* Hands out the table area piece by piece; with `base` NULL it only adds up sizes. */
static void *carve(char *base, size_t *used, size_t bytes)
{
	void *piece = base == NULL ? NULL : base + *used;

	*used += round_up(bytes, 64u);
	return piece;
}

static size_t lay_out(struct mm *m, const struct mm_config *config, char *base)
{
	const size_t words = map_words(config->page_count);
	size_t used = 0;

	/* The bounce buffer comes first because it has to be page aligned. */
	m->bounce = carve(base, &used, (size_t)RECLAIM_BATCH * GUEST_PAGE_BYTES);
	m->page = carve(base, &used, (config->page_count + LRU_LISTS) * sizeof(struct page));
	m->free_map = carve(base, &used, words * sizeof(uint64_t));
	m->free_summary = carve(base, &used, map_words(words) * sizeof(uint64_t));
	m->anon = carve(base, &used, config->anon_limit * sizeof(uint32_t));
	m->file = carve(base, &used, config->file_limit * sizeof(uint32_t));
	m->slot_map = carve(base, &used, map_words(config->slot_count) * sizeof(uint64_t));
	m->slot_shadow = carve(base, &used, config->slot_count * sizeof(uint32_t));
	return round_up(used, GUEST_PAGE_BYTES);
}

size_t mm_table_bytes(const struct mm_config *config)
{
	struct mm scratch;

	return lay_out(&scratch, config, NULL);
}

void mm_init(struct mm *m, const struct mm_config *config, void *tables)
{
	*m = (struct mm){
		.machine = config->machine,
		.page_count = config->page_count,
		.reserved_pages = config->boot_pages,
		.balloon_pages = config->page_count - config->boot_pages,
		.anon_limit = config->anon_limit,
		.file_limit = config->file_limit,
		.slot_count = config->slot_count,
		.swappiness = config->swappiness,
		.granule = config->granule == 0 ? 1u : config->granule,
		.anon_active = config->anon_active,
		.balloon = {.target = config->boot_pages},
	};
	lay_out(m, config, tables);
	lru_init(m);
	for (uint32_t pfn = 0; pfn < m->page_count; pfn++) {
		m->page[pfn].kind = pfn < config->boot_pages ? PAGE_RESERVED : PAGE_BALLOON;
	}
	/* The last word of the slot map must not offer slots that do not exist. */
	if (m->slot_count % 64u != 0) {
		m->slot_map[m->slot_count / 64u] = UINT64_MAX << (m->slot_count % 64u);
	}
	mm_set_watermarks(m);
}

void mm_free(struct mm *m, uint32_t pfn)
{
	struct page *page = &m->page[pfn];

	page->kind = PAGE_FREE;
	page->flags &= PG_FRESH;
	m->free_map[pfn / 64u] |= UINT64_C(1) << (pfn % 64u);
	m->free_summary[pfn / 64u / 64u] |= UINT64_C(1) << (pfn / 64u % 64u);
	m->free_pages++;
}

void mm_add_free(struct mm *m, uint32_t pfn, uint32_t count)
{
	for (uint32_t i = pfn; i < pfn + count && i < m->page_count; i++) {
		if (m->page[i].kind == PAGE_RESERVED) {
			m->page[i].flags = PG_FRESH;
			mm_free(m, i);
			m->reserved_pages--;
		}
	}
}

static uint32_t square_root(uint32_t value)
{
	uint32_t root = 0;

	for (uint32_t bit = 1u << 15; bit != 0; bit >>= 1) {
		const uint32_t trial = root | bit;

		if (trial * trial <= value) {
			root = trial;
		}
	}
	return root;
}

void mm_set_watermarks(struct mm *m)
{
	/* Linux: min_free_kbytes = sqrt(16 * KiB of memory), at least 128; watermark_scale 0.1 %.
	 */
	const uint32_t managed = balloon_size(m) * m->granule;
	const uint32_t min_kib = square_root(managed * 4u * 16u);
	const uint32_t min = (min_kib < 128u ? 128u : min_kib) / 4u;
	const uint32_t gap = min / 4u > managed / 1000u ? min / 4u : managed / 1000u;

	/* Rounded up, so that coarse frames never make the steps between them vanish. */
	m->wmark_min = (min + m->granule - 1u) / m->granule;
	m->wmark_low = m->wmark_min + (gap + m->granule - 1u) / m->granule;
	m->wmark_high = m->wmark_low + (gap + m->granule - 1u) / m->granule;
}

/* A frame that was never used since the hypervisor gave it must be zero: nobody else's data. */
static void check_fresh(const struct mm *m, uint32_t pfn)
{
	const uint64_t *word = machine_frame(m->machine, pfn);

	for (uint32_t i = pfn % 64u; i < GUEST_PAGE_WORDS; i += 64u) {
		if (word[i] != 0) {
			machine_corrupt(m->machine, "data of another VM in frame", pfn, word[i], 0);
		}
	}
}

uint32_t mm_take_free(struct mm *m)
{
	const size_t summary_words = map_words(map_words(m->page_count));

	for (size_t i = 0; i < summary_words; i++) {
		uint32_t word;
		uint32_t pfn;

		if (m->free_summary[i] == 0) {
			continue;
		}
		word = (uint32_t)i * 64u + (uint32_t)__builtin_ctzll(m->free_summary[i]);
		pfn = word * 64u + (uint32_t)__builtin_ctzll(m->free_map[word]);
		m->free_map[word] &= m->free_map[word] - 1u;
		if (m->free_map[word] == 0) {
			m->free_summary[i] &= m->free_summary[i] - 1u;
		}
		m->free_pages--;
		if ((m->page[pfn].flags & PG_FRESH) != 0) {
			check_fresh(m, pfn);
		}
		return pfn;
	}
	return MM_NONE;
}

/* Makes room when free is below min: what the host granted, direct reclaim, at last the kill. */
static void alloc_slow(struct mm *m)
{
	uint32_t futile = 0;
	bool counted = false;

	while (m->free_pages <= m->wmark_min) {
		if (balloon_deflate(m, RECLAIM_BATCH) > 0) {
			continue;
		}
		if (!counted) {
			counted = true;
			m->direct_reclaims++;
			if (!reclaim_is_easy(m)) {
				machine_pressure(m->machine);
			}
		}
		if (reclaim_pages(m, RECLAIM_BATCH) > 0) {
			futile = 0;
		} else if (++futile == FUTILE_LIMIT) {
			mm_oom(m);
			return;
		}
	}
}

uint32_t mm_alloc(struct mm *m)
{
	uint32_t pfn;

	if (m->free_pages <= m->wmark_low) {
		reclaim_wake(m);
	}
	if (m->free_pages <= m->wmark_min) {
		alloc_slow(m);
	}
	pfn = mm_take_free(m);
	if (pfn == MM_NONE) {
		machine_corrupt(m->machine, "not one frame left", balloon_size(m), 0, 1);
	}
	return pfn;
}

void mm_anon_fault(struct mm *m, uint32_t vpn)
{
	const uint32_t pfn = mm_alloc(m);
	/* Read after mm_alloc: a kill in there may just have emptied this very page. */
	const uint32_t word = m->anon[vpn];
	struct page *page = &m->page[pfn];
	const bool fresh = (page->flags & PG_FRESH) != 0;
	uint32_t shadow;

	page->kind = PAGE_ANON;
	page->owner = vpn;
	page->flags = 0;
	m->anon[vpn] = ANON_RESIDENT | pfn;
	if ((word & ANON_STATE) == ANON_SWAPPED) {
		swap_in(m, word & ANON_VALUE, pfn, &shadow);
		lru_refault(m, pfn, false, shadow);
	} else {
		if (!fresh) {
			machine_frame_zero(m->machine, pfn);
		}
		lru_add(m, pfn, m->anon_active ? LRU_ACTIVE_ANON : LRU_INACTIVE_ANON);
	}
	machine_map(m->machine, vpn, pfn);
}

void mm_anon_free(struct mm *m, uint32_t vpn, uint32_t count)
{
	for (uint32_t i = vpn; i < vpn + count; i++) {
		const uint32_t word = m->anon[i];

		if ((word & ANON_STATE) == ANON_RESIDENT) {
			machine_unmap(m->machine, i);
			lru_del(m, word & ANON_VALUE);
			mm_free(m, word & ANON_VALUE);
		} else if ((word & ANON_STATE) == ANON_SWAPPED) {
			swap_free(m, word & ANON_VALUE);
		}
		m->anon[i] = 0;
	}
}

void mm_anon_evict(struct mm *m, uint32_t pfn, uint32_t slot)
{
	const uint32_t vpn = m->page[pfn].owner;

	machine_unmap(m->machine, vpn);
	m->anon[vpn] = ANON_SWAPPED | slot;
	mm_free(m, pfn);
}

void mm_oom(struct mm *m)
{
	m->oom_kills++;
	mm_anon_free(m, 0, m->anon_limit);
}

static const char *check_lists(const struct mm *m)
{
	for (uint32_t list = 0; list < LRU_LISTS; list++) {
		const uint32_t head = m->page_count + list;
		uint32_t count = 0;

		for (uint32_t i = m->page[head].next; i != head; i = m->page[i].next) {
			const struct page *page = &m->page[i];

			if (page->lru != list || ++count > m->page_count) {
				return "a page is on another list than it says";
			}
			if (page->kind != (list < LRU_INACTIVE_FILE ? PAGE_ANON : PAGE_FILE)) {
				return "a page of the wrong kind is on a list";
			}
			if (m->page[page->next].prev != i) {
				return "a list is broken";
			}
		}
		if (count != m->lru_pages[list]) {
			return "a list has another length than counted";
		}
	}
	return NULL;
}

const char *mm_check(const struct mm *m)
{
	uint32_t kinds[PAGE_FILE + 1] = {0};
	uint32_t swapped = 0;

	for (uint32_t pfn = 0; pfn < m->page_count; pfn++) {
		const bool bit = (m->free_map[pfn / 64u] >> (pfn % 64u) & 1u) != 0;

		kinds[m->page[pfn].kind]++;
		if (bit != (m->page[pfn].kind == PAGE_FREE)) {
			return "the free map disagrees with a page";
		}
	}
	if (kinds[PAGE_FREE] != m->free_pages || kinds[PAGE_BALLOON] != m->balloon_pages ||
	    kinds[PAGE_RESERVED] != m->reserved_pages) {
		return "a count of frames is wrong";
	}
	if (kinds[PAGE_ANON] != m->lru_pages[LRU_INACTIVE_ANON] + m->lru_pages[LRU_ACTIVE_ANON] ||
	    kinds[PAGE_FILE] != m->lru_pages[LRU_INACTIVE_FILE] + m->lru_pages[LRU_ACTIVE_FILE]) {
		return "a page is on no list";
	}
	for (uint32_t vpn = 0; vpn < m->anon_limit; vpn++) {
		const uint32_t word = m->anon[vpn];

		if ((word & ANON_STATE) == ANON_SWAPPED) {
			swapped++;
		} else if ((word & ANON_STATE) == ANON_RESIDENT) {
			const struct page *page = &m->page[word & ANON_VALUE];

			if (page->kind != PAGE_ANON || page->owner != vpn) {
				return "a page of the window and its frame disagree";
			}
		}
	}
	if (swapped != m->swap_used) {
		return "the swap slots in use are not those of swapped pages";
	}
	for (uint32_t block = 0; block < m->file_limit; block++) {
		const uint32_t pfn = cache_lookup(m, block);

		if (pfn != MM_NONE &&
		    (m->page[pfn].kind != PAGE_FILE || m->page[pfn].owner != block)) {
			return "a cached block and its frame disagree";
		}
	}
	return check_lists(m);
}
