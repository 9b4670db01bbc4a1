/* SPDX-License-Identifier: MIT */
/*
 * First instructions of a guest: from the monitor's entry to guest_main with stage 1 and caches on.
 *
 * Entry: EL1, MMU and caches off, interrupts masked, x0 = IPA of struct board_boot, every other
 * register undefined. x19 holds x0 all the way.
 */
	.section .text.start, "ax"
	.global guest_start
	.type guest_start, %function
guest_start:
	mov	x19, x0

	/* Zero bss: the monitor loads a raw binary, which has none. It is a multiple of 16 bytes. */
	adr	x1, guest_bss_start
	ldr	x2, =guest_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b

	/* Stack and vectors: from here on C can run, and a mistake is reported. */
2:	ldr	x1, =guest_stack_end
	mov	sp, x1
	ldr	x1, =guest_vectors
	msr	vbar_el1, x1
	isb

	/* Build the tables with the MMU still off. */
	bl	mmu_build

	/*
	 * What was written so far went past the cache, which may hold clean lines from before: drop
	 * them, or they would be seen instead. Cortex-A72 has lines of 64 bytes.
	 */
	ldr	x1, =guest_image_start
	ldr	x2, =guest_end
3:	dc	ivac, x1
	add	x1, x1, #64
	cmp	x1, x2
	b.lo	3b
	dsb	sy

	/* Translation registers, then the switch. */
	bl	mmu_enable
	mov	x0, x19
	bl	guest_main
	b	.
	.size guest_start, . - guest_start
	.ltorg
