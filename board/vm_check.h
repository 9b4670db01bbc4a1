/* SPDX-License-Identifier: MIT */
/* The invariants of pool, stage 2 and VMs: for tests and after each tick. */
#ifndef BOARD_VM_CHECK_H
#define BOARD_VM_CHECK_H

/* Checks that pool, tables and counts agree. Returns: NULL, or what does not. */
const char *board_vm_check(void);

#endif
