/* SPDX-License-Identifier: MIT */
/* What the tests of the public calls share: one machine, one VM's limits, and what a refusal is. */
#ifndef TEST_UNIT_POISE_SUPPORT_H
#define TEST_UNIT_POISE_SUPPORT_H

#include "support.h"

#include "internal.h"

#define MIN  1000u
#define BOOT 4000u
#define MAX  9000u
#define POOL 20000u

static struct fake fake;

static const struct poise_vm_config good = {.min_pages = MIN, .boot_pages = BOOT, .max_pages = MAX};

static inline struct poise_vm *vm(uint32_t at)
{
	return &fake.p.vm[at];
}

static inline uint64_t errors(enum poise_err err)
{
	return fake.p.errors[-(int)err];
}

static inline int start(void **state)
{
	(void)state;
	fake_start_pool(&fake, POOL);
	fake.now_ms = 10000;
	return 0;
}

/* A call has failed: nothing but its counter is different. */
static inline void assert_refused(const struct poise *before, enum poise_err expected,
				  enum poise_err err)
{
	struct poise counted = *before;
	assert_int_equal(err, expected);
	counted.errors[-(int)expected]++;
	assert_memory_equal(&counted, &fake.p, sizeof(counted));
}

#endif
