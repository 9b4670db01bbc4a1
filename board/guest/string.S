/* SPDX-License-Identifier: MIT */
/*
 * memcpy and memset, which the compiler may call, and the page routines that carry most of the
 * guest's instructions: whole pages go eight registers a turn. General registers only; the flags,
 * the arguments and x2..x10 are clobbered.
 */
	.macro	function name
	.section .text.\name, "ax"
	.balign	16
	.global	\name
	.type	\name, %function
\name:
	.endm

/* void *memcpy(void *to, const void *from, size_t bytes): bytes, words where all is aligned. */
	function memcpy
	mov	x3, x0
	orr	x4, x0, x1
	orr	x4, x4, x2
	tst	x4, #7
	b.ne	2f
1:	cbz	x2, 3f
	ldr	x4, [x1], #8
	str	x4, [x3], #8
	sub	x2, x2, #8
	b	1b
2:	cbz	x2, 3f
	ldrb	w4, [x1], #1
	strb	w4, [x3], #1
	sub	x2, x2, #1
	b	2b
3:	ret
	.size	memcpy, . - memcpy

/* void *memset(void *to, int byte, size_t bytes) */
	function memset
	mov	x3, x0
1:	cbz	x2, 2f
	strb	w1, [x3], #1
	sub	x2, x2, #1
	b	1b
2:	ret
	.size	memset, . - memset

/* void machine_page_copy(void *machine, void *to, const void *from): 4096 bytes, aligned to 8. */
	function machine_page_copy
	mov	x0, #4096 / 64
1:	ldp	x3, x4, [x2]
	ldp	x5, x6, [x2, #16]
	ldp	x7, x8, [x2, #32]
	ldp	x9, x10, [x2, #48]
	stp	x3, x4, [x1]
	stp	x5, x6, [x1, #16]
	stp	x7, x8, [x1, #32]
	stp	x9, x10, [x1, #48]
	add	x2, x2, #64
	add	x1, x1, #64
	subs	x0, x0, #1
	b.ne	1b
	ret
	.size	machine_page_copy, . - machine_page_copy

/* void string_page_zero(void *page): 4096 bytes, page aligned; DC ZVA blocks of DCZID_EL0's size. */
	function string_page_zero
	mrs	x2, dczid_el0
	mov	x3, #4
	and	x2, x2, #15
	lsl	x3, x3, x2
	add	x1, x0, #4096
1:	dc	zva, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	ret
	.size	string_page_zero, . - string_page_zero
