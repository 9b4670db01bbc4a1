/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: raw page -> sample. Owns the host's side of both shared pages. The only code that sees a
 * guest page; it knows nothing of VMs, policy or time. A page is copied once and the copy is
 * checked; no byte of it is used as index, length or loop bound before that.
 */
#include "internal.h"
#include "poise_seq.h"

/* A sample is laid out as the update that it is copied from. */
#define AS_UPDATE(member)                                                     \
	POISE_ABI_ASSERT(offsetof(struct poise_sample, member) ==             \
				 offsetof(struct poise_guest_update, member), \
			 "struct poise_sample." #member " is elsewhere in an update")
AS_UPDATE(checksum);
AS_UPDATE(magic);
AS_UPDATE(version);
AS_UPDATE(compat);
AS_UPDATE(features);
AS_UPDATE(length);
AS_UPDATE(boot_id);
AS_UPDATE(body);
POISE_ABI_ASSERT(sizeof(struct poise_sample) == sizeof(struct poise_guest_update),
		 "struct poise_sample has another size than an update");

/* Optional fields of the body, and which feature says that they are filled in. */
static const struct {
	uint16_t feature, offset;
} optional[] = {
#define OPTIONAL(name, field)                                                                 \
	{                                                                                     \
		.feature = POISE_GF_##name, .offset = offsetof(struct poise_abi_guest, field) \
	}
	OPTIONAL(AVAILABLE, available_pages),  OPTIONAL(SWAP_FLOW, swap_out_pages),
	OPTIONAL(SWAP_FLOW, swap_in_pages),    OPTIONAL(REFAULT, refault_anon_pages),
	OPTIONAL(REFAULT, refault_file_pages), OPTIONAL(COMMITTED, committed_pages),
	OPTIONAL(RECLAIM, direct_reclaims),    OPTIONAL(RECLAIM, oom_kills),
	OPTIONAL(FLOOR, floor_pages),
};

static enum poise_err check_head(const struct poise_sample *s)
{
	if (s->magic != POISE_ABI_GUEST_MAGIC) {
		return s->magic == __builtin_bswap32(POISE_ABI_GUEST_MAGIC) ? POISE_E_ENDIAN
									    : POISE_E_MAGIC;
	}
	if (s->compat < 1 || s->compat > s->version || s->compat > POISE_ABI_VERSION) {
		return POISE_E_VERSION;
	}
	if (s->length < POISE_ABI_GUEST_LENGTH_MIN || s->length > POISE_ABI_LENGTH_MAX ||
	    s->length % sizeof(uint64_t) != 0) {
		return POISE_E_LENGTH;
	}
	const size_t known =
		s->length < POISE_ABI_GUEST_LENGTH ? s->length : POISE_ABI_GUEST_LENGTH;
	if (s->checksum != poise_seq_checksum(s, offsetof(struct poise_sample, body) + known)) {
		return POISE_E_CHECKSUM;
	}
	return POISE_OK;
}

/* Clears what the guest does not fill in; a declared field that lies behind the end is an error. */
static enum poise_err clear_absent(struct poise_sample *s)
{
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		if ((s->features & optional[i].feature) == 0) {
			__builtin_memset((char *)&s->body + optional[i].offset, 0,
					 sizeof(uint64_t));
		} else if (optional[i].offset >= s->length) {
			return POISE_E_LENGTH;
		}
	}
	s->features &= POISE_GF_KNOWN;
	return POISE_OK;
}

enum poise_err poise_sample_check(const struct poise_sample *s, uint64_t limit_pages)
{
	const struct poise_abi_guest *b = &s->body;
	const uint64_t counts[] = {
		b->total_pages,         b->balloon_pages,       b->free_pages,
		b->active_file_pages,   b->inactive_file_pages, b->active_anon_pages,
		b->inactive_anon_pages, b->unevictable_pages,   b->swap_used_pages,
		b->available_pages,     b->floor_pages,
	};
	uint64_t most = 0;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		most = poise_max(most, counts[i]);
	}
	if (s->boot_id == 0 || b->sample == 0 || b->total_pages == 0 ||
	    b->total_pages > limit_pages || most > POISE_PAGES_MAX) {
		return POISE_E_RANGE;
	}
	const uint64_t lists = b->free_pages + b->active_file_pages + b->inactive_file_pages +
			       b->active_anon_pages + b->inactive_anon_pages + b->unevictable_pages;
	if (b->balloon_pages >= b->total_pages || lists > b->total_pages - b->balloon_pages ||
	    b->available_pages > b->total_pages - b->balloon_pages ||
	    b->floor_pages > b->total_pages) {
		return POISE_E_INCONSISTENT;
	}
	return POISE_OK;
}

enum poise_err poise_page_read(const struct poise_guest_page *page, uint64_t limit_pages,
			       struct poise_sample *out)
{
	poise_seq_cell cells[POISE_SEQ_CELLS(sizeof(*out))];
	if (page == NULL) {
		return POISE_E_UNMAPPED;
	}
	for (unsigned tries = POISE_SEQ_TRIES; tries > 0; tries--) {
		if (poise_seq_try((const poise_seq_word32 *)&page->head.seq, cells,
				  (const poise_seq_cell *)&page->update,
				  POISE_SEQ_CELLS(sizeof(*out)))) {
			__builtin_memcpy(out, cells, sizeof(*out));
			enum poise_err err = check_head(out);
			if (err == POISE_OK) {
				err = clear_absent(out);
			}
			return err == POISE_OK ? poise_sample_check(out, limit_pages) : err;
		}
	}
	return POISE_E_TORN;
}

void poise_host_page_write(struct poise_host_page *page, struct poise_host_writer *writer,
			   const struct poise_notice *notice)
{
	struct poise_host_update update = {
		.magic = POISE_ABI_HOST_MAGIC,
		.version = POISE_ABI_VERSION,
		.compat = POISE_ABI_COMPAT,
		.features = POISE_HF_KNOWN,
		.length = POISE_ABI_HOST_LENGTH,
		.boot_id = notice->boot_id,
		.body = {.update = ++writer->update,
			 .interval_ms = notice->interval_ms,
			 .target_pages = notice->target_pages,
			 .epoch = notice->epoch,
			 .state = notice->state},
	};
	poise_seq_cell cells[POISE_SEQ_CELLS(sizeof(update))];
	update.checksum = poise_seq_checksum(&update, sizeof(update));
	__builtin_memcpy(cells, &update, sizeof(update));
	poise_seq_write((poise_seq_word32 *)&page->head.seq, &writer->seq,
			(poise_seq_cell *)&page->update, cells, POISE_SEQ_CELLS(sizeof(update)));
}

uint32_t poise_page_urgent(const struct poise_guest_page *page)
{
	return POISE_SEQ_LOAD_ACQUIRE((const poise_seq_word32 *)&page->head.urgent);
}
