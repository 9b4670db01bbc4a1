/* SPDX-License-Identifier: MIT */
/* Whose registers are in the CPU. */
#ifndef BOARD_CONTEXT_H
#define BOARD_CONTEXT_H

#include <stdint.h>

#include "vm.h"

void board_context_reset(struct board_vm *vm, uint64_t entry, uint64_t argument);
/* Makes `vm` the one whose registers are in the CPU; NULL: none. */
void board_context_switch(struct board_vm *vm);
/* The state of the last VM is written back, so that its struct is complete. */
void board_context_save(void);
/* Makes the guest take an undefined instruction exception at its own EL1. */
void board_context_undefined(struct board_vm *vm);

#endif
