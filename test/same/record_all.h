/* SPDX-License-Identifier: MIT */
/*
 * Plays every scenario of test/scenario and writes one recording of them all. The same code runs on
 * the host and at EL2, so that the two files can be compared byte by byte.
 */
#ifndef TEST_SAME_RECORD_ALL_H
#define TEST_SAME_RECORD_ALL_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Writes the recording to `out`; calls `played` after each scenario with what was wrong in it, or
 * NULL. Returns: false if the file could not be written.
 */
bool record_all(FILE *out, void (*played)(const char *scenario, const char *failure));

#endif
