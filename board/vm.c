/* SPDX-License-Identifier: MIT */
/*
 * Life and death of VMs. A VM's death is its own affair: one line of report, its pages back to the
 * pool, its slot ready for another start. What a VM is going to run is loaded here as well.
 */
#include "vm.h"

#include <stdio.h>
#include <string.h>

#include "arch.h"

static struct board_vm vms[BOARD_VM_MAX];
static uint64_t next_boot_id;
static bool quiet;

bool board_vm_init(uint32_t table_pages)
{
	board_context_switch(NULL);
	memset(vms, 0, sizeof(vms));
	next_boot_id = 1;
	quiet = false;
	return board_stage2_init(table_pages);
}

struct board_vm *board_vm_get(uint32_t slot)
{
	return slot < BOARD_VM_MAX && vms[slot].config != NULL ? &vms[slot] : NULL;
}

bool board_vm_alive(const struct board_vm *vm)
{
	return vm->state != BOARD_VM_OFF && vm->state != BOARD_VM_DEAD;
}

uint32_t board_vm_measure(const struct board_vm *vm)
{
	return board_vm_alive(vm) ? vm->config->ram_pages - vm->given_pages : 0;
}

static uint64_t pages_of(uint64_t bytes)
{
	return (bytes + BOARD_PAGE_BYTES - 1u) / BOARD_PAGE_BYTES;
}

/* Image, data and boot record must fit into what is usable at the start, and RAM below 4 GiB. */
static bool valid(const struct board_vm_config *config)
{
	return config->name != NULL && config->image.bytes != 0 &&
	       config->ram_pages <=
		       (UINT64_C(1) << 32) / BOARD_PAGE_BYTES - GUEST_RAM_BASE / BOARD_PAGE_BYTES &&
	       config->boot_pages <= config->ram_pages &&
	       pages_of(config->image.bytes) + pages_of(config->data.bytes) + 1u <=
		       config->boot_pages &&
	       memchr(config->args, '\0', sizeof(config->args)) != NULL;
}

struct board_vm *board_vm_create(uint32_t slot, const struct board_vm_config *config)
{
	if (slot >= BOARD_VM_MAX || vms[slot].config != NULL || !valid(config)) {
		return NULL;
	}
	struct board_vm *vm = &vms[slot];
	memset(vm, 0, sizeof(*vm));
	vm->slot = slot;
	vm->config = config;

	uint64_t given_bytes = (config->ram_pages + 63u) / 64u * sizeof(uint64_t);
	uint64_t swap_bytes = (config->swap_blocks + 63u) / 64u * sizeof(uint64_t);
	uint64_t mark = board_carve_mark();
	vm->given_map = (uint64_t *)(uintptr_t)board_carve(given_bytes);
	vm->swap_map = (uint64_t *)(uintptr_t)board_carve(swap_bytes);
	vm->swap_base = board_carve(config->swap_blocks * BOARD_PAGE_BYTES);
	if (vm->given_map == NULL || vm->swap_map == NULL || vm->swap_base == 0 ||
	    !board_stage2_create(vm)) {
		board_carve_release(mark);
		vm->config = NULL;
		return NULL;
	}
	return vm;
}

void board_vm_start(struct board_vm *vm)
{
	const struct board_vm_config *config = vm->config;
	uint32_t ram_pages = config->ram_pages;

	if (board_vm_alive(vm) || vm->populated_pages != 0) {
		board_panic("%s: started while alive", config->name);
	}

	memset(vm->given_map, 0, (ram_pages + 63u) / 64u * sizeof(uint64_t));
	for (uint32_t i = config->boot_pages; i < ram_pages; i++) {
		vm->given_map[i / 64u] |= UINT64_C(1) << (i % 64u);
	}
	vm->given_pages = ram_pages - config->boot_pages;
	vm->target_pages = config->boot_pages;
	vm->epoch = 0;
	memset(vm->swap_map, 0, (config->swap_blocks + 63u) / 64u * sizeof(uint64_t));
	vm->boot_id = next_boot_id++;
	vm->faulted = false;
	vm->exit_status = 0;
	vm->fault = (struct board_fault){0};
	vm->wake_ns = UINT64_MAX;
	vm->console_ns = 0;
	vm->stats.starts++;

	uint64_t record_ipa = GUEST_RAM_BASE + (config->boot_pages - 1u) * BOARD_PAGE_BYTES;
	uint64_t data_ipa = record_ipa - pages_of(config->data.bytes) * BOARD_PAGE_BYTES;
	struct board_boot record = {
		.ram_pages = ram_pages,
		.boot_pages = config->boot_pages,
		.boot_id = vm->boot_id,
		.data_ipa = config->data.bytes != 0 ? data_ipa : 0,
		.data_bytes = config->data.bytes,
		.file_blocks = config->file_blocks,
		.swap_blocks = config->swap_blocks,
	};
	snprintf(record.args, sizeof(record.args), "vm=%u %s", (unsigned)vm->slot, config->args);

	board_context_reset(vm, GUEST_RAM_BASE, record_ipa);
	vm->state = BOARD_VM_READY;
	if (!board_memory_write(vm, GUEST_RAM_BASE, config->image.start, config->image.bytes) ||
	    !board_memory_write(vm, data_ipa, config->data.start, config->data.bytes) ||
	    !board_memory_write(vm, record_ipa, &record, sizeof(record))) {
		board_panic("%s: the image does not fit", config->name);
	}
	/* The image was written as data; no instruction of an earlier boot may survive. */
	__asm__ volatile("ic ialluis" : : : "memory");
	board_dsb_ish();
	board_isb();
	board_sched_admit(vm);
}

/* Common to all ends: registers out of the CPU, pages back to the pool. */
static void stop(struct board_vm *vm, enum board_vm_state state)
{
	board_context_switch(NULL);
	board_memory_release(vm);
	vm->state = state;
	vm->wake_ns = UINT64_MAX;
}

void board_vm_exit(struct board_vm *vm, uint64_t status)
{
	stop(vm, BOARD_VM_DEAD);
	vm->exit_status = status;
	vm->stats.deaths++;
	if (!quiet) {
		printf("[%s] exit %lu\n", vm->config->name, status);
	}
}

void board_vm_fault(struct board_vm *vm, const char *why, uint64_t esr, uint64_t far, uint64_t ipa)
{
	stop(vm, BOARD_VM_DEAD);
	vm->faulted = true;
	vm->fault = (struct board_fault){why, esr, far, ipa, vm->frame.pc};
	vm->stats.deaths++;
	if (!quiet) {
		printf("[%s] fault: %s: esr=0x%lx far=0x%lx ipa=0x%lx elr=0x%lx\n",
		       vm->config->name, why, esr, far, ipa, vm->frame.pc);
	}
}

void board_vm_remove(struct board_vm *vm)
{
	stop(vm, BOARD_VM_OFF);
	board_stage2_destroy(vm);
	/* Carved memory is freed with the phase; a slot is reused within one only by tests. */
	vm->config = NULL;
}

void board_vm_interrupt(struct board_vm *vm)
{
	if (!board_vm_alive(vm)) {
		return;
	}
	board_context_save();
	board_vgic_inject_poise(&vm->vgic);
	if (vm->state == BOARD_VM_IDLE) {
		vm->state = BOARD_VM_READY;
		board_sched_admit(vm);
	}
}

void board_vm_quiet(bool silent)
{
	quiet = silent;
}

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
		uint32_t given = 0;
		uint32_t mapped = 0;
		for (uint32_t i = 0; i < vm->config->ram_pages; i++) {
			uint64_t ipa = GUEST_RAM_BASE + i * BOARD_PAGE_BYTES;
			bool is_given = board_memory_given(vm, ipa);
			bool is_mapped = board_stage2_lookup(vm, ipa) != 0;
			if (is_given && is_mapped) {
				return "a page is both given and mapped";
			}
			given += is_given ? 1u : 0u;
			mapped += is_mapped ? 1u : 0u;
		}
		if (given != vm->given_pages) {
			return "the count of given pages is wrong";
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
	return usable <= board_pool_page_count() ? NULL : "more pages are usable than there are";
}
