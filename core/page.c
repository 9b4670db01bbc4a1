/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: raw page -> sample. Owns the host's side of both shared pages. The only code that sees a
 * guest page; it knows nothing of VMs, policy or time. A page is copied once and the copy is
 * checked; no byte of it is used as index, length or loop bound before that.
 */
#include "internal.h"
#include "poise_seq.h"

POISE_ABI_ASSERT(sizeof(struct poise_sample) == sizeof(struct poise_guest_update) &&
			 offsetof(struct poise_sample, body) ==
				 offsetof(struct poise_guest_update, body),
		 "a sample is laid out as the update it is copied from");

/* Optional fields in the order of the body, from available_pages on: which bit says that they are
 * filled in. */
static const struct {
	uint16_t feature, words;
} optional[] = {
	{POISE_GF_AVAILABLE, 1}, {POISE_GF_SWAP_FLOW, 2}, {POISE_GF_REFAULT, 2},
	{POISE_GF_COMMITTED, 1}, {POISE_GF_RECLAIM, 2},   {POISE_GF_FLOOR, 1},
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
	uint64_t *word = &s->body.available_pages;
	size_t end = POISE_SAMPLE_WORD(available_pages);
	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		end += optional[i].words;
		if ((s->features & optional[i].feature) == 0) {
			__builtin_memset(word, 0, optional[i].words * sizeof(*word));
		} else if (end * sizeof(uint64_t) > s->length) {
			return POISE_E_LENGTH;
		}
		word += optional[i].words;
	}
	s->features &= POISE_GF_KNOWN;
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
				  (const poise_seq_cell *)&page->update.checksum,
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
			(poise_seq_cell *)&page->update.checksum, cells,
			POISE_SEQ_CELLS(sizeof(update)));
}

uint32_t poise_page_urgent(const struct poise_guest_page *page)
{
	return POISE_SEQ_LOAD_ACQUIRE((const poise_seq_word32 *)&page->head.urgent);
}
