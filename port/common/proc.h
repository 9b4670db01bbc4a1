/* SPDX-License-Identifier: MIT */
/* The host's own count of memory, from /proc. */
#ifndef PORT_PROC_H
#define PORT_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Takes "Name:   123 kB" out of a text with a line each; in pages of 4 KiB. Returns false if it is
 * not there or no such line. */
bool proc_field(const char *text, const char *name, uint64_t *pages);

/* MemTotal and MemAvailable. Returns false when they cannot be read or make no sense. */
bool proc_host(uint64_t *total_pages, uint64_t *available_pages);

/* Memory that a process holds, its binaries' pages apart. Returns false when it cannot be read. */
bool proc_resident(pid_t pid, uint64_t *pages);

/* When a process was started, in ticks since the host's boot. Returns false when it cannot be read.
 */
bool proc_started(pid_t pid, uint64_t *ticks);

/* The number that a file holds, as daemons leave their own in one; 0: none. */
pid_t proc_pid_file(const char *path);

/* Whether there is such a process: one that has ended and only waits for its parent is none. */
bool proc_lives(pid_t pid);

#endif
