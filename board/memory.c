/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory from the monitor's side: what it may have, what it has, what is in its balloon.
 *
 * A page of the RAM window is in the balloon (must not be touched), or usable; a usable page is
 * populated on its first touch. Only HVC_DEFLATE makes more pages usable, and only up to the core's
 * target and what the pool can promise, so the sum of usable pages never exceeds the pool and
 * population cannot fail.
 */
#include "memory.h"

#include <string.h>

#include "panic.h"
#include "pool.h"

static uint64_t page_index(uint64_t ipa)
{
	return (ipa - GUEST_RAM_BASE) / BOARD_PAGE_BYTES;
}

static bool pinned(const struct board_vm *vm, uint64_t ipa)
{
	return (vm->guest_page != 0 && ipa == vm->guest_page_ipa) ||
	       (vm->host_page != 0 && ipa == vm->host_page_ipa);
}

bool board_memory_range(const struct board_vm *vm, uint64_t ipa, uint64_t pages)
{
	if ((ipa & (BOARD_PAGE_BYTES - 1u)) != 0 || ipa < GUEST_RAM_BASE) {
		return false;
	}
	uint64_t first = page_index(ipa);
	return first < vm->config->ram_pages && pages <= vm->config->ram_pages - first;
}

bool board_memory_ballooned(const struct board_vm *vm, uint64_t ipa)
{
	uint64_t index = page_index(ipa);
	return (vm->balloon_map[index / 64u] >> (index % 64u) & 1u) != 0;
}

static void set_ballooned(struct board_vm *vm, uint64_t ipa, bool in)
{
	uint64_t index = page_index(ipa);
	uint64_t bit = UINT64_C(1) << (index % 64u);
	if (in) {
		vm->balloon_map[index / 64u] |= bit;
		vm->balloon_pages++;
	} else {
		vm->balloon_map[index / 64u] &= ~bit;
		vm->balloon_pages--;
	}
}

uint64_t board_memory_page(struct board_vm *vm, uint64_t ipa)
{
	ipa &= ~(BOARD_PAGE_BYTES - 1u);
	if (board_memory_ballooned(vm, ipa)) {
		return 0;
	}
	uint64_t page = board_stage2_lookup(&vm->space, ipa);
	if (page == 0) {
		page = board_pool_alloc(BOARD_VMID(vm));
		if (page == 0) {
			board_panic("%s: the pool is overdrawn at IPA 0x%lx", vm->config->name,
				    ipa);
		}
		board_stage2_map(&vm->space, ipa, page, true);
		vm->populated_pages++;
		vm->stats.populated++;
	}
	return page;
}

/*
 * Takes away what is populated of at most HVC_RANGE_MAX pages and puts it back into the pool:
 * unmap, invalidate, only then scrub. Nobody gets a page that this guest can still reach.
 */
static void depopulate(struct board_vm *vm, uint64_t ipa, uint64_t pages)
{
	uint64_t freed[HVC_RANGE_MAX];
	uint32_t freed_count = 0;

	for (uint64_t i = 0; i < pages; i++) {
		uint64_t page = board_stage2_unmap(&vm->space, ipa + i * BOARD_PAGE_BYTES);
		if (page != 0) {
			freed[freed_count++] = page;
		}
	}
	if (freed_count == 0) {
		return;
	}
	board_stage2_flush(&vm->space, ipa, pages);
	for (uint32_t i = 0; i < freed_count; i++) {
		board_pool_free(freed[i], BOARD_VMID(vm));
	}
	vm->populated_pages -= freed_count;
}

int64_t board_memory_inflate(struct board_vm *vm, uint64_t ipa, uint64_t pages, uint64_t *moved)
{
	*moved = 0;
	if (pages == 0 || !board_memory_range(vm, ipa, pages)) {
		return HVC_INVALID;
	}
	if (pages > HVC_RANGE_MAX) {
		pages = HVC_RANGE_MAX;
	}

	/* A pinned page ends the range: what comes before it counts, if there is anything. */
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t at = ipa + i * BOARD_PAGE_BYTES;
		if (pinned(vm, at)) {
			if (i == 0) {
				return HVC_DENIED;
			}
			pages = i;
		} else if (!board_memory_ballooned(vm, at)) {
			set_ballooned(vm, at, true);
			(*moved)++;
		}
	}
	depopulate(vm, ipa, pages);
	board_pool_unpromise((uint32_t)*moved);
	vm->stats.inflated += *moved;
	return HVC_OK;
}

/*
 * Up to the target, which the core's ledger covers. A guest that claims a reboot has its boot size
 * granted before the others have made room: the pool itself is the limit then.
 */
int64_t board_memory_deflate(struct board_vm *vm, uint64_t ipa, uint64_t pages, uint64_t *moved)
{
	*moved = 0;
	if (pages == 0 || !board_memory_range(vm, ipa, pages)) {
		return HVC_INVALID;
	}
	if (pages > HVC_RANGE_MAX) {
		pages = HVC_RANGE_MAX;
	}
	uint64_t left = board_pool_unpromised();
	for (uint64_t i = 0; i < pages && board_vm_measure(vm) < vm->target_pages; i++) {
		uint64_t at = ipa + i * BOARD_PAGE_BYTES;
		if (board_memory_ballooned(vm, at)) {
			if (*moved == left) {
				break;
			}
			set_ballooned(vm, at, false);
			(*moved)++;
		}
	}
	board_pool_promise((uint32_t)*moved);
	vm->stats.deflated += *moved;
	return HVC_OK;
}

int64_t board_memory_share(struct board_vm *vm, uint64_t guest_ipa, uint64_t host_ipa)
{
	if (!board_memory_range(vm, guest_ipa, 1) || !board_memory_range(vm, host_ipa, 1) ||
	    guest_ipa == host_ipa) {
		return HVC_INVALID;
	}
	uint64_t guest_page = board_memory_page(vm, guest_ipa);
	uint64_t host_page = board_memory_page(vm, host_ipa);
	if (guest_page == 0 || host_page == 0) {
		return HVC_DENIED;
	}

	/* A new driver: the pages of the old one are ordinary memory again. */
	if (vm->host_page != 0) {
		board_stage2_protect(&vm->space, vm->host_page_ipa, true);
	}
	board_stage2_protect(&vm->space, host_ipa, false);
	vm->guest_page = guest_page;
	vm->guest_page_ipa = guest_ipa;
	vm->host_page = host_page;
	vm->host_page_ipa = host_ipa;
	vm->writer = (struct poise_host_writer){0};
	board_page_zero(host_page);
	return HVC_OK;
}

/*
 * Copies page by page. A guest may run with its caches off, so what the monitor wrote is cleaned,
 * and what it is about to read is fetched from memory.
 */
static bool copy(struct board_vm *vm, uint64_t ipa, void *buffer, size_t bytes, bool write)
{
	uint8_t *at = buffer;

	if (ipa < GUEST_RAM_BASE) {
		return false;
	}
	uint64_t offset = ipa - GUEST_RAM_BASE;
	uint64_t size = vm->config->ram_pages * BOARD_PAGE_BYTES;
	if (offset > size || bytes > size - offset) {
		return false;
	}
	while (bytes > 0) {
		uint64_t within = ipa & (BOARD_PAGE_BYTES - 1u);
		size_t chunk =
			BOARD_PAGE_BYTES - within < bytes ? BOARD_PAGE_BYTES - within : bytes;
		uint64_t page_ipa = ipa - within;
		if (write && vm->host_page != 0 && page_ipa == vm->host_page_ipa) {
			return false;
		}
		uint64_t page = board_memory_page(vm, page_ipa);
		if (page == 0) {
			return false;
		}
		board_cache_flush(page + within, chunk);
		if (write) {
			memcpy((void *)(uintptr_t)(page + within), at, chunk);
			board_cache_flush(page + within, chunk);
		} else {
			memcpy(at, (const void *)(uintptr_t)(page + within), chunk);
		}
		at += chunk;
		ipa += chunk;
		bytes -= chunk;
	}
	return true;
}

bool board_memory_write(struct board_vm *vm, uint64_t ipa, const void *from, size_t bytes)
{
	return copy(vm, ipa, (void *)(uintptr_t)from, bytes, true);
}

bool board_memory_read(struct board_vm *vm, uint64_t ipa, void *to, size_t bytes)
{
	return copy(vm, ipa, to, bytes, false);
}

void board_memory_release(struct board_vm *vm)
{
	vm->guest_page = 0;
	vm->host_page = 0;
	for (uint64_t first = 0; first < vm->config->ram_pages && vm->populated_pages != 0;
	     first += HVC_RANGE_MAX) {
		uint64_t pages = vm->config->ram_pages - first;
		if (pages > HVC_RANGE_MAX) {
			pages = HVC_RANGE_MAX;
		}
		depopulate(vm, GUEST_RAM_BASE + first * BOARD_PAGE_BYTES, pages);
	}
}
