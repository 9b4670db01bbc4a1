/* SPDX-License-Identifier: MIT */
/*
 * PASS and FAIL lines, and the closing line that the runner compares with the exit status.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

/* Reports one check; the text, in printf format, is its name. Returns: the condition. */
bool report(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints `N passed, N failed`. Returns: 0 if something was checked and nothing failed, else 1. */
int report_summary(void);

#endif
