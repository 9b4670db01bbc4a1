/* SPDX-License-Identifier: MIT */
/* Each VM's memory over time, from a recording of any port. */
#ifndef SIM_SERIES_H
#define SIM_SERIES_H

#include <stdio.h>

/*
 * Reads a recording and writes CSV: a line for each tick and VM. Sizes are pages of 4 KiB; swap is
 * what the guest said last; t_ms counts from a run's first tick, and runs from 1.
 * Returns NULL, or what is wrong with line *line of the recording; what has been written is to be
 * thrown away then.
 */
const char *sim_series_write(FILE *in, FILE *out, unsigned long *line);

#endif
