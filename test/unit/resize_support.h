/* SPDX-License-Identifier: MIT */
/* What the tests of requests share: two VMs that nobody but a test moves. */
#ifndef RESIZE_SUPPORT_H
#define RESIZE_SUPPORT_H

#include "support.h"

#include "internal.h"

#define A      1u
#define B      2u
#define MIN    1000u
#define BOOT   4000u
#define MAX    9000u
#define POOL   10000u
#define WINDOW 3u /* ticks: answer_intervals */

static struct fake fake;

static inline struct poise_vm *vm(uint32_t at)
{
	return &fake.p.vm[at];
}

/* Two VMs of policy STATIC, so that nothing moves but what a test asks for; 2000 pages are free. */
static inline int start(void **state)
{
	const struct poise_config config = {.pool_pages = POOL, .policy = POISE_POLICY_STATIC};
	(void)state;
	fake_start(&fake, &config);
	fake.now_ms = 1000;
	assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK);
	fake_add(&fake, A, MIN, BOOT, MAX);
	fake_add(&fake, B, MIN, BOOT, MAX);
	/* The policy brings everybody up to its boot size: that is little. */
	vm(A)->config.boot_pages = MIN;
	vm(B)->config.boot_pages = MIN;
	fake_tick(&fake);
	fake_forget(&fake);
	return 0;
}

/* What a plan does: a goal, and for a take the request. */
static inline void ask(uint32_t at, uint64_t target)
{
	vm(at)->goal_pages = target;
	poise_resize_ask(&fake.p, &fake.p.vm[at], target, POISE_RULE_NONE);
	fake_check(&fake);
}

/* Sets a plan's row and carries the plan out. */
static inline void commit(uint64_t goal_a, uint64_t goal_b)
{
	const uint64_t goals[] = {goal_a, goal_b};
	for (uint32_t i = 0; i < 2; i++) {
		fake.p.plan.row[A + i] = (struct poise_row){.size_pages = vm(A + i)->target_pages,
							    .goal_pages = goals[i]};
	}
	fake.p.plan.available_pages = POOL;
	poise_resize_commit(&fake.p);
	fake_check(&fake);
}

#endif
