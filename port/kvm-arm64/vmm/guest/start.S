/* SPDX-License-Identifier: MIT */
/*
 * First instructions of the guest, its vectors and its translation tables. The tables are part of
 * the image, so nothing is written before the MMU and the caches are on: whatever the guest ever
 * writes is written through the cache, and to the pages that it says.
 *
 * Entry: EL1, MMU and caches off, arguments of guest_main in x0 to x3. x9 to x11 are used.
 */
	.section .text.start, "ax"
	.global	guest_start
	.type	guest_start, %function
guest_start:
	/* Exceptions are reported from the start. */
	ldr	x9, =guest_vectors
	msr	vbar_el1, x9

	/* Normal Write-Back memory is 0, Device-nGnRnE is 1. */
	mov	x9, #0x00ff
	msr	mair_el1, x9
	/* 39-bit TTBR0, walks write-back inner shareable, 4 KiB, TTBR1 off, 32-bit output. */
	ldr	x9, =(25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)
	msr	tcr_el1, x9
	ldr	x9, =level1
	msr	ttbr0_el1, x9
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb

	/* RES1 bits, W^X, and M, C, SA, I. */
	ldr	x9, =(0x30d00800 | 1 << 19 | 1 << 12 | 1 << 3 | 1 << 2 | 1)
	msr	sctlr_el1, x9
	isb

	ldr	x9, =guest_stack_end
	mov	sp, x9
	bl	guest_main
	b	.
	.size	guest_start, . - guest_start
	.ltorg

	/* Any exception is a mistake: its syndrome and address become the arguments of one last
	 * call, made without a stack. */
	.balign	2048
	.global	guest_vectors
	.type	guest_vectors, %object
guest_vectors:
	.rept	16
	.balign	128
	b	guest_exception
	.endr
	.size	guest_vectors, . - guest_vectors

	.type	guest_exception, %function
guest_exception:
	mrs	x0, esr_el1
	mrs	x1, far_el1
	b	guest_fault
	.size	guest_exception, . - guest_exception

/*
 * Stage 1: identity, 4 KiB granule. Level 1 has the I/O registers, the two shared pages and RAM;
 * the first 2 MiB of RAM are mapped by pages with the least permissions, the rest by blocks.
 */
	.set	PAGE, 3
	.set	TABLE, 3
	.set	BLOCK, 1
	.set	DEVICE, 1 << 2
	.set	READ_ONLY, 1 << 7
	.set	INNER, 3 << 8
	.set	ACCESSED, 1 << 10
	.set	PXN, 1 << 53
	.set	UXN, 1 << 54
	.set	DATA, INNER | ACCESSED | PXN | UXN
	.set	CODE, INNER | ACCESSED | UXN | READ_ONLY
	.set	RAM, 0x80000000

	.section .tables, "a"
	.balign	4096
level1:
	.quad	0x00000000 | DEVICE | ACCESSED | PXN | UXN | BLOCK
	.quad	0x40000000 | DATA | BLOCK
	.quad	level2 + TABLE
	.fill	509, 8, 0
level2:
	.quad	level3 + TABLE
	.set	block, 1
	.rept	511
	.quad	RAM + block * 0x200000 + (DATA | BLOCK)
	.set	block, block + 1
	.endr
	/* The order of guest.ld: 8 pages of code, 2 of constants, 3 of tables, 1 that is not there,
	 * then what can be written. */
level3:
	.set	page, 0
	.rept	8
	.quad	RAM + page * 4096 + (CODE | PAGE)
	.set	page, page + 1
	.endr
	.rept	5
	.quad	RAM + page * 4096 + (DATA | READ_ONLY | PAGE)
	.set	page, page + 1
	.endr
	.quad	0
	.set	page, page + 1
	.rept	512 - 14
	.quad	RAM + page * 4096 + (DATA | PAGE)
	.set	page, page + 1
	.endr
