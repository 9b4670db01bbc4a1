/* SPDX-License-Identifier: MIT */
/*
 * What the tests of forecast, plan, ledger and check share: states made directly, without a guest
 * and without a port, so that a row of a table says all that a plan depends on.
 */
#ifndef TEST_UNIT_PLAN_SUPPORT_H
#define TEST_UNIT_PLAN_SUPPORT_H

#include "internal.h"
#include "support.h"

/* One VM at rest. A zero in the second group means what the comment says. */
struct plan_vm {
	uint64_t size_pages;
	int64_t delta_pages, reclaimable_pages;

	uint64_t min_pages;    /* 0: 1 page */
	uint64_t boot_pages;   /* 0: size */
	uint64_t max_pages;    /* 0: the pool */
	uint64_t floor_pages;  /* 0: none */
	uint64_t seen_pages;   /* size in the last sample; 0: size */
	uint64_t actual_pages; /* measured; 0: size */
	uint64_t refault_pages, promised_pages;
	uint64_t peak_in_use_pages; /* 0: what is in use now */
	uint64_t available_pages;   /* of which free + inactive file are zero */
	uint64_t ticked_pages;      /* 0: size */
	uint64_t backoff_end_ms;
	uint32_t weight; /* 0: 100 */
	uint32_t state;  /* 0: MANAGED */
	uint32_t flags, urgent, unsent, last_direction;
	uint32_t features; /* of its last sample */
};

/* A row of a table: size, delta and R, then what else is not zero. */
#define VM(size, delta, reclaimable, ...)                                                         \
	{                                                                                         \
		.size_pages = (size), .delta_pages = (delta), .reclaimable_pages = (reclaimable), \
		__VA_ARGS__                                                                       \
	}

#define PLAN_NOW_MS 100000u

/*
 * How many random states: `count`, fewer where each costs much more (large tables, emulation), and
 * where the build asks for a part only (coverage, which wants each line once).
 */
#ifndef PLAN_RUNS_PART
#define PLAN_RUNS_PART 1u
#endif
#define PLAN_RUNS(count) \
	((count) / (POISE_VM_MAX > 16 ? 5u : 1u) / (sizeof(void *) < 8 ? 10u : 1u) / PLAN_RUNS_PART)

static inline enum poise_err plan_port_resize(void *ctx, uint32_t vm, uint64_t target,
					      uint64_t epoch)
{
	(void)ctx;
	(void)vm;
	(void)target;
	(void)epoch;
	return POISE_OK;
}

static inline enum poise_err plan_port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	(void)ctx;
	(void)vm;
	(void)pages;
	return POISE_OK;
}

static inline void plan_port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static inline void plan_port_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

/* When the next plan is made: since the last tick, and whether it is an early one. */
static uint64_t plan_elapsed_ms;
static uint32_t plan_early;

/* What a plan of this state is made of. */
static inline struct poise_plan_input plan_input(const struct poise *p)
{
	return (struct poise_plan_input){.config = &p->config,
					 .vm = p->vm,
					 .now_ms = p->now_ms,
					 .elapsed_ms = plan_elapsed_ms,
					 .early = plan_early};
}

/* Makes an empty pool. What is zero in `config` gets its default. */
static inline void plan_start(struct poise *p, const struct poise_config *config)
{
	static const struct poise_port port = {.resize = plan_port_resize,
					       .measure = plan_port_measure,
					       .notify = plan_port_notify,
					       .event = plan_port_event};
	assert_int_equal(poise_init(p, sizeof(*p), config, &port, NULL), POISE_OK);
	p->now_ms = PLAN_NOW_MS;
	p->ticked_ms = PLAN_NOW_MS;
	plan_elapsed_ms = p->config.interval_ms;
	plan_early = 0;
}

static inline void plan_put(struct poise *p, uint32_t slot, const struct plan_vm *t)
{
	struct poise_vm *vm = &p->vm[slot];
	const uint64_t size = t->size_pages;
	*vm = (struct poise_vm){
		.config = {.min_pages = t->min_pages == 0 ? 1 : t->min_pages,
			   .boot_pages = t->boot_pages == 0 ? size : t->boot_pages,
			   .max_pages = t->max_pages == 0 ? p->config.pool_pages : t->max_pages,
			   .weight = t->weight == 0 ? 100 : t->weight,
			   .flags = t->flags},
		.state = t->state == 0 ? POISE_VM_MANAGED : t->state,
		.unsent = t->unsent,
		.urgent = t->urgent,
		.backoff_end_ms = t->backoff_end_ms,
		.forecast = {.delta_q16 = t->delta_pages * (1 << POISE_FRACTION_BITS),
			     .reclaimable_q16 = t->reclaimable_pages * (1 << POISE_FRACTION_BITS),
			     .size_pages = t->seen_pages == 0 ? size : t->seen_pages,
			     .refault_pages = t->refault_pages,
			     .promised_pages = t->promised_pages,
			     .steps = 2},
	};
	vm->forecast.peak_in_use_pages =
		poise_max(t->peak_in_use_pages, poise_forecast_in_use(&vm->forecast));
	vm->last.body.floor_pages = t->floor_pages;
	vm->last.body.available_pages = t->available_pages;
	vm->last.features = t->features;
	vm->ticked_pages = t->ticked_pages == 0 ? size : t->ticked_pages;
	vm->sample_ms = PLAN_NOW_MS - 3 * (uint64_t)p->config.interval_ms;
	poise_ledger_set(p, vm, t->actual_pages == 0 ? size : t->actual_pages, size);
	vm->last_direction = t->last_direction;
	vm->goal_pages = poise_min(poise_max(size, vm->config.min_pages), vm->config.max_pages);
}

/*
 * Makes a plan and asserts what holds for every plan: the state is the same as before, growth
 * is covered, an empty slot gets nothing, nobody shrinks below its reservation, nobody grows to
 * more than its limit, and the same state makes the same plan again.
 */
static inline void plan_make(struct poise *p)
{
	static struct poise before;
	static struct poise_plan plan[2];
	const struct poise_plan_input in = plan_input(p);
	memcpy(&before, p, sizeof(before));
	for (unsigned i = 0; i < 2; i++) {
		memset(&plan[i], i == 0 ? 0x00 : 0xa5, sizeof(plan[i]));
		poise_plan_make(&in, &plan[i]);
	}
	assert_memory_equal(&before, p, sizeof(before));
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan[0].row[i];
		const struct poise_vm *vm = &p->vm[i];
		assert_in_range(row->rule, 0, POISE_RULE_COUNT - 1);
		assert_int_equal(row->size_pages, vm->target_pages);
		if (vm->state == POISE_VM_EMPTY) {
			assert_int_equal(row->goal_pages, 0);
		} else if (row->goal_pages < row->size_pages) {
			assert_true(row->goal_pages >= vm->config.min_pages);
		} else if (row->goal_pages > row->size_pages) {
			assert_true(row->goal_pages <= vm->config.max_pages);
		}
	}
	assert_memory_equal(&plan[0], &plan[1], sizeof(plan[0]));
	p->plan = plan[0];
	assert_int_equal(poise_check(p) & ~(unsigned)(POISE_CHECK_BOUNDS | POISE_CHECK_RESERVED),
			 0);
}

/* --- tables of plans --- */

#define PLAN_ROW_VMS 4

#define OFF(rule) POISE_RULE_BIT(POISE_RULE_##rule)
/* What only softens a change: off, so that a table can be checked by hand. */
#define SOFT                                                                                   \
	(OFF(RESERVE) | OFF(IDLE_TAX) | OFF(DEAD_BAND) | OFF(SLEW) | OFF(TIGHT) | OFF(CLAIM) | \
	 OFF(GENTLE))

struct plan_case {
	const char *what;
	uint64_t pool_pages;
	uint32_t rules_off;
	struct plan_vm vm[PLAN_ROW_VMS];
	uint64_t goal[PLAN_ROW_VMS];
};

static inline void plan_run(struct poise *p, const struct poise_config *config,
			    const struct plan_case *c)
{
	struct poise_config complete = *config;
	complete.pool_pages = c->pool_pages;
	complete.rules_off = c->rules_off;
	plan_start(p, &complete);
	for (uint32_t i = 0; i < PLAN_ROW_VMS; i++) {
		if (c->vm[i].size_pages != 0) {
			plan_put(p, i, &c->vm[i]);
		}
	}
	plan_make(p);
	for (uint32_t i = 0; i < PLAN_ROW_VMS; i++) {
		if (p->plan.row[i].goal_pages != c->goal[i]) {
			print_error("%s, VM %u: %llu\n", c->what, (unsigned)i,
				    (unsigned long long)p->plan.row[i].goal_pages);
		}
		assert_int_equal(p->plan.row[i].goal_pages, c->goal[i]);
	}
}

static inline void plan_run_all(const struct poise_config *config, const struct plan_case *cases,
				size_t count)
{
	static struct poise p;
	for (size_t i = 0; i < count; i++) {
		plan_run(&p, config, &cases[i]);
	}
}

#endif
