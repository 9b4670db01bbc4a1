/* SPDX-License-Identifier: MIT */
/*
 * The order in which the board comes up, the arguments of the run, and the ways it ends.
 * What is run on the board is board_main's concern, one per image.
 */
#include "board.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch.h"

static char command_line[1024];

_Noreturn void board_start(void)
{
	struct board_memory memory;

	board_uart_init();
	if (!board_fdt_memory((const void *)(uintptr_t)BOARD_DTB, BOARD_DTB_BYTES, &memory) ||
	    memory.base != BOARD_DTB) {
		static const char text[] = "board: no memory node in the device tree\n";
		board_uart_write(text, sizeof(text) - 1);
		board_exit(1);
	}

	board_mmu_init(memory.base + memory.bytes);
	board_gic_init();
	board_timer_init();
	board_carve_init((uint64_t)(uintptr_t)board_image_end, memory.base + memory.bytes);
	if (!board_semi_command_line(command_line, sizeof(command_line))) {
		command_line[0] = '\0';
	}

	int status = board_main();
	fflush(NULL);
	board_exit(status);
}

static void put_text(const char *text)
{
	board_uart_write(text, strlen(text));
}

static void put_hex(const char *name, uint64_t value)
{
	put_text(name);
	for (int shift = 60; shift >= 0; shift -= 4) {
		board_uart_put("0123456789abcdef"[(value >> shift) & 15u]);
	}
}

/* Without newlib: whatever is broken, these lines come out. */
_Noreturn void board_unexpected(const char *slot, uint64_t esr, uint64_t elr, uint64_t far,
				uint64_t spsr)
{
	put_text("\nboard: unexpected exception: ");
	put_text(slot);
	put_hex(" esr=0x", esr);
	put_hex(" elr=0x", elr);
	put_hex(" far=0x", far);
	put_hex(" spsr=0x", spsr);
	put_text("\n");
	board_exit(1);
}

_Noreturn void board_panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("board: ");
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
	fflush(NULL);
	board_exit(1);
}

bool board_arg(const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);
	const char *at = command_line;

	while (*at != '\0') {
		size_t length = strcspn(at, " ");
		if (length > name_length && at[name_length] == '=' &&
		    memcmp(at, name, name_length) == 0) {
			size_t bytes = length - name_length - 1;
			if (bytes >= size) {
				bytes = size - 1;
			}
			memcpy(value, at + name_length + 1, bytes);
			value[bytes] = '\0';
			return true;
		}
		at += length;
		at += strspn(at, " ");
	}
	return false;
}

uint64_t board_arg_number(const char *name, uint64_t otherwise)
{
	char text[24];
	char *end;

	if (!board_arg(name, text, sizeof(text)) || text[0] < '0' || text[0] > '9') {
		return otherwise;
	}
	uint64_t number = strtoull(text, &end, 10);
	return *end == '\0' ? number : otherwise;
}
