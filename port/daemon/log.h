/* SPDX-License-Identifier: MIT */
/*
 * The daemon's log: lines to stderr, with the priority in front that systemd's journal understands
 * ("<4>text") when it runs under it. What comes from guests and sockets is told once when it starts
 * and once when it ends, never for each time, and no more than a hundred lines are written in ten
 * seconds: nobody outside can fill the log.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "poise_err.h"

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* `level`: lines above it are not written. `journal`: priorities in front, 0 or 1; -1: as before.
 */
void log_open(enum log_level level, int journal);

/* Writes one line; bytes that are not printable ASCII become '?'. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes an error of the core that the daemon did not expect; POISE_OK is none. */
void log_unexpected(enum poise_err err, const char *what);

#endif
