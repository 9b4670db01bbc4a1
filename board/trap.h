/* SPDX-License-Identifier: MIT */
/* What takes the CPU away from a guest. */
#ifndef BOARD_TRAP_H
#define BOARD_TRAP_H

#include "vm.h"

/* Deals with what took the CPU away from `vm`; `reason` is EXIT_* of frame.h. */
void board_trap(struct board_vm *vm, int reason);

#endif
