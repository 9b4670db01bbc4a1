/* SPDX-License-Identifier: MIT */
/*
 * The raw guest binary inside the monitor's image, as read-only data: board_guest_image up to
 * board_guest_image_end.
 */
	.section .rodata.images, "a"
	.balign	4096
	.global board_guest_image, board_guest_image_end
board_guest_image:
	.incbin GUEST_BIN
board_guest_image_end:
