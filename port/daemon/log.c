/* SPDX-License-Identifier: MIT */
/* The daemon's log; see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 512

static enum log_level threshold = LOG_LEVEL_INFO;
static int with_priority;

void log_open(enum log_level level, int journal)
{
	threshold = level;
	with_priority = journal < 0 ? with_priority : journal;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	if (level > threshold) {
		return;
	}
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *at = line; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~') {
			*at = '?';
		}
	}
	if (with_priority != 0) {
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	} else {
		fprintf(stderr, "poised: %s\n", line);
	}
}
