/* SPDX-License-Identifier: MIT */
/*
 * The sixteen exception vectors of EL2, and the way into and out of a guest.
 *
 * The monitor is one thread on one stack. board_vm_enter looks like a function call to C: it goes
 * into the guest and returns when the guest is left. Everything a guest may cause arrives in one of
 * four slots; the other twelve mean that the monitor itself is wrong, and end the run with a report.
 * While that is being written, board_last_vectors stand in their place.
 */
#include "frame.h"

	.macro	SLOT label
	.balign	0x80
	b	\label
	.endm

	.macro	UNEXPECTED name, text
\name:
	adr	x1, 9f
	b	unexpected
9:	.asciz	"\text"
	.balign	4
	.endm

	.macro	GUEST_EXIT name, reason
\name:
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\reason
	b	guest_exit
	.endm

	.section .text.vectors, "ax"
	.balign	0x800
	.global board_vectors
	.type board_vectors, %object
board_vectors:
	SLOT	current_sp0_sync
	SLOT	current_sp0_irq
	SLOT	current_sp0_fiq
	SLOT	current_sp0_serror
	SLOT	current_spx_sync
	SLOT	current_spx_irq
	SLOT	current_spx_fiq
	SLOT	current_spx_serror
	SLOT	lower_a64_sync
	SLOT	lower_a64_irq
	SLOT	lower_a64_fiq
	SLOT	lower_a64_serror
	SLOT	lower_a32_sync
	SLOT	lower_a32_irq
	SLOT	lower_a32_fiq
	SLOT	lower_a32_serror
	.balign	0x80
	.size board_vectors, . - board_vectors

	.global board_last_vectors
	.type board_last_vectors, %object
board_last_vectors:
	.rept	16
	SLOT	last_words
	.endr
	.balign	0x80
	.size board_last_vectors, . - board_last_vectors

	UNEXPECTED current_sp0_sync, "current EL, SP0, synchronous"
	UNEXPECTED current_sp0_irq, "current EL, SP0, IRQ"
	UNEXPECTED current_sp0_fiq, "current EL, SP0, FIQ"
	UNEXPECTED current_sp0_serror, "current EL, SP0, SError"
	UNEXPECTED current_spx_sync, "current EL, SPx, synchronous"
	UNEXPECTED current_spx_irq, "current EL, SPx, IRQ"
	UNEXPECTED current_spx_fiq, "current EL, SPx, FIQ"
	UNEXPECTED current_spx_serror, "current EL, SPx, SError"
	UNEXPECTED lower_a32_sync, "lower EL, AArch32, synchronous"
	UNEXPECTED lower_a32_irq, "lower EL, AArch32, IRQ"
	UNEXPECTED lower_a32_fiq, "lower EL, AArch32, FIQ"
	UNEXPECTED lower_a32_serror, "lower EL, AArch32, SError"

	GUEST_EXIT lower_a64_sync, EXIT_SYNC
	GUEST_EXIT lower_a64_irq, EXIT_IRQ
	GUEST_EXIT lower_a64_fiq, EXIT_FIQ
	GUEST_EXIT lower_a64_serror, EXIT_SERROR

/*
 * unexpected: reports an exception that must not happen, on a stack that is known to be good.
 * Inputs: x1 = name of the slot. Outputs: does not return. Clobbers: everything.
 * State: EL2; the MMU as it was.
 */
unexpected:
	ldr	x0, =board_last_vectors
	msr	vbar_el2, x0
	isb
	msr	spsel, #1
	ldr	x0, =board_emergency_top
	mov	sp, x0
	mov	x0, x1
	mrs	x1, esr_el2
	mrs	x2, elr_el2
	mrs	x3, far_el2
	mrs	x4, spsr_el2
	b	board_unexpected

/*
 * last_words: an exception while the end of the run was being reported. Says so and leaves with
 * status 1 by semihosting, without a stack or any other memory of its own.
 * Inputs: none. Outputs: does not return. Clobbers: x0, x1. State: EL2; the MMU as it was.
 */
last_words:
	/* An exception from the first HLT: there is no semihosting, and nobody to be told. */
	mrs	x0, elr_el2
	adr	x1, 1f
	cmp	x0, x1
	b.eq	2f

	/* SYS_WRITE0, then SYS_EXIT. */
	adr	x1, last_text
	mov	x0, #0x04
1:	hlt	#0xf000
	adr	x1, last_block
	mov	x0, #0x18
	hlt	#0xf000
2:	wfi
	b	2b
	.balign	8
last_block:
	.quad	0x20026, 1
last_text:
	.asciz	"\nboard: a fault while another was being reported\n"
	.balign	4

/*
 * board_vm_enter: runs the guest whose system registers are already loaded, until an exception
 * takes the CPU back to EL2.
 * Inputs: x0 = struct board_frame of the guest. Outputs: w0 = EXIT_*, the frame is up to date.
 * Clobbers: what the procedure call standard allows. State: EL2, MMU on, interrupts masked.
 */
	.global board_vm_enter
	.type board_vm_enter, %function
board_vm_enter:
	/* The caller's registers wait on the one stack; guest_exit finds them there. */
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]

	/* A guest gets no floating point: EL2's own values stay in those registers. */
	ldr	x1, =CPTR_GUEST
	msr	cptr_el2, x1

	/* TPIDR_EL2 keeps the frame while the guest owns all general registers. */
	msr	tpidr_el2, x0
	ldr	x1, [x0, #FRAME_PC]
	ldr	x2, [x0, #FRAME_PSTATE]
	msr	elr_el2, x1
	msr	spsr_el2, x2

	ldp	x2, x3, [x0, #(FRAME_X + 16)]
	ldp	x4, x5, [x0, #(FRAME_X + 32)]
	ldp	x6, x7, [x0, #(FRAME_X + 48)]
	ldp	x8, x9, [x0, #(FRAME_X + 64)]
	ldp	x10, x11, [x0, #(FRAME_X + 80)]
	ldp	x12, x13, [x0, #(FRAME_X + 96)]
	ldp	x14, x15, [x0, #(FRAME_X + 112)]
	ldp	x16, x17, [x0, #(FRAME_X + 128)]
	ldp	x18, x19, [x0, #(FRAME_X + 144)]
	ldp	x20, x21, [x0, #(FRAME_X + 160)]
	ldp	x22, x23, [x0, #(FRAME_X + 176)]
	ldp	x24, x25, [x0, #(FRAME_X + 192)]
	ldp	x26, x27, [x0, #(FRAME_X + 208)]
	ldp	x28, x29, [x0, #(FRAME_X + 224)]
	ldr	x30, [x0, #(FRAME_X + 240)]
	ldp	x0, x1, [x0, #FRAME_X]
	eret
	.size board_vm_enter, . - board_vm_enter

/*
 * guest_exit: the second half of board_vm_enter.
 * Inputs: x1 = EXIT_*, the guest's x0 and x1 on the stack. Outputs: w0 = EXIT_*, by `ret` to the
 * caller of board_vm_enter. Clobbers: x1 .. x18. State: EL2, MMU on, interrupts masked.
 */
guest_exit:
	mrs	x0, tpidr_el2
	stp	x2, x3, [x0, #(FRAME_X + 16)]
	stp	x4, x5, [x0, #(FRAME_X + 32)]
	stp	x6, x7, [x0, #(FRAME_X + 48)]
	stp	x8, x9, [x0, #(FRAME_X + 64)]
	stp	x10, x11, [x0, #(FRAME_X + 80)]
	stp	x12, x13, [x0, #(FRAME_X + 96)]
	stp	x14, x15, [x0, #(FRAME_X + 112)]
	stp	x16, x17, [x0, #(FRAME_X + 128)]
	stp	x18, x19, [x0, #(FRAME_X + 144)]
	stp	x20, x21, [x0, #(FRAME_X + 160)]
	stp	x22, x23, [x0, #(FRAME_X + 176)]
	stp	x24, x25, [x0, #(FRAME_X + 192)]
	stp	x26, x27, [x0, #(FRAME_X + 208)]
	stp	x28, x29, [x0, #(FRAME_X + 224)]
	str	x30, [x0, #(FRAME_X + 240)]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #FRAME_X]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	str	x2, [x0, #FRAME_PC]
	str	x3, [x0, #FRAME_PSTATE]

	/* newlib may use SIMD registers again. */
	ldr	x2, =CPTR_HOST
	msr	cptr_el2, x2
	isb

	mov	w0, w1
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #96
	ret
