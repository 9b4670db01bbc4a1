/* SPDX-License-Identifier: MIT */
/* The daemon's log; see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define LINE_MAX_BYTES 512
/* No more lines than these in a window: a guest that resets itself all the time cannot fill the
 * log. What debugging asks for is not counted. */
#define WINDOW_S   10
#define WINDOW_MAX 100u

static enum log_level threshold = LOG_LEVEL_INFO;
static int with_priority;

void log_open(enum log_level level, int journal)
{
	threshold = level;
	with_priority = journal < 0 ? with_priority : journal;
}

static void put(enum log_level level, const char *line)
{
	if (with_priority != 0) {
		fprintf(stderr, "<%d>%s\n", (int)level, line);
	} else {
		fprintf(stderr, "poised: %s\n", line);
	}
}

/* Whether this line may still be written; says once in a window how many were not. */
static bool within_limit(void)
{
	static time_t start;
	static unsigned count;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - start >= WINDOW_S) {
		if (count > WINDOW_MAX) {
			char line[64];

			snprintf(line, sizeof(line), "%u lines were not written",
				 count - WINDOW_MAX);
			put(LOG_LEVEL_WARNING, line);
		}
		start = now.tv_sec;
		count = 0;
	}
	count++;
	return count <= WINDOW_MAX;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	if (level > threshold || (level != LOG_LEVEL_DEBUG && !within_limit())) {
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
	put(level, line);
}

void log_unexpected(enum poise_err err, const char *what)
{
	if (err != POISE_OK) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", what, poise_strerror(err));
	}
}
