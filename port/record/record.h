/* SPDX-License-Identifier: MIT */
/*
 * Recordings: the core's event stream as text, a line an event. Every port writes them through
 * this; reader.c and replay.c read them back. The format is stated in port/record/README.md.
 *
 * Needs string.h and nothing else: it runs on the board and on the host.
 */
#ifndef PORT_RECORD_H
#define PORT_RECORD_H

#include <stddef.h>

#include "poise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The format that is written. Format 1, of cores before 0.2.0, is still read. */
#define RECORD_FORMAT 2
