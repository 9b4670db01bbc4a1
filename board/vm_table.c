/* SPDX-License-Identifier: MIT */
/*
 * The slots of VMs, and what a VM is given once, for all of its lives: tables of stage 2, the map
 * of its balloon, a swap area.
 */
#include "vm_table.h"

#include <string.h>

#include "carve.h"
#include "context.h"

static struct board_vm vms[BOARD_VM_MAX];
static uint64_t next_boot_id;

bool board_vm_init(uint32_t table_pages)
{
	board_context_switch(NULL);
	memset(vms, 0, sizeof(vms));
	next_boot_id = 1;
	board_vm_quiet(false);
	uint64_t tables = board_carve(table_pages * BOARD_PAGE_BYTES);
	board_stage2_init(tables, tables == 0 ? 0 : table_pages);
	return tables != 0;
}

struct board_vm *board_vm_get(uint32_t slot)
{
	return slot < BOARD_VM_MAX && vms[slot].config != NULL ? &vms[slot] : NULL;
}

uint64_t board_vm_table_boot_id(void)
{
	return next_boot_id++;
}

/* Image, data and boot record must fit into what is usable at the start, and RAM below 4 GiB. */
static bool valid(const struct board_vm_config *config)
{
	return config->name != NULL && config->image.bytes != 0 &&
	       config->ram_pages <= BOARD_STAGE2_PAGES_MAX &&
	       config->boot_pages <= config->ram_pages &&
	       board_pages_of(config->image.bytes) + board_pages_of(config->data.bytes) + 1u <=
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

	uint64_t balloon_bytes = (config->ram_pages + 63u) / 64u * sizeof(uint64_t);
	uint64_t mark = board_carve_mark();
	vm->balloon_map = (uint64_t *)(uintptr_t)board_carve(balloon_bytes);
	if (vm->balloon_map == NULL || !board_swap_create(&vm->swap, config->swap_blocks) ||
	    !board_stage2_create(&vm->space, BOARD_VMID(vm), config->ram_pages)) {
		board_carve_release(mark);
		vm->config = NULL;
		return NULL;
	}
	return vm;
}

void board_vm_remove(struct board_vm *vm)
{
	board_vm_stop(vm, BOARD_VM_OFF);
	board_stage2_destroy(&vm->space);
	/* Carved memory is freed with the phase; a slot is reused within one only by tests. */
	vm->config = NULL;
}
