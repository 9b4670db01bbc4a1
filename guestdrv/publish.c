/* SPDX-License-Identifier: MIT */
/*
 * Guest driver, the portable part. Owns the guest's side of both pages: builds an update in private
 * memory, publishes it under the sequence word, and takes the host's updates with full suspicion.
 * It knows neither where the counters come from nor how a doorbell is rung.
 */
#include "publish.h"

#include "poise_seq.h"

int gd_init(struct gd *gd, struct poise_guest_page *page, const struct poise_host_page *host,
	    uint64_t boot_id, uint64_t total_pages, uint32_t features)
{
	const uintptr_t misaligned = ((uintptr_t)page | (uintptr_t)host) % POISE_ABI_PAGE_BYTES;
	if (gd == NULL || page == NULL || host == NULL || misaligned != 0 || boot_id == 0 ||
	    total_pages == 0) {
		return -1;
	}
	*gd = (struct gd){
		.page = page,
		.host = host,
		.boot_id = boot_id,
		.total_pages = total_pages,
		.features = features,
	};
	return 0;
}

void gd_publish(struct gd *gd, const struct poise_abi_guest *counters)
{
	struct poise_guest_update update = {
		.magic = POISE_ABI_GUEST_MAGIC,
		.version = POISE_ABI_VERSION,
		.compat = POISE_ABI_COMPAT,
		.features = gd->features,
		.length = POISE_ABI_GUEST_LENGTH,
		.boot_id = gd->boot_id,
		.body = *counters,
	};
	poise_seq_cell cells[POISE_SEQ_CELLS(sizeof(update))];
	update.body.sample = ++gd->sample;
	update.body.total_pages = gd->total_pages;
	update.checksum = poise_seq_checksum(&update, sizeof(update));
	__builtin_memcpy(cells, &update, sizeof(update));
	poise_seq_write((poise_seq_word32 *)&gd->page->head.seq, &gd->seq,
			(poise_seq_cell *)&gd->page->update, cells,
			POISE_SEQ_CELLS(sizeof(update)));
}

int gd_urgent(struct gd *gd, uint64_t now_ms, uint64_t gap_ms)
{
	if (gd->urgent_rung != 0 && now_ms - gd->urgent_ms < gap_ms) {
		return 0;
	}
	gd->urgent_rung = 1;
	gd->urgent_ms = now_ms;
	gd->urgent++;
	/* Release: whoever sees the new word finds the update that was published before it. */
	POISE_SEQ_STORE_RELEASE((poise_seq_word32 *)&gd->page->head.urgent, gd->urgent);
	return 1;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Is this an update that we understand, for this boot of ours? */
static int host_update_valid(const struct gd *gd, const struct poise_host_update *update)
{
	return update->magic == POISE_ABI_HOST_MAGIC && update->version >= 1 &&
	       update->compat >= 1 && update->compat <= update->version &&
	       update->compat <= POISE_ABI_VERSION && update->length >= POISE_ABI_HOST_LENGTH &&
	       update->length <= POISE_ABI_LENGTH_MAX && update->length % 8 == 0 &&
	       update->checksum == poise_seq_checksum(update, sizeof(*update)) &&
	       /* Before our first sample the host does not know our boot generation. */
	       (update->boot_id == 0 || update->boot_id == gd->boot_id) &&
	       update->body.target_pages >= 1 && update->body.target_pages <= gd->total_pages &&
	       update->body.state >= POISE_HOST_STATE_UNMANAGED &&
	       update->body.state <= POISE_HOST_STATE_QUARANTINED;
}

int gd_host_read(struct gd *gd, struct gd_host *out)
{
	struct poise_host_update update;
	poise_seq_cell cells[POISE_SEQ_CELLS(sizeof(update))];
	int tries = POISE_SEQ_TRIES;
	while (!poise_seq_try((const poise_seq_word32 *)&gd->host->head.seq, cells,
			      (const poise_seq_cell *)&gd->host->update,
			      POISE_SEQ_CELLS(sizeof(update)))) {
		if (--tries == 0) {
			return 0; /* The writer is at work: there will be a next time. */
		}
	}
	__builtin_memcpy(&update, cells, sizeof(update));
	if (update.magic == 0 && update.body.update == 0) {
		return 0; /* A fresh page: the host has not written yet. */
	}
	if (!host_update_valid(gd, &update)) {
		gd->bad_host_pages++;
		return -1;
	}
	if (update.body.update == gd->host_update) {
		return 0;
	}
	gd->host_update = update.body.update;
	out->interval_ms = clamp(update.body.interval_ms, GD_INTERVAL_MIN_MS, GD_INTERVAL_MAX_MS);
	out->target_pages = update.body.target_pages;
	out->epoch = update.body.epoch;
	out->state = (uint32_t)update.body.state;
	out->features = update.features & POISE_HF_KNOWN;
	return 1;
}
