/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: any bytes as a guest page and as a host page. With the last byte of the input
 * odd, the checksum is made right, so that the checks behind it are reached.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "poise.h"
#include "poise_seq.h"
#include "publish.h"

#define LIMIT UINT64_C(1000000)

static void must(int condition)
{
	if (!condition) {
		abort();
	}
}

/* Whatever the page holds: a sample that is taken is in range, and nothing is written. */
static void guest_page(const struct poise_guest_page *page)
{
	struct poise_sample s;
	const enum poise_err err = poise_page_read(page, LIMIT, &s);
	must(err == POISE_OK || (err <= POISE_E_MAGIC && err >= POISE_E_UNMAPPED));
	if (err != POISE_OK) {
		return;
	}
	const struct poise_abi_guest *b = &s.body;
	must(b->total_pages >= 1 && b->total_pages <= LIMIT && b->balloon_pages < b->total_pages);
	const uint64_t size = b->total_pages - b->balloon_pages;
	must(b->free_pages + b->active_file_pages + b->inactive_file_pages + b->active_anon_pages +
		     b->inactive_anon_pages + b->unevictable_pages <=
	     size);
	must(b->available_pages <= size && b->floor_pages <= b->total_pages);
	must(b->swap_used_pages <= POISE_PAGES_MAX && b->sample != 0 && s.boot_id != 0);
	must((s.features & ~POISE_GF_KNOWN) == 0);
}

static void host_page(const struct poise_host_page *page)
{
	static _Alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page unused;
	struct gd gd;
	struct gd_host host;
	must(gd_init(&gd, &unused, page, 1, LIMIT, 0) == 0);
	const int result = gd_host_read(&gd, &host);
	must(result == -1 || result == 0 || result == 1);
	if (result == 1) {
		must(host.target_pages >= 1 && host.target_pages <= LIMIT);
		must(host.interval_ms >= GD_INTERVAL_MIN_MS &&
		     host.interval_ms <= GD_INTERVAL_MAX_MS);
		must(host.state >= POISE_HOST_STATE_UNMANAGED &&
		     host.state <= POISE_HOST_STATE_QUARANTINED);
	}
	must(gd.bad_host_pages == (result == -1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page guest, before;
	static _Alignas(POISE_ABI_PAGE_BYTES) struct poise_host_page host;
	const bool seal = size > 0 && (data[size - 1] & 1) != 0;
	size = size < sizeof(guest) ? size : sizeof(guest);
	memset(&guest, 0, sizeof(guest));
	memset(&host, 0, sizeof(host));
	memcpy(&guest, data, size);
	memcpy(&host, data, size);
	if (seal) {
		guest.head.seq &= ~1u;
		guest.update.magic = POISE_ABI_GUEST_MAGIC;
		guest.update.checksum = poise_seq_checksum(&guest.update, sizeof(guest.update));
		host.head.seq &= ~1u;
		host.update.magic = POISE_ABI_HOST_MAGIC;
		host.update.checksum = poise_seq_checksum(&host.update, sizeof(host.update));
	}
	memcpy(&before, &guest, sizeof(guest));
	guest_page(&guest);
	must(memcmp(&before, &guest, sizeof(guest)) == 0);
	host_page(&host);
	return 0;
}
