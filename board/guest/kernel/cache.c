/* SPDX-License-Identifier: MIT */
/*
 * The page cache: file blocks in RAM, read through the block device with read-ahead. One table word
 * for each block says where it is: a frame, or the shadow it left when it was evicted. Files are
 * read-only, so file pages are always clean.
 */
#include "mm.h"

/* Table word: two bits of state and a frame number or a shadow. Zero is a block never seen. */
#define FILE_RESIDENT (1u << 30)
#define FILE_SHADOW   (2u << 30)
#define FILE_STATE    (3u << 30)
#define FILE_VALUE    (FILE_RESIDENT - 1u)

uint32_t cache_lookup(const struct mm *m, uint32_t block)
{
	const uint32_t word = m->file[block];

	return (word & FILE_STATE) == FILE_RESIDENT ? word & FILE_VALUE : MM_NONE;
}

static void insert(struct mm *m, uint32_t block, uint32_t pfn)
{
	const uint32_t word = m->file[block];
	struct page *page = &m->page[pfn];

	page->kind = PAGE_FILE;
	page->owner = block;
	page->flags = 0;
	m->file[block] = FILE_RESIDENT | pfn;
	if ((word & FILE_STATE) == FILE_SHADOW) {
		lru_refault(m, pfn, true, word & FILE_VALUE);
	} else {
		lru_add(m, pfn, LRU_INACTIVE_FILE);
	}
}

/*
 * Reads blocks from `block` on: a batch when the reading is sequential, one when it is not, and
 * never over a block that is here already.
 */
static void read_ahead(struct mm *m, uint32_t block)
{
	const bool sequential = block == 0 || block == m->read_next;
	uint32_t want = sequential ? RECLAIM_BATCH : 1u;
	uint32_t pfn[RECLAIM_BATCH];
	uint64_t start_ms;
	uint32_t count = 0;
	uint32_t done;

	if (want > m->file_limit - block) {
		want = m->file_limit - block;
	}
	/*
	 * The reclaimer of a kernel with threads would work while this one sleeps for the device,
	 * so here it has its turn first.
	 */
	if (m->free_pages <= m->wmark_low + want) {
		reclaim_wake(m);
	}
	reclaim_background(m, RECLAIM_BATCH * 2u);
	/* A frame that is being read into is on no list, so a small guest could run out of them. */
	while (count < want && (count == 0 || m->free_pages > 1u) &&
	       cache_lookup(m, block + count) == MM_NONE) {
		pfn[count++] = mm_alloc(m);
	}

	start_ms = machine_now_ms(m->machine);
	done = machine_file_read(m->machine, block, m->bounce, count);
	m->io_ms += machine_now_ms(m->machine) - start_ms;
	if (done == 0) {
		machine_corrupt(m->machine, "file read failed at block", block, 0, count);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (i < done) {
			machine_page_copy(m->machine, machine_frame(m->machine, pfn[i]),
					  (const char *)m->bounce + (size_t)i * GUEST_PAGE_BYTES);
			insert(m, block + i, pfn[i]);
		} else {
			mm_free(m, pfn[i]);
		}
	}
	m->file_reads += done;
	if (sequential) {
		m->read_next = block + done;
	}
}

uint32_t cache_read(struct mm *m, uint32_t block)
{
	uint32_t pfn = cache_lookup(m, block);

	if (pfn == MM_NONE) {
		read_ahead(m, block);
		pfn = cache_lookup(m, block);
	}
	lru_mark_accessed(m, pfn);
	return pfn;
}

void cache_drop(struct mm *m, uint32_t block, uint32_t count)
{
	for (uint32_t i = block; i < block + count; i++) {
		const uint32_t pfn = cache_lookup(m, i);

		m->file[i] = 0;
		if (pfn != MM_NONE) {
			lru_del(m, pfn);
			mm_free(m, pfn);
		}
	}
}

void cache_evict(struct mm *m, uint32_t pfn)
{
	const struct page *page = &m->page[pfn];

	m->file[page->owner] = FILE_SHADOW | lru_shadow(m, page);
	mm_free(m, pfn);
}
