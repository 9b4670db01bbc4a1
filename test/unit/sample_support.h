/* SPDX-License-Identifier: MIT */
/* What the tests of taking samples share: one VM in a pool, and an update of its page. */
#ifndef SAMPLE_SUPPORT_H
#define SAMPLE_SUPPORT_H

#include "support.h"

#include "internal.h"

#define VM    3u
#define OTHER 5u
#define MIN   1000u
#define BOOT  4000u
#define MAX   9000u
#define POOL  20000u

static struct fake fake;
static struct poise_guest_update update;

static inline struct poise_vm *vm(void)
{
	return &fake.p.vm[VM];
}

/* A pool with one VM that has not reported yet. */
static inline int start(void **state)
{
	(void)state;
	fake_start_pool(&fake, POOL);
	fake.now_ms = 10000;
	fake_add(&fake, VM, MIN, BOOT, MAX);
	update = support_update(MAX);
	update.body.balloon_pages = MAX - BOOT;
	update.body.free_pages = 500;
	update.body.active_file_pages = 0;
	update.body.inactive_file_pages = 0;
	update.body.active_anon_pages = 0;
	update.body.inactive_anon_pages = 3000;
	update.body.available_pages = 500;
	return 0;
}

/* The same, and it is managed. */
static inline int start_managed(void **state)
{
	(void)start(state);
	fake_manage(&fake, VM, &update);
	fake_forget(&fake);
	return 0;
}

/* Reports the update as it is. */
static inline enum poise_err report(void)
{
	support_seal(&update);
	const struct poise_sample sample = support_sample(&update);
	const enum poise_err err = poise_report(&fake.p, VM, fake.now_ms, &sample);
	fake_check(&fake);
	return err;
}

static inline enum poise_err bad(enum poise_err reason)
{
	const enum poise_err err = poise_report_error(&fake.p, VM, fake.now_ms, reason);
	fake_check(&fake);
	return err;
}

static inline uint64_t errors(enum poise_err err)
{
	return fake.p.errors[-(int)err];
}

static inline void expect_transition(uint32_t from, uint32_t to)
{
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_STATE, VM, 0);
	assert_non_null(r);
	assert_int_equal(r->a, from);
	assert_int_equal(r->b, to);
	assert_int_equal(vm()->state, to);
	fake_forget(&fake);
}

#endif
