/* SPDX-License-Identifier: MIT */
/*
 * Faults in the simulator: a scenario as text, run step by step with the simulator's guests and the
 * real core, and looked at after every step:
 *	I1 charges + free = pool, by poise_check, and so do the host's own books (the engine)
 *	I2 reservation and limit, by poise_check, and no managed VM's request is outside of them
 *	I4 what a VM has been granted and does not have yet is free in the host, unless there is a
 * debt
 */
#ifndef TEST_UNIT_SIM_FAULT_H
#define TEST_UNIT_SIM_FAULT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core.h"
#include "guest.h"
#include "loop.h"

#define MIB(n) ((uint64_t)(n)*256u)

struct fault_bench {
	struct sim_scenario *s;
	struct sim_host host;
	/* The host's memory may be short of what was granted: guests that help themselves. */
	bool overdrawn;
	uint64_t least[SIM_VM_MAX], most[SIM_VM_MAX]; /* sizes since fault_forget */
	uint64_t met[SIM_VM_MAX]; /* the reservation that its requests have reached */
};

/*
 * 384 MiB and three VMs of 128, of which 72 are reserved: the first is the test's, the second works
 * in phases, the third has memory to spare.
 */
#define FAULT_MACHINE "name = 'x'; total = 384; seconds = 100; granule = 4;"
#define FAULT_SIZES   "boot = 128; min = 72; kernel = 16; max = 320;"
#define FAULT_NEIGHBOURS                                                                   \
	"{ name = 'busy';" FAULT_SIZES " load = { kind = 'phases'; low = 60; high = 150;"  \
	" period = 30; width = 15; files = 10; burst = 20; }; },"                          \
	"{ name = 'spare';" FAULT_SIZES " load = { kind = 'stream'; low = 40; files = 10;" \
	" stream = 1; }; }"

/* Reads a scenario from a text in two parts, with ' for ". */
static inline struct sim_scenario *fault_scenario(const char *machine, const char *rest)
{
	char path[] = "/tmp/poise-sim-fault-XXXXXX";
	char text[4096];
	char error[SIM_ERROR_MAX];
	const int length = snprintf(text, sizeof(text), "%s%s", machine, rest);
	const int file = mkstemp(path);
	struct sim_scenario *s;

	assert_in_range(length, 1, sizeof(text) - 1u);
	for (char *c = text; *c != '\0'; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	assert_true(file >= 0);
	assert_int_equal(write(file, text, (size_t)length), length);
	close(file);
	s = sim_scenario_read(path, error);
	unlink(path);
	if (s == NULL) {
		fail_msg("%s", error);
	}
	return s;
}

static inline uint64_t fault_size(const struct fault_bench *b, uint32_t vm)
{
	return sim_guest_pages(&b->host.guest[vm]);
}

static inline const struct poise_vm *fault_vm(const struct fault_bench *b, uint32_t vm)
{
	return &b->host.core.vm[vm];
}

static inline uint64_t fault_errors(const struct fault_bench *b, enum poise_err err)
{
	return b->host.core.errors[-err];
}

/* From now on `least` and `most` are counted anew. */
static inline void fault_forget(struct fault_bench *b)
{
	for (uint32_t i = 0; i < b->s->vm_count; i++) {
		b->least[i] = UINT64_MAX;
		b->most[i] = 0;
	}
}

/* Starts a scenario, which stays the caller's until fault_stop, under one of the core's policies.
 */
static inline void fault_begin(struct fault_bench *b, struct sim_scenario *s, uint32_t policy)
{
	const struct poise_config config = {
		.policy = policy,
		.pool_pages = s->total_pages,
		.interval_ms = s->interval_ms,
	};
	const char *error = NULL;

	memset(b, 0, sizeof(*b));
	b->s = s;
	assert_true(sim_host_start(&b->host, s, s->vm, s->seed));
	if (!sim_core_start(&b->host, &config, &error)) {
		fail_msg("%s", error);
	}
	fault_forget(b);
}

static inline void fault_start_as(struct fault_bench *b, const char *machine, const char *rest,
				  uint32_t policy)
{
	fault_begin(b, fault_scenario(machine, rest), policy);
}

static inline void fault_start(struct fault_bench *b, const char *machine, const char *rest)
{
	fault_start_as(b, machine, rest, POISE_POLICY_POISE);
}

static inline void fault_check(struct fault_bench *b)
{
	const struct sim_host *h = &b->host;
	uint64_t granted = 0;

	assert_string_equal(h->books.failure, "");
	assert_int_equal(h->meter.violations, 0);
	for (uint32_t i = 0; i < b->s->vm_count; i++) {
		const struct poise_vm *v = &h->core.vm[i];
		const uint64_t size = fault_size(b, i);

		b->least[i] = size < b->least[i] ? size : b->least[i];
		b->most[i] = size > b->most[i] ? size : b->most[i];
		if (!h->guest[i].present) {
			continue;
		}
		granted += h->guest[i].allowed_pages > size ? h->guest[i].allowed_pages - size : 0;
		/* It gets there with the next plans when it is new or has been raised. */
		if (v->target_pages >= v->config.min_pages) {
			b->met[i] = v->config.min_pages;
		} else if (b->met[i] == v->config.min_pages) {
			fail_msg("%u ms: VM %u is asked for %llu pages, below its reservation",
				 (unsigned)(h->books.now_us / 1000u), i,
				 (unsigned long long)v->target_pages);
		}
	}
	/* In a debt, of the host or of the books, something has been taken that was not granted. */
	if (!b->overdrawn && h->books.debt_pages == 0 && h->core.free_pages >= 0 &&
	    granted > h->books.free_pages) {
		fail_msg("%u ms: %llu pages are granted and %llu are free",
			 (unsigned)(h->books.now_us / 1000u), (unsigned long long)granted,
			 (unsigned long long)h->books.free_pages);
	}
}

/* Lets the machine run until so many seconds after the start. */
static inline void fault_run(struct fault_bench *b, uint32_t until_s)
{
	while (b->host.books.now_us < until_s * UINT64_C(1000000)) {
		sim_host_step(&b->host);
		fault_check(b);
	}
}

/* Ends a run, but not its scenario. */
static inline void fault_end(struct fault_bench *b)
{
	for (uint32_t i = 0; i < b->s->vm_count; i++) {
		if (b->host.guest[i].present) {
			assert_null(mm_check(&b->host.guest[i].mm));
		}
	}
	sim_host_stop(&b->host);
}

static inline void fault_stop(struct fault_bench *b)
{
	fault_end(b);
	sim_scenario_free(b->s);
	b->s = NULL;
}

/* In `b` the VM's load has got as far as in `other`, but for so much. */
static inline void fault_assert_not_worse(const struct fault_bench *b,
					  const struct fault_bench *other, uint32_t vm,
					  uint64_t slack_ms)
{
	const uint64_t done = b->host.guest[vm].player.done_ms;
	const uint64_t than = other->host.guest[vm].player.done_ms;

	if (done + slack_ms < than) {
		fail_msg("VM %u has got %llu ms of its work done, and %llu without the fault", vm,
			 (unsigned long long)done, (unsigned long long)than);
	}
}

/* Every VM is in service: managed, and no request that the port has not taken. */
static inline void fault_assert_service(const struct fault_bench *b)
{
	for (uint32_t i = 0; i < b->s->vm_count; i++) {
		if (b->host.guest[i].present) {
			assert_int_equal(fault_vm(b, i)->state, POISE_VM_MANAGED);
			assert_int_equal(fault_vm(b, i)->unsent, 0);
		}
	}
}

#endif
