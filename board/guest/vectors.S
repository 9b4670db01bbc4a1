/* SPDX-License-Identifier: MIT */
/*
 * EL1 exception vectors. The guest runs everything at EL1 with SP_EL1 and in AArch64, so that only
 * two of the sixteen slots are expected: synchronous exceptions (faults of the window) and IRQs.
 * The others report where they came from and end the guest.
 */
#include "frame.h"

/* Each slot has room for 32 instructions and holds one branch. */
	.macro	slot label
	.balign	0x80
	b	\label
	.endm

	.section .text.vectors, "ax"
	.balign	0x800
	.global	guest_vectors
guest_vectors:
	slot	vector_sync_sp0
	slot	vector_irq_sp0
	slot	vector_fiq_sp0
	slot	vector_serror_sp0
	slot	vector_sync
	slot	vector_irq
	slot	vector_fiq
	slot	vector_serror
	slot	vector_sync_el0
	slot	vector_irq_el0
	slot	vector_fiq_el0
	slot	vector_serror_el0
	slot	vector_sync_el0_32
	slot	vector_irq_el0_32
	slot	vector_fiq_el0_32
	slot	vector_serror_el0_32

/*
 * Saves the interrupted registers as a struct guest_frame on the stack that was in use. Clobbers
 * x0 and x1 after saving them.
 */
	.macro	save
	sub	sp, sp, #FRAME_BYTES
	stp	x0, x1, [sp, #FRAME_X]
	stp	x2, x3, [sp, #FRAME_X + 16]
	stp	x4, x5, [sp, #FRAME_X + 32]
	stp	x6, x7, [sp, #FRAME_X + 48]
	stp	x8, x9, [sp, #FRAME_X + 64]
	stp	x10, x11, [sp, #FRAME_X + 80]
	stp	x12, x13, [sp, #FRAME_X + 96]
	stp	x14, x15, [sp, #FRAME_X + 112]
	stp	x16, x17, [sp, #FRAME_X + 128]
	stp	x18, x19, [sp, #FRAME_X + 144]
	stp	x29, x30, [sp, #FRAME_X + 232]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [sp, #FRAME_ELR]
	.endm

/* x19..x28 belong to the callee: C code preserves them, so `save` need not (x19 rides along). */
	.macro	restore
	ldp	x0, x1, [sp, #FRAME_ELR]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x29, x30, [sp, #FRAME_X + 232]
	ldp	x18, x19, [sp, #FRAME_X + 144]
	ldp	x16, x17, [sp, #FRAME_X + 128]
	ldp	x14, x15, [sp, #FRAME_X + 112]
	ldp	x12, x13, [sp, #FRAME_X + 96]
	ldp	x10, x11, [sp, #FRAME_X + 80]
	ldp	x8, x9, [sp, #FRAME_X + 64]
	ldp	x6, x7, [sp, #FRAME_X + 48]
	ldp	x4, x5, [sp, #FRAME_X + 32]
	ldp	x2, x3, [sp, #FRAME_X + 16]
	ldp	x0, x1, [sp, #FRAME_X]
	add	sp, sp, #FRAME_BYTES
	eret
	.endm

vector_sync:
	save
	mov	x0, sp
	bl	irq_fault
	restore

vector_irq:
	save
	bl	irq_take
	restore

/*
 * An exception that must not happen: reports its slot by name. The stack pointer may be at fault,
 * so the report starts on a fresh stack.
 */
	.macro	unexpected name
vector_\name:
	adr	x0, 1f
	b	vector_report
1:	.asciz	"\name"
	.balign	4
	.endm

	unexpected sync_sp0
	unexpected irq_sp0
	unexpected fiq_sp0
	unexpected serror_sp0
	unexpected fiq
	unexpected serror
	unexpected sync_el0
	unexpected irq_el0
	unexpected fiq_el0
	unexpected serror_el0
	unexpected sync_el0_32
	unexpected irq_el0_32
	unexpected fiq_el0_32
	unexpected serror_el0_32

vector_report:
	msr	spsel, #1
	ldr	x1, =guest_stack_end
	mov	sp, x1
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	mrs	x3, far_el1
	bl	irq_unexpected
	b	.
	.ltorg
