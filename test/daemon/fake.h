/* SPDX-License-Identifier: MIT */
/*
 * A backend that is played in the test's own process, and a daemon on it. The clock is played too,
 * and the daemon's own timers never fire: what happens does not depend on how fast the machine is.
 */
#ifndef TEST_DAEMON_FAKE_H
#define TEST_DAEMON_FAKE_H

#include <stdalign.h>

#include "daemon.h"
#include "publish.h"

#define MIB 256u
#define VMS 3u

struct guest {
	alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page page;
	alignas(POISE_ABI_PAGE_BYTES) struct poise_host_page host;
	struct gd gd;
	uint64_t actual, target, need;
	uint32_t alarms;
	uint32_t start; /* which start of it this is */
	bool adopting;
	bool obeys;
};

struct fake {
	struct backend_env env;
	struct guest guest[VMS];
	enum poise_err host_err;
	uint64_t host_free;
	uint64_t now_us; /* the daemon's clock */
	unsigned told;
};
extern struct fake fake;

/* A daemon in a folder of its own. */
struct bench {
	struct poised d;
	const char *pool;
	char folder[64];
};

/* Starts one with a pool, as in the configuration file; nobody is there yet. */
struct bench *bench_start(const char *pool);
/* As bench_start; all VMs are there and have been looked at a few times. */
struct bench *bench_start_all(const char *pool);
void bench_end(struct bench *b);
/* Another daemon comes in its place, after an orderly end or after none; VMs have yet to appear. */
void bench_again(struct bench *b, bool orderly);
/* The path of its state file. */
const char *bench_state(const struct bench *b);
/* The backend tells that a VM is there. */
void bench_appear(struct bench *b, uint32_t vm);
/* Ticks of the daemon, an interval apart; every invariant is looked at. */
void bench_tick(struct bench *b, unsigned count);
/* What all VMs together are charged. */
uint64_t bench_charged(const struct bench *b);
/* The guest publishes now, as it does once an interval. */
void fake_publish(uint32_t vm);

#endif
