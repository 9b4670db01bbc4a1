/* SPDX-License-Identifier: MIT */
/*
 * First instructions of the monitor. QEMU enters an ELF at EL2 with the MMU off and everything else
 * unknown; this file makes it known, gives C a stack, zeroed memory and the MMU, and never comes
 * back. With the MMU off all data is Device memory: every access here is aligned, and so is every
 * one in board_mmu_init. No library runs before that.
 */
#include "frame.h"

	.section .text.start, "ax"

/*
 * _start: entry from the loader.
 * Inputs: none. Outputs: does not return. Clobbers: everything. State: EL2, MMU and caches off.
 */
	.global _start
	.type _start, %function
_start:
	/* No interrupt is ever taken at EL2: they are acknowledged by the run loop. */
	msr	daifset, #0xf

	/* Entered at any other level (no virtualization=on), nothing below would work. */
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	wrong_level

	/* EL1 is AArch64, no host extensions: registers of EL2 have the layout that is meant here. */
	mov	x0, #(1 << 31)
	msr	hcr_el2, x0
	isb

	/* Known system control: MMU, caches, alignment checks off, RES1 bits set, little-endian. */
	ldr	x0, =0x30c50830
	msr	sctlr_el2, x0
	ldr	x0, =CPTR_HOST
	msr	cptr_el2, x0
	isb

	/* From here on an exception is reported instead of lost. */
	msr	spsel, #1
	ldr	x0, =board_stack_top
	mov	sp, x0
	ldr	x0, =board_vectors
	msr	vbar_el2, x0
	isb

	/*
	 * What is written from here to the MMU goes to memory past the caches. A line of it that a
	 * loader has left there would be older, and read or written back later: away with it.
	 */
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4
	mov	x3, #4
	lsl	x3, x3, x2
	ldr	x0, =board_bss_start
	ldr	x1, =board_image_end
1:	dc	ivac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy

	/* C expects .bss to be zero; the linker script aligned both ends. */
	ldr	x0, =board_bss_start
	ldr	x1, =board_bss_end
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b

	mov	x29, xzr
	mov	x30, xzr
	bl	board_mmu_init
	bl	board_start

	/* board_start does not return; if it did, stay where a debugger finds us. */
3:	wfi
	b	3b

/*
 * wrong_level: says so and leaves with status 1, through semihosting, which works at EL1 and EL3.
 * Inputs: none. Outputs: does not return. Clobbers: x0, x1. State: any EL, MMU off.
 */
wrong_level:
	/* SYS_WRITE0, then SYS_EXIT. */
	adr	x1, wrong_level_text
	mov	x0, #0x04
	hlt	#0xf000
	adr	x1, wrong_level_block
	mov	x0, #0x18
	hlt	#0xf000
	b	wrong_level
	.balign 8
wrong_level_block:
	.quad	0x20026, 1
wrong_level_text:
	.asciz	"board: not entered at EL2; QEMU needs -M virt,virtualization=on,secure=off\n"
	.balign 4
	.size _start, . - _start
