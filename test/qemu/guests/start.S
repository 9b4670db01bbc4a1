/* SPDX-License-Identifier: MIT */
/*
 * Start-up, vectors and hypercall of the probe guest. EL1, MMU and caches off throughout.
 */
	.section .text.start, "ax"

/*
 * _start: Inputs: x0 = IPA of struct board_boot. Outputs: does not return. Clobbers: everything.
 */
	.global _start
_start:
	ldr	x1, =0x80010000
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	bl	probe_main
	/* A probe that returns ends with what it returned. */
	mov	x1, x0
	ldr	w0, =0xC600000A
	hvc	#0
	b	.

/*
 * hvc_call: Inputs: x0 = identifier, x1 .. x3 = arguments, x4 = where x1 of the answer goes.
 * Outputs: x0 = answer. Clobbers: x1 .. x3, x9. Checks that x4 to x17 survive, as the contract says.
 */
	.global hvc_call
hvc_call:
	mov	x9, x4
	hvc	#0
	cmp	x9, x4
	b.ne	1f
	str	x1, [x4]
	ret
1:	mov	x0, #-99
	ret

/* hvc_one: as hvc_call, by `hvc #1`, which nothing answers. */
	.global hvc_one
hvc_one:
	hvc	#1
	ret

/* smc_call: Inputs: x0 = identifier. Outputs: x0 = answer. Clobbers: x1 .. x3. */
	.global smc_call
smc_call:
	smc	#0
	ret

/*
 * Vectors: synchronous exceptions are counted and skipped, interrupts go to probe_irq.
 * Clobbers: nothing. The stack is the interrupted one.
 */
	.balign	0x800
vectors:
	.rept	4
	.balign	0x80
	b	.
	.endr
	.balign	0x80
	b	synchronous
	.balign	0x80
	b	irq
	.rept	10
	.balign	0x80
	b	.
	.endr
	.balign	0x80

synchronous:
	stp	x0, x1, [sp, #-16]!
	ldr	x0, =probe_exceptions
	ldr	x1, [x0]
	add	x1, x1, #1
	str	x1, [x0]
	mrs	x1, esr_el1
	str	x1, [x0, #8]
	mrs	x1, elr_el1
	add	x1, x1, #4
	msr	elr_el1, x1
	ldp	x0, x1, [sp], #16
	eret

irq:
	stp	x0, x1, [sp, #-160]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x30, [sp, #144]
	bl	probe_irq
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x30, [sp, #144]
	ldp	x0, x1, [sp], #160
	eret
