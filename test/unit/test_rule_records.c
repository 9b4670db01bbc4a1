/* SPDX-License-Identifier: MIT */
/*
 * Every rule of the list is the rule of a record in some situation, and has words: whoever asks why
 * a VM has the size that it has is told what bound it.
 */
#include "plan_support.h"
#include "poise_names.h"

/* The rules that records of each VM have named, as POISE_RULE_BIT()s. */
static uint32_t recorded[POISE_VM_MAX];

static void note_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	if (event->code == POISE_EVENT_PLAN || event->code == POISE_EVENT_RESIZE) {
		recorded[event->vm] |= POISE_RULE_BIT(event->rule);
	}
}

/* What happens after the VMs have been put in their places. */
enum happens { TICK, CALL, ANSWER };

#define NOTHING_KNOWN .state = POISE_VM_UNMANAGED
#define NO_RESERVE    OFF(RESERVE)

/* The first VM is the one whose record names `rule`. */
static const struct situation {
	uint32_t rule;
	struct poise_config config;
	struct plan_vm vm[2];
	enum happens happens;
} situations[] = {
	/* R is 100 and delta 300, with and without rule SHORTFALL. */
	{POISE_RULE_EQUATION,
	 {.pool_pages = 9000, .rules_off = OFF(SHORTFALL)},
	 {VM(1000, 300, 100)},
	 TICK},
	{POISE_RULE_SHORTFALL, {.pool_pages = 9000}, {VM(1000, 300, 100)}, TICK},
	{POISE_RULE_PRESSURE, {.pool_pages = 9000}, {VM(1000, 0, 0, .refault_pages = 300)}, TICK},
	{POISE_RULE_URGENT, {.pool_pages = 9000}, {VM(1000, 0, 0)}, CALL},
	/* It has all memory, and half of it idle. */
	{POISE_RULE_RESERVE, {.pool_pages = 9000}, {VM(9000, 0, 4500)}, TICK},
	/* The second one lacks as much as the first may give. */
	{POISE_RULE_FLOOR,
	 {.pool_pages = 2000, .rules_off = NO_RESERVE},
	 {VM(1000, 0, 500, .floor_pages = 900), VM(1000, 100, 0)},
	 TICK},
	{POISE_RULE_IDLE_TAX,
	 {.pool_pages = 2000, .rules_off = NO_RESERVE},
	 {VM(1000, 0, 400), VM(1000, 300, 0)},
	 TICK},
	{POISE_RULE_DEAD_BAND, {.pool_pages = 9000}, {VM(1000, 10, 0)}, TICK},
	{POISE_RULE_SLEW,
	 {.pool_pages = 2000, .slew_permille = 100, .rules_off = NO_RESERVE},
	 {VM(1000, 0, 800), VM(1000, 100, 0)},
	 TICK},
	/* The second one needs 1,400 of 2,000 pages; the first can do without headroom. */
	{POISE_RULE_TIGHT, {.pool_pages = 2000}, {VM(1000, 0, 100), VM(1000, 500, 0)}, TICK},
	{POISE_RULE_FAIR,
	 {.pool_pages = 2000},
	 {VM(1000, 500, 0, .last_direction = 1), VM(1000, 0, 100)},
	 TICK},
	{POISE_RULE_CLAIM,
	 {.pool_pages = 2000},
	 {VM(1000, 0, 0, .refault_pages = 800), VM(1000, 500, 0)},
	 TICK},
	/* Of what it wants and is not entitled to it loses a 64th. */
	{POISE_RULE_GENTLE,
	 {.pool_pages = 2400, .rules_off = OFF(DEAD_BAND)},
	 {VM(1320, 180, 0), VM(1080, 400, 0)},
	 TICK},
	{POISE_RULE_BACK_OFF,
	 {.pool_pages = 9000},
	 {VM(1000, 300, 0, .backoff_end_ms = 2 * PLAN_NOW_MS)},
	 TICK},
	{POISE_RULE_STALE,
	 {.pool_pages = 9000},
	 {VM(1000, 0, 0, .boot_pages = 1700, .state = POISE_VM_STALE)},
	 TICK},
	{POISE_RULE_STATIC,
	 {.pool_pages = 9000},
	 {VM(1000, 0, 0, .boot_pages = 1700, NOTHING_KNOWN)},
	 TICK},
	{POISE_RULE_FROZEN, {.pool_pages = 9000}, {VM(1000, 0, 0, .state = POISE_VM_FROZEN)}, TICK},
	{POISE_RULE_BOUNDS, {.pool_pages = 9000}, {VM(1000, 300, 0, .max_pages = 1100)}, TICK},
	/* The second one lacks less than the first can spare. */
	{POISE_RULE_DONOR,
	 {.pool_pages = 2000, .rules_off = NO_RESERVE},
	 {VM(1000, 0, 500), VM(1000, 100, 0)},
	 TICK},
	{POISE_RULE_COVERED,
	 {.pool_pages = 1500, .policy = POISE_POLICY_STATIC},
	 {VM(1000, 0, 0, .boot_pages = 2000, NOTHING_KNOWN)},
	 TICK},
	/* 100 pages are free, the others the second one has still to give. */
	{POISE_RULE_HELD,
	 {.pool_pages = 2100, .rules_off = NO_RESERVE},
	 {VM(1000, 300, 0), VM(1000, 0, 500)},
	 TICK},
	{POISE_RULE_REPEATED, {.pool_pages = 9000}, {VM(1000, 300, 0, .unsent = 1)}, TICK},
	/* It was asked to shrink long ago. */
	{POISE_RULE_PARKED, {.pool_pages = 9000}, {VM(500, 0, 0, .actual_pages = 1000)}, TICK},
	/* Asked for 500 pages, it gives more than that. */
	{POISE_RULE_OVERSHOT, {.pool_pages = 9000}, {VM(500, 0, 0, .actual_pages = 1000)}, ANSWER},
};

static void play(struct poise *p, const struct situation *s)
{
	static const struct poise_port port = {.resize = plan_port_resize,
					       .measure = plan_port_measure,
					       .notify = plan_port_notify,
					       .event = note_event};
	plan_start(p, &s->config);
	p->port = &port;
	for (uint32_t i = 0; i < 2 && i < POISE_VM_MAX; i++) {
		if (s->vm[i].size_pages != 0) {
			plan_put(p, i, &s->vm[i]);
			p->vm[i].rule = POISE_RULE_COUNT;
			p->vm[i].window_pages = p->vm[i].actual_pages;
			p->vm[i].epoch = 1;
			p->epoch = 1;
			p->vm[i].sample_ms =
				PLAN_NOW_MS - (s->vm[i].state == POISE_VM_STALE ? 3000 : 0);
		}
	}
	recorded[0] = 0;
	enum poise_err err = POISE_OK;
	if (s->happens == TICK) {
		err = poise_tick(p, PLAN_NOW_MS + 1000);
	} else if (s->happens == CALL) {
		err = poise_urgent(p, 0, PLAN_NOW_MS);
	} else {
		err = poise_ack(p, 0, 1, 400, PLAN_NOW_MS);
	}
	assert_int_equal(err, POISE_OK);
	assert_int_equal(poise_check(p), 0);
}

static void every_rule_is_the_rule_of_a_record(void **state)
{
	static struct poise p;
	(void)state;
	for (uint32_t rule = POISE_RULE_NONE + 1; rule < POISE_RULE_COUNT; rule++) {
		bool found = false;
		for (size_t i = 0; i < ARRAY_SIZE(situations); i++) {
			if (situations[i].rule == rule) {
				play(&p, &situations[i]);
				found = (recorded[0] & POISE_RULE_BIT(rule)) != 0;
				break;
			}
		}
		if (!found) {
			print_error("%s: the records name %#x\n", poise_rule_name(rule),
				    (unsigned)recorded[0]);
		}
		assert_true(found);
	}
}

/* Held by a rule, a VM says so once, not with every plan. */
static void what_holds_a_vm_is_recorded_when_it_begins(void **state)
{
	static struct poise p;
	static const struct situation frozen = {POISE_RULE_FROZEN,
						{.pool_pages = 9000},
						{VM(1000, 0, 0, .state = POISE_VM_FROZEN)},
						TICK};
	(void)state;
	play(&p, &frozen);
	assert_int_equal(recorded[0], POISE_RULE_BIT(POISE_RULE_FROZEN));
	recorded[0] = 0;
	assert_int_equal(poise_tick(&p, PLAN_NOW_MS + 2000), POISE_OK);
	assert_int_equal(recorded[0], 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_is_the_rule_of_a_record),
		cmocka_unit_test(what_holds_a_vm_is_recorded_when_it_begins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
