/* SPDX-License-Identifier: MIT */
/*
 * Offsets of struct board_frame for the assembly files; vm.c asserts every one of them against
 * the structure, so the two cannot drift.
 */
#ifndef BOARD_FRAME_H
#define BOARD_FRAME_H

#define FRAME_X      0   /* x0 .. x30 */
#define FRAME_PC     248 /* ELR_EL2 of the guest */
#define FRAME_PSTATE 256 /* SPSR_EL2 of the guest */
#define FRAME_BYTES  264

/* What board_vm_enter returns: why the guest was left. */
#define EXIT_SYNC   0
#define EXIT_IRQ    1
#define EXIT_FIQ    2
#define EXIT_SERROR 3

/* CPTR_EL2 while EL2 runs (newlib uses SIMD registers) and while a guest runs (it may not). */
#define CPTR_HOST  0x000033ff
#define CPTR_GUEST 0x001037ff /* TTA, TFP */

#endif
