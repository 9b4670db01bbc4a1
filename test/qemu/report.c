/* SPDX-License-Identifier: MIT */
/*
 * The reporter, in the way of kvm-unit-tests: a line a check, a sum at the end.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned passed, failed;

bool report(bool condition, const char *format, ...)
{
	va_list arguments;

	printf(condition ? "PASS " : "FAIL ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	if (condition) {
		passed++;
	} else {
		failed++;
	}
	return condition;
}

int report_summary(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	return passed != 0 && failed == 0 ? 0 : 1;
}
