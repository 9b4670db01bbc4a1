/* SPDX-License-Identifier: MIT */
/* What the tests of stage 2 share: a page, and what is true of every sample. */
#ifndef PAGE_SUPPORT_H
#define PAGE_SUPPORT_H

#include "support.h"

#include "internal.h"
#include "poise_seq.h"

#define TOTAL     65536u
#define LIMIT     UINT64_C(131072)
#define HEAD_SIZE offsetof(struct poise_guest_page, update.body)

static struct poise_guest_page page;

static inline enum poise_err read_page(struct poise_sample *out)
{
	return poise_page_read(&page, LIMIT, out);
}

/* What is true of every sample that is accepted, whatever the page was. */
static inline void assert_sample_in_range(const struct poise_sample *s, uint64_t limit_pages)
{
	const struct poise_abi_guest *b = &s->body;
	assert_int_equal(s->magic, POISE_ABI_GUEST_MAGIC);
	assert_in_range(s->version, 1, UINT16_MAX);
	assert_in_range(s->compat, 1, POISE_ABI_VERSION);
	assert_int_equal(s->features & ~POISE_GF_KNOWN, 0);
	assert_in_range(s->length, POISE_ABI_GUEST_LENGTH_MIN, POISE_ABI_LENGTH_MAX);
	assert_true(s->boot_id != 0 && b->sample != 0);
	assert_in_range(b->total_pages, 1, limit_pages);
	assert_in_range(b->balloon_pages, 0, b->total_pages - 1);
	const uint64_t size = b->total_pages - b->balloon_pages;
	const uint64_t lists[] = {b->free_pages,          b->active_file_pages,
				  b->inactive_file_pages, b->active_anon_pages,
				  b->inactive_anon_pages, b->unevictable_pages};
	uint64_t left = size;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		assert_in_range(lists[i], 0, left);
		left -= lists[i];
	}
	assert_in_range(b->available_pages, 0, size);
	assert_in_range(b->floor_pages, 0, b->total_pages);
	assert_in_range(b->swap_used_pages, 0, POISE_PAGES_MAX);
}

/* Reads an update from a fresh page; what is accepted must be in range. */
static inline enum poise_err read_update(const struct poise_guest_update *update,
					 struct poise_sample *out)
{
	support_page(&page, update);
	const enum poise_err err = read_page(out);
	if (err == POISE_OK) {
		assert_sample_in_range(out, LIMIT);
	}
	return err;
}

static inline enum poise_err read_sealed(struct poise_guest_update *update)
{
	struct poise_sample sample;
	support_seal(update);
	return read_update(update, &sample);
}

#endif
