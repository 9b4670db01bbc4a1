/* SPDX-License-Identifier: MIT */
/*
 * The guest binary and the traces as bytes in the monitor's image, and the table board_blobs
 * (blobs.h) that finds them by name. guest.mk passes the folder with
 * the files as the assembler's include path.
 */
	.macro	bytes name, file
	.section .rodata.blobs, "a"
	.balign	16
blob_\name:
	.incbin	"\file"
blob_\name\()_end:
	.section .rodata.blob_names, "a"
name_\name:
	.asciz	"\name"
	.section .rodata.blob_table, "a"
	.quad	name_\name, blob_\name, blob_\name\()_end
	.endm

	.section .rodata.blob_table, "a"
	.balign	8
	.global	board_blobs
board_blobs:
	bytes	guest, guest.bin
	bytes	play, traces/play.bin
	bytes	web, traces/web.bin
	bytes	game, traces/game.bin
	bytes	stream, traces/stream.bin
	bytes	compile, traces/compile.bin
	bytes	num, traces/num.bin
	bytes	script, traces/script.bin
	.section .rodata.blob_table, "a"
	.quad	0, 0, 0
