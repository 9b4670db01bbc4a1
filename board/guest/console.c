/* SPDX-License-Identifier: MIT */
/* One line of text at a time to the monitor, which adds the VM's name and limits the rate. */
#include <stdarg.h>

#include "guest.h"
#include "hvc_call.h"

#define LINE_BYTES 256u

struct line {
	char text[LINE_BYTES];
	uint32_t length;
};

static void put(struct line *line, char character)
{
	if (line->length < LINE_BYTES) {
		line->text[line->length++] = character;
	}
}

static void put_number(struct line *line, uint64_t number, uint32_t base)
{
	char digits[20];
	uint32_t count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	while (count > 0) {
		put(line, digits[--count]);
	}
}

void console_print(const char *format, ...)
{
	struct line line = {.length = 0};
	va_list arguments;

	va_start(arguments, format);
	for (; *format != '\0'; format++) {
		const char *text;

		if (*format != '%') {
			put(&line, *format);
			continue;
		}
		switch (*++format) {
		case 'u':
			put_number(&line, va_arg(arguments, uint32_t), 10);
			break;
		case 'l':
			put_number(&line, va_arg(arguments, uint64_t), 10);
			break;
		case 'x':
			put_number(&line, va_arg(arguments, uint64_t), 16);
			break;
		default:
			for (text = va_arg(arguments, const char *); *text != '\0'; text++) {
				put(&line, *text);
			}
			break;
		}
	}
	va_end(arguments);
	hvc_call(HVC_CONSOLE, (uintptr_t)line.text, line.length, 0);
}

void guest_exit(uint64_t status)
{
	hvc_call(HVC_EXIT, status, 0, 0);
	for (;;) {
		/* HVC_EXIT does not return. */
	}
}
