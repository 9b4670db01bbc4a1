/* SPDX-License-Identifier: MIT */
/*
 * The probe guest inside the test image, as read-only data.
 */
	.section .rodata.images, "a"
	.balign	4096
	.global probe_image, probe_image_end
probe_image:
	.incbin PROBE_BIN
probe_image_end:
