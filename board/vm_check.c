/* SPDX-License-Identifier: MIT */
/* Whether the pool, stage 2 and the counts of all VMs say the same, by looking at every page. */
#include "vm_check.h"

#include "memory.h"
#include "pool.h"
#include "vm_table.h"

const char *board_vm_check(void)
{
	uint64_t populated = 0;
	uint64_t usable = 0;

	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		const struct board_vm *vm = board_vm_get(slot);
		if (vm == NULL) {
			continue;
		}
		if (!board_vm_alive(vm)) {
			if (vm->populated_pages != 0) {
				return "a VM that is not alive has pages";
			}
			continue;
		}
		uint32_t ballooned = 0;
		uint32_t mapped = 0;
		for (uint32_t i = 0; i < vm->config->ram_pages; i++) {
			uint64_t ipa = GUEST_RAM_BASE + i * BOARD_PAGE_BYTES;
			bool in_balloon = board_memory_ballooned(vm, ipa);
			bool is_mapped = board_stage2_lookup(&vm->space, ipa) != 0;
			if (in_balloon && is_mapped) {
				return "a page is mapped and in the balloon";
			}
			ballooned += in_balloon ? 1u : 0u;
			mapped += is_mapped ? 1u : 0u;
		}
		if (ballooned != vm->balloon_pages) {
			return "the count of ballooned pages is wrong";
		}
		if (mapped != vm->populated_pages ||
		    mapped != board_pool_count_owner(BOARD_VMID(vm))) {
			return "tables, owners and count of populated pages disagree";
		}
		populated += mapped;
		usable += board_vm_measure(vm);
	}
	if (populated + board_pool_free_count() != board_pool_page_count()) {
		return "free and populated pages are not the pool";
	}
	if (usable != board_pool_promised()) {
		return "what is usable is not what the pool has promised";
	}
	return usable <= board_pool_page_count() ? NULL : "more pages are usable than there are";
}
