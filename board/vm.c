/* SPDX-License-Identifier: MIT */
/*
 * Life and death of VMs. A VM's death is its own affair: one line of report, its pages back to the
 * pool, its slot ready for another start. What a VM is going to run is loaded here as well.
 */
#include "vm.h"

#include <stdio.h>
#include <string.h>

#include "context.h"
#include "memory.h"
#include "panic.h"
#include "pool.h"
#include "sched.h"
#include "vm_table.h"

static bool quiet;

bool board_vm_alive(const struct board_vm *vm)
{
	return vm->state != BOARD_VM_OFF && vm->state != BOARD_VM_DEAD;
}

uint32_t board_vm_measure(const struct board_vm *vm)
{
	return board_vm_alive(vm) ? vm->config->ram_pages - vm->balloon_pages : 0;
}

void board_vm_start(struct board_vm *vm)
{
	const struct board_vm_config *config = vm->config;
	uint32_t ram_pages = config->ram_pages;

	if (board_vm_alive(vm) || vm->populated_pages != 0) {
		board_panic("%s: started while alive", config->name);
	}

	memset(vm->balloon_map, 0, (ram_pages + 63u) / 64u * sizeof(uint64_t));
	for (uint32_t i = config->boot_pages; i < ram_pages; i++) {
		vm->balloon_map[i / 64u] |= UINT64_C(1) << (i % 64u);
	}
	vm->balloon_pages = ram_pages - config->boot_pages;
	vm->target_pages = config->boot_pages;
	vm->epoch = 0;
	board_swap_forget(&vm->swap);
	vm->boot_id = board_vm_table_boot_id();
	vm->faulted = false;
	vm->exit_status = 0;
	vm->fault = (struct board_fault){0};
	vm->wake_ns = UINT64_MAX;
	vm->console_ns = 0;
	vm->stats.starts++;

	uint64_t record_ipa = GUEST_RAM_BASE + (config->boot_pages - 1u) * BOARD_PAGE_BYTES;
	uint64_t data_ipa = record_ipa - board_pages_of(config->data.bytes) * BOARD_PAGE_BYTES;
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
	board_pool_promise(config->boot_pages);
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

void board_vm_stop(struct board_vm *vm, enum board_vm_state state)
{
	board_context_switch(NULL);
	board_pool_unpromise(board_vm_measure(vm));
	board_memory_release(vm);
	vm->state = state;
	vm->wake_ns = UINT64_MAX;
}

void board_vm_exit(struct board_vm *vm, uint64_t status)
{
	board_vm_stop(vm, BOARD_VM_DEAD);
	vm->exit_status = status;
	vm->stats.deaths++;
	if (!quiet) {
		printf("[%s] exit %lu\n", vm->config->name, status);
	}
}

void board_vm_fault(struct board_vm *vm, const char *why, uint64_t esr, uint64_t far, uint64_t ipa)
{
	board_vm_stop(vm, BOARD_VM_DEAD);
	vm->faulted = true;
	vm->fault = (struct board_fault){why, esr, far, ipa, vm->frame.pc};
	vm->stats.deaths++;
	if (!quiet) {
		printf("[%s] fault: %s: esr=0x%lx far=0x%lx ipa=0x%lx elr=0x%lx\n",
		       vm->config->name, why, esr, far, ipa, vm->frame.pc);
	}
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
