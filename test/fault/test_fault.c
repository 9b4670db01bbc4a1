/* SPDX-License-Identifier: MIT */
/*
 * Fail at every call of the port, in the manner of SQLite and littlefs: each scenario is played
 * once without a fault and then once for every call of its port and every way in which that call
 * can fail, with all checks of scenario_play after each step. Afterwards the script goes on for
 * CALM_TICKS without faults, and then the run must be back in service: the same VMs in the same
 * states, nothing unsent, and no more swapped out than without the fault, but for SLACK_PERMILLE
 * of the pool: where two share it, a way back is left alone up to 12 % of one of them, and bands
 * settle where they are met first (I8). A refused
 * call is counted once (I7); a notice that goes wrong changes no VM's size (I3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../scenario/scenario.h"

#define CALM_TICKS     40u
#define SLACK_PERMILLE 60u

static struct scenario_run run, reference;
static uint64_t injected, played;

struct fault {
	uint64_t call;
	enum scenario_way way;
};

struct faults {
	struct fault fault[2];
	enum scenario_call hit[2]; /* what kind of call it was */
};

static enum scenario_way decide(void *arg, enum scenario_call call, uint64_t number)
{
	struct faults *f = arg;
	for (unsigned i = 0; i < 2; i++) {
		if (f->fault[i].call == number) {
			f->hit[i] = call;
			return f->fault[i].way;
		}
	}
	return WAY_OK;
}

static const char *const way_names[WAY_COUNT] = {"ok",   "error",     "short",
						 "late", "duplicate", "never"};
static const char *const call_names[] = {"resize", "measure", "notify"};

/* Of a run with one fault: what it was counted as, and whom it concerned. */
static const char *aftermath(const struct scenario_run *to, const struct faults *f, uint32_t *vm)
{
	const int port = -POISE_E_PORT;
	const uint64_t counted = to->p.errors[port] - reference.p.errors[port];
	*vm = 0;
	if (to->faults != 1) {
		return NULL;
	}
	if ((f->hit[0] == CALL_MEASURE || f->fault[0].way == WAY_ERROR) &&
	    f->hit[0] != CALL_NOTIFY && counted != 1) {
		return "I7: a fault of the port is not counted once";
	}
	for (uint32_t i = 0; f->hit[0] == CALL_NOTIFY && i < POISE_VM_MAX; i++) {
		*vm = i;
		if (to->p.vm[i].target_pages != reference.p.vm[i].target_pages ||
		    to->p.vm[i].actual_pages != reference.p.vm[i].actual_pages) {
			return "I3: a notice has changed a VM's size";
		}
	}
	return NULL;
}

static void play(struct scenario_run *to, const struct scenario *s, struct faults *f, bool sloppy)
{
	const struct scenario_options options = {.decide = f != NULL ? decide : NULL,
						 .decide_arg = f,
						 .calm_ticks = CALM_TICKS,
						 .sloppy = sloppy,
						 .no_expect = f != NULL};
	uint32_t vm = 0;
	const char *what = scenario_play(to, s, &options);
	played++;
	if (what != NULL) {
		vm = to->failure_vm;
	} else if (f != NULL) {
		injected += to->faults;
		what = scenario_compare(to, &reference, SLACK_PERMILLE, &vm);
		what = what != NULL ? what : aftermath(to, f, &vm);
	}
	if (what == NULL) {
		return;
	}
	for (unsigned i = 0; f != NULL && i < 2; i++) {
		if (f->fault[i].call != 0) {
			print_error("call %llu, a %s, goes wrong: %s\n",
				    (unsigned long long)f->fault[i].call, call_names[f->hit[i]],
				    way_names[f->fault[i].way]);
		}
	}
	fail_msg("%s, tick %u, VM %u: %s (%lld, %lld)", s->name, to->tick, vm, what,
		 (long long)to->failure_a, (long long)to->failure_b);
}

/* Every call, every way. */
static void singles(const struct scenario *s, bool sloppy)
{
	play(&reference, s, NULL, false);
	for (uint64_t k = 1; k <= reference.calls; k++) {
		for (enum scenario_way way = WAY_ERROR; way < WAY_COUNT; way++) {
			struct faults f = {.fault = {{k, way}}};
			play(&run, s, &f, sloppy);
		}
	}
}

/* Every pair of calls, every pair of ways. */
static void pairs(const struct scenario *s)
{
	play(&reference, s, NULL, false);
	/* The second fault may hit a call that only the first one has brought about. */
	const uint64_t most = reference.calls + 8;
	for (uint64_t k = 1; k < reference.calls; k++) {
		for (unsigned ways = 0; ways < 25; ways++) {
			for (uint64_t l = k + 1; l <= most; l++) {
				struct faults f = {
					.fault = {{k, (enum scenario_way)(1 + ways / 5)},
						  {l, (enum scenario_way)(1 + ways % 5)}}};
				play(&run, s, &f, true);
			}
		}
	}
}

static void report(const char *what)
{
	print_message("# %s: %llu runs, %llu faults injected\n", what, (unsigned long long)played,
		      (unsigned long long)injected);
}

static void f49_every_call_every_way(void **state)
{
	(void)state;
	played = 0;
	injected = 0;
	for (uint32_t i = 0; i < scenario_count; i++) {
		singles(&scenarios[i], true);
	}
	report("single faults");
	assert_true(injected >= 10000);
}

static void f49_every_pair_in_small_scenarios(void **state)
{
	(void)state;
	played = 0;
	injected = 0;
	for (uint32_t i = 0; i < scenario_small_count; i++) {
		singles(&scenarios_small[i], false);
		pairs(&scenarios_small[i]);
	}
	report("pairs of faults");
	assert_true(injected >= 50000);
}

/* --- exhaustive enumeration of tiny machines --- */

#define CHOICES_MAX 4u
#define GRANULE     32u /* MiB */

/* The answers to the first requests of a run, as the digits of a number to the base WAY_COUNT. */
struct choices {
	unsigned way[CHOICES_MAX];
	unsigned used;
};

static enum scenario_way choose(void *arg, enum scenario_call call, uint64_t number)
{
	struct choices *c = arg;
	(void)number;
	if (call != CALL_RESIZE || c->used == CHOICES_MAX) {
		return WAY_OK;
	}
	return (enum scenario_way)c->way[c->used++];
}

/* Goes to the next sequence of answers; digits that the run did not ask for are skipped. */
static bool choose_next(struct choices *c)
{
	unsigned at = c->used;
	c->used = 0;
	while (at > 0) {
		at--;
		if (++c->way[at] < WAY_COUNT) {
			return true;
		}
		c->way[at] = 0;
	}
	return false;
}

static uint64_t tiny_runs;

/*
 * A machine of 4 granules and `vms` VMs. VM i wants `before[i]` granules at first and `after[i]`
 * from tick 3 on; VM 0 is replaced by a new one in tick `replace`, if that is not 0.
 */
static void tiny(uint32_t vms, const uint32_t *before, const uint32_t *after, uint16_t replace)
{
	struct scenario_vm vm[3];
	struct scenario_step steps[8];
	uint32_t count = 0;
	for (uint32_t i = 0; i < vms; i++) {
		vm[i] = (struct scenario_vm){.min = GRANULE / 2,
					     .boot = 4 * GRANULE / vms,
					     .max = 4 * GRANULE,
					     .weight = 100,
					     .anon = before[i] * GRANULE};
	}
	for (uint32_t i = 0; i < vms; i++) {
		steps[count++] = (struct scenario_step){
			.tick = 3, .what = STEP_DEMAND, .vm = (uint8_t)i, .a = after[i] * GRANULE};
	}
	if (replace != 0) {
		steps[count++] = (struct scenario_step){.tick = replace, .what = STEP_REMOVE};
		steps[count++] = (struct scenario_step){.tick = replace, .what = STEP_ADD};
	}
	const struct scenario s = {.name = "tiny",
				   .pool = 4 * GRANULE,
				   .ticks = 6,
				   .vms = vms,
				   .steps = count,
				   .vm = vm,
				   .step = steps};
	struct choices c = {.used = 0};
	do {
		const struct scenario_options options = {
			.decide = choose, .decide_arg = &c, .sloppy = true};
		const char *what = scenario_play(&run, &s, &options);
		tiny_runs++;
		injected += run.faults;
		if (what != NULL) {
			for (unsigned i = 0; i < c.used; i++) {
				print_error("request %u: %s\n", i + 1, way_names[c.way[i]]);
			}
			fail_msg("%u VMs (%u %u %u -> %u %u %u), tick %u, VM %u: %s (%lld, %lld)",
				 vms, before[0], before[1], before[2], after[0], after[1], after[2],
				 run.failure_tick, run.failure_vm, what, (long long)run.failure_a,
				 (long long)run.failure_b);
		}
	} while (choose_next(&c));
}

static void f49_enumeration_of_tiny_machines(void **state)
{
	(void)state;
	tiny_runs = 0;
	injected = 0;
	for (uint32_t pattern = 0; pattern < 256; pattern++) {
		const uint32_t before[3] = {1 + pattern % 4, 1 + pattern / 4 % 4, 1};
		const uint32_t after[3] = {1 + pattern / 16 % 4, 1 + pattern / 64, 3};
		/* All patterns of two VMs; of three, and of one that is replaced, every sixteenth.
		 */
		tiny(2, before, after, 0);
		if (pattern % 16 == 3) {
			tiny(3, before, after, 0);
			tiny(2, before, after, 4);
		}
	}
	print_message("# enumeration: %llu runs, %llu faults injected\n",
		      (unsigned long long)tiny_runs, (unsigned long long)injected);
	assert_true(tiny_runs >= 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(f49_every_call_every_way),
		cmocka_unit_test(f49_every_pair_in_small_scenarios),
		cmocka_unit_test(f49_enumeration_of_tiny_machines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
