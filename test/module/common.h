/* SPDX-License-Identifier: MIT */
/* What holds on both machines: tests and the small steps that they are made of. */
#ifndef TEST_MODULE_COMMON_H
#define TEST_MODULE_COMMON_H

#include "machine.h"

#define INTERVAL_MS  100u /* of the tests */
#define STATUS_BYTES 4096 /* more than the module shows */
#define NEAR_PAGES   1024 /* what changes between two looks at a guest that does nothing */

/* The machine under test. */
extern struct machine vm;

/* Runs a command line in the guest. Returns its status, or the number that it prints. */
int run(const char *line);
uint64_t guest_sum(const char *line);
void insert_module(const char *parameters);

/* Tests for cmocka. */
void host_interval_is_taken(void **state);
void numbers_are_the_kernels(void **state);
void status_shows_what_was_published(void **state);
void reload(void **state);

#endif
