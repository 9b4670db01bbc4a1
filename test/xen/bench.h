/* SPDX-License-Identifier: MIT */
/*
 * What the backend's tests share: a backend on the fake Xen, with one VM called "tv" in slot 0, and
 * a daemon that writes down what it is told.
 */
#ifndef TEST_XEN_BENCH_H
#define TEST_XEN_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake.h"
#include "vm.h"
#include "xen.h"

#define PAGES 32768u /* of the domain, its target */
#define EXTRA 4u     /* pages that it has beyond */

struct bench {
	struct event_base *base;
	struct backend_env env;
	struct backend_vm_settings settings;
	void *ctx;
	/* What the daemon has been told. */
	unsigned started, gone, moved, bells;
	bool paused;
	bool others; /* VMs other than 0 may be started; nothing is written down about them */
	uint64_t start_free; /* the host's free memory when it was started */
	uint64_t start_pages, moved_pages, moved_epoch;
	/* The ledger's rule: it is charged max(size, target). */
	uint64_t size, target;
};
extern struct bench bench;

/* cmocka's set-up and tear-down: no domain yet, the backend open. */
int bench_open(void **state);
int bench_close(void **state);
/* Closes the backend and opens it anew, as if poised had been killed in between. */
void bench_reopen(void);

/* Lets the loop run until the condition holds; fails the test after ten seconds. */
#define await(condition)                                              \
	do {                                                          \
		for (unsigned await_i = 0; !(condition); await_i++) { \
			if (await_i > 2000) {                         \
				fail_msg("never: %s", #condition);    \
			}                                             \
			bench_turn();                                 \
		}                                                     \
	} while (0)
/* One turn of the loop, at most 5 ms; then the invariant: a domain's limit is never above what it
 * is charged for. */
void bench_turn(void);
/* So many turns. */
void bench_turns(unsigned count);

/* As the daemon does at each tick. */
void bench_poll(void);
enum poise_err bench_resize(uint64_t target, uint64_t epoch);
uint64_t bench_measure(void);
/* What names this start of the domain. */
const char *bench_identity(void);
struct backend_status bench_status(void);
struct backend_pages bench_pages(void);
/* Whether a line has been logged that has this in it. */
bool bench_logged(const char *part);

/* A domain "tv", number 1, that runs and is found. */
void bench_domain(void);

#endif
