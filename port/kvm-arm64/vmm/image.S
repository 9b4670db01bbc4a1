/* SPDX-License-Identifier: MIT */
/* The guest's image as bytes of the program; vmm.mk passes the folder with the file. */
	.section .rodata.vmm_guest_image, "a"
	.global	vmm_guest_image
	.global	vmm_guest_image_end
	.balign	16
vmm_guest_image:
	.incbin	"guest.bin"
vmm_guest_image_end:
	.section .note.GNU-stack, "", %progbits
