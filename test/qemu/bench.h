/* SPDX-License-Identifier: MIT */
/*
 * The test bench in the monitor: probe guests in a fresh pool, run for a time or to their end.
 */
#ifndef BENCH_H
#define BENCH_H

#include "../../board/guests.h"
#include "guests/probe.h"

#define MS UINT64_C(1000000)

#define BENCH_POOL_PAGES 6144u
#define BENCH_RAM_PAGES  4096u
#define BENCH_BOOT_PAGES 2048u
#define BENCH_SWAP       256u
#define BENCH_FILE       UINT64_C(1024)

/*
 * Real guests for the tests with Poise at work. Their own table, so that the tests keep their
 * meaning when the scenarios change: under static shares the second and third swap within a minute.
 */
#define BENCH_GUESTS 3u
extern const struct board_guest bench_guests[BENCH_GUESTS];

/* Starts over: no VMs, a fresh pool, a fresh device. */
void bench_reset(void);
/* Creates a VM that runs the probe with `do=...` arguments, and starts it. */
struct board_vm *bench_probe(uint32_t slot, const char *arguments);
/* Starts a dead VM again, with other arguments; NULL keeps them. */
void bench_restart(struct board_vm *vm, const char *arguments);
void bench_run_ms(uint64_t ms);
/* Runs until `vm` is dead, `ms` at most. Returns: whether it ended by itself with status 0. */
bool bench_ends_well(struct board_vm *vm, uint64_t ms);
/* Returns: a word of the VM's shared page, 0 if it is not there. */
uint64_t bench_word(const struct board_vm *vm, uint32_t index);
/* Reports that pool, tables and counts agree. */
void bench_check(const char *name);

/* The groups of tests, one function each; `test=` names them. */
void test_boot(void);
void test_memory(void);
void test_calls(void);
void test_faults(void);
void test_sched(void);
void test_device(void);
void test_vector(void);
void test_balance(void);
void test_live(void);
void test_hostile(void);
void test_churn(void);
void test_scenarios(void);
void test_update(void);

#endif
