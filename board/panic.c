/* SPDX-License-Identifier: MIT */
/*
 * The last line of a run that went wrong. It may be needed before the MMU is on, when an access
 * that is not aligned faults, or when anything else is broken: so there is no library in it, and
 * what it calls (uart.c, semi.c) has none either. test/objcode checks the object code of all of
 * them.
 */
#include "panic.h"

#include <stdarg.h>

#include "arch.h"
#include "board.h"
#include "semi.h"
#include "uart.h"

/* From now on an exception ends the run at once instead of being reported: no report of a report.
 */
static void begin(void)
{
	board_sysreg_write(vbar_el2, (uint64_t)(uintptr_t)board_last_vectors);
	board_isb();
}

static void put_text(const char *text)
{
	for (; *text != '\0'; text++) {
		board_uart_put(*text);
	}
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (count > 0) {
		board_uart_put(digits[--count]);
	}
}

_Noreturn void board_unexpected(const char *slot, uint64_t esr, uint64_t elr, uint64_t far,
				uint64_t spsr)
{
	const uint64_t values[] = {esr, elr, far, spsr};
	static const char names[][8] = {" esr=0x", " elr=0x", " far=0x", " spsr=0x"};

	begin();
	put_text("\nboard: unexpected exception: ");
	put_text(slot);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		put_text(names[i]);
		for (int shift = 60; shift >= 0; shift -= 4) {
			put_number(values[i] >> shift & 15u, 16);
		}
	}
	put_text("\n");
	board_exit(1);
}

static void put_signed(int value)
{
	if (value < 0) {
		board_uart_put('-');
	}
	put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

/* Returns: what follows the directive at `at`, the character after '%'; NULL if it is unknown. */
static const char *put_argument(const char *at, va_list *arguments)
{
	switch (*at) {
	case 's':
		put_text(va_arg(*arguments, const char *));
		return at + 1;
	case 'd':
		put_signed(va_arg(*arguments, int));
		return at + 1;
	case 'u':
	case 'x':
		put_number(va_arg(*arguments, unsigned), *at == 'u' ? 10 : 16);
		return at + 1;
	case 'l':
		if (at[1] != 'u' && at[1] != 'x') {
			return NULL;
		}
		put_number(va_arg(*arguments, unsigned long), at[1] == 'u' ? 10 : 16);
		return at + 2;
	default:
		return NULL;
	}
}

_Noreturn void board_panic(const char *format, ...)
{
	va_list arguments;

	begin();
	put_text("\nboard: ");
	va_start(arguments, format);
	for (const char *at = format; *at != '\0';) {
		const char *next = *at == '%' ? put_argument(at + 1, &arguments) : NULL;
		if (*at == '%' && next == NULL) {
			put_text(at);
			break;
		}
		if (next == NULL) {
			board_uart_put(*at);
			next = at + 1;
		}
		at = next;
	}
	va_end(arguments);
	put_text("\n");
	board_exit(1);
}

_Noreturn void board_refuse(const char *text)
{
	begin();
	board_semi_say(text);
	board_exit(1);
}
