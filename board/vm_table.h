/* SPDX-License-Identifier: MIT */
/* The slots that VMs live in. */
#ifndef BOARD_VM_TABLE_H
#define BOARD_VM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

/* Forgets all VMs and carves the tables of stage 2. Returns: false without memory for them. */
bool board_vm_init(uint32_t table_pages);
/*
 * Gives slot `slot` its tables and swap area; the VM is OFF. Returns: NULL if the configuration
 * contradicts itself, the slot is in use or there is no memory for it.
 */
struct board_vm *board_vm_create(uint32_t slot, const struct board_vm_config *config);
/* Stops a VM at any time and empties its slot; its pages are back in the pool. */
void board_vm_remove(struct board_vm *vm);
/* Returns: the VM in a slot, or NULL. */
struct board_vm *board_vm_get(uint32_t slot);
/* Returns: a boot generation that no VM of this table has had. */
uint64_t board_vm_table_boot_id(void);

#endif
