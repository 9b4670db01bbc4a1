/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: a port that records its calls and answers as it is told, a model of
 * the VMs behind it whose real size is known, valid guest pages and samples, and random numbers
 * that are the same in every run. Includes cmocka, so that a test needs this header and its own
 * only.
 */
#ifndef TEST_UNIT_SUPPORT_H
#define TEST_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "poise.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* --- random numbers --- */

/* Returns the next number of a fixed sequence; `state` is the seed, any value. */
uint64_t random_next(uint64_t *state);
/* Returns a number in 0..most, small ones and borders more often than chance would have them. */
uint64_t random_upto(uint64_t *state, uint64_t most);

/* --- pages and samples --- */

/* Makes a valid update of a VM with `total_pages`: sample 1, half of the memory free. */
struct poise_guest_update support_update(uint64_t total_pages);
/* Computes the checksum over as much of the body as `length` and version 1 cover. */
void support_seal(struct poise_guest_update *update);
/* Puts an update into a page as it is, sequence even. */
void support_page(struct poise_guest_page *page, const struct poise_guest_update *update);
/* Makes the sample that poise_page_read would make of it. */
struct poise_sample support_sample(const struct poise_guest_update *update);

/* --- the port --- */

/* How a call of `resize` or `measure` goes. */
enum fake_answer {
	FAKE_OK,    /* resize: the VM moves, then one ack; measure: the truth */
	FAKE_ERROR, /* resize, measure: POISE_E_PORT */
	/* resize: half of the way, then an ack; measure: half as much as is true is an untruth that
	 * no port may tell, so this is POISE_E_BUSY */
	FAKE_SHORT,
	FAKE_LATE,      /* resize: the VM moves, the ack comes FAKE_LATE_STEPS later */
	FAKE_DUPLICATE, /* resize: the ack comes twice; measure: the truth */
	FAKE_NEVER,     /* resize: the VM does not move, no ack; measure: POISE_E_GONE */
	FAKE_ANSWER_COUNT
};
#define FAKE_LATE_STEPS 3

enum fake_call { FAKE_RESIZE, FAKE_MEASURE, FAKE_NOTIFY, FAKE_EVENT, FAKE_CALL_COUNT };

struct fake_vm {
	uint64_t real_pages;        /* what it has: the truth that `measure` tells */
	uint64_t goal_pages;        /* where it moves to */
	uint64_t epoch;             /* of the request it works on */
	uint32_t acks;              /* still to be sent for it */
	uint32_t delay;             /* steps before the next ack */
	struct poise_notice notice; /* last one told */
};

struct fake_record {
	uint32_t vm, code, rule; /* code: enum poise_event_code */
	enum poise_err err;
	uint64_t a, b, c, d;
};

#define FAKE_RECORDS 512

struct fake {
	struct poise p; /* under test */
	uint64_t now_ms;
	uint64_t speed_pages; /* most that a VM moves in one step; 0: all at once */
	struct fake_vm vm[POISE_VM_MAX];

	/* The answer to the next calls, unless the call is number `fault_at` of its kind, from 1.
	 */
	enum fake_answer answer[FAKE_CALL_COUNT];
	uint64_t fault_at[FAKE_CALL_COUNT];
	enum fake_answer fault[FAKE_CALL_COUNT];

	/* What happened. */
	uint64_t calls[FAKE_CALL_COUNT];
	uint64_t last_target[POISE_VM_MAX];
	/* Since fake_start or fake_forget; only the first FAKE_RECORDS are kept. */
	uint32_t records;
	struct fake_record record[FAKE_RECORDS];
};

extern const struct poise_port fake_port;

/* Makes an empty pool with default configuration but for what `config` says. Asserts success. */
void fake_start(struct fake *f, const struct poise_config *config);
/* The same with a pool size only. */
void fake_start_pool(struct fake *f, uint64_t pool_pages);
/* Adds a VM that has its boot size already. Asserts success. */
void fake_add(struct fake *f, uint32_t vm, uint64_t min_pages, uint64_t boot_pages,
	      uint64_t max_pages);
/* Reports samples until the VM is MANAGED, each one interval apart, with ticks in between. */
void fake_manage(struct fake *f, uint32_t vm, struct poise_guest_update *update);
/* The next sample of a VM: numbered on, sealed, reported. Returns what poise_report says. */
enum poise_err fake_report(struct fake *f, uint32_t vm, struct poise_guest_update *update);
/* Lets the VMs move and acknowledge as they have been told to. Checks after each ack. */
void fake_step(struct fake *f);
/* One interval: time goes on, the VMs move, the core ticks. Checks. */
void fake_tick(struct fake *f);
/* Forgets records and counts. */
void fake_forget(struct fake *f);
/* Returns the n-th record (from 0) of a kind, or NULL. `vm`: UINT32_MAX for any. */
const struct fake_record *fake_find(const struct fake *f, uint32_t code, uint32_t vm, uint32_t n);
/*
 * Asserts every invariant: poise_check, and from outside: what all VMs really have, and what they
 * are charged and is free, never exceeds the pool (unless it is in debt), and no VM has more than
 * it is charged.
 */
void fake_check(const struct fake *f);

#endif
