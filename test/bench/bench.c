/* SPDX-License-Identifier: MIT */
/*
 * Counts the instructions of Poise's calls at EL2, on the monitor's start-up code. Under -icount
 * the PMU's event "instruction retired" is exact and repeats; a loop of known length proves it
 * first.
 *
 * A tick's worst case is searched for, not guessed: states that poise_check accepts are made at
 * random and then changed field by field, keeping what costs more. The port is one that answers at
 * once; what a real port does in its four functions comes on top.
 */
#include "board.h"

#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "panic.h"
#include "poise_seq.h"
#include "publish.h"

#define POOL     (UINT64_C(1) << 22)
#define RESTARTS 24u
#define STEPS    1500u

/* --- counting --- */

static void counter_start(void)
{
	const uint64_t event = UINT64_C(1) << 27 | 0x08; /* instructions retired, at EL2 too */
	__asm__ volatile("msr pmselr_el0, xzr\n\tisb\n\tmsr pmxevtyper_el0, %0\n\t"
			 "msr pmcntenset_el0, %1\n\tmsr pmcr_el0, %1\n\tisb"
			 :
			 : "r"(event), "r"(UINT64_C(1)));
}

static inline __attribute__((always_inline)) uint64_t counter(void)
{
	uint64_t value;
	__asm__ volatile("isb\n\tmrs %0, pmevcntr0_el0\n\tisb" : "=r"(value) : : "memory");
	return value;
}

static uint64_t overhead;

/* Instructions between two readings, without what reading costs. */
static inline __attribute__((always_inline)) uint64_t since(uint64_t start)
{
	return counter() - start - overhead;
}

/* Runs exactly 2 * rounds instructions. */
static void known_loop(uint64_t rounds)
{
	__asm__ volatile("1:\tsubs %0, %0, #1\n\tb.ne 1b" : "+r"(rounds) : : "cc");
}

static bool calibrate(void)
{
	uint64_t start = counter();
	overhead = counter() - start;
	start = counter();
	known_loop(1000);
	const uint64_t first = since(start);
	start = counter();
	known_loop(3000);
	return since(start) - first == 4000 && first >= 2000 && first < 2010;
}

/* --- random numbers: splitmix64 with a fixed seed --- */

static uint64_t seed;

static uint64_t any(uint64_t most)
{
	seed += 0x9e3779b97f4a7c15u;
	uint64_t z = seed;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % (most + 1);
}

/* --- a port that answers at once --- */

struct bench {
	struct poise p;
	uint64_t measured[POISE_VM_MAX];
	enum poise_err answer[POISE_VM_MAX];
	uint64_t now_ms;
};

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	const struct bench *b = ctx;
	(void)target_pages;
	(void)epoch;
	return b->answer[vm];
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	const struct bench *b = ctx;
	*pages = b->measured[vm];
	return POISE_OK;
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static void port_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

static const struct poise_port port = {
	.resize = port_resize, .measure = port_measure, .notify = port_notify, .event = port_event};

/* --- the search --- */

/* Gives one VM another state, anything that could have come about. */
static void scatter(struct bench *b, uint32_t vm, uint32_t vm_count)
{
	struct poise_vm *v = &b->p.vm[vm];
	const uint64_t part = POOL / vm_count;
	struct poise_vm_config *c = &v->config;
	c->min_pages = 1 + any(part / 4);
	c->boot_pages = c->min_pages + any(part / 2);
	c->max_pages = c->boot_pages + any(POOL - c->boot_pages);
	c->weight = 1 + (uint32_t)any(any(1) != 0 ? 10 : UINT16_MAX - 1);
	c->flags = any(7) == 0 ? POISE_VM_STATIC : 0;
	v->state = any(3) != 0 ? POISE_VM_MANAGED
			       : (uint32_t)(POISE_VM_UNMANAGED +
					    any(POISE_VM_QUARANTINED - POISE_VM_UNMANAGED));
	v->target_pages = 1 + any(any(1) != 0 ? part : 2 * part);
	v->actual_pages = any(1) != 0 ? v->target_pages : any(2 * part);
	v->goal_pages = c->min_pages + any(c->max_pages - c->min_pages);
	v->epoch = 1 + any(b->p.epoch - 1);
	v->window_ms = b->now_ms - any(5000);
	v->window_pages = any(1) != 0 ? v->actual_pages : any(2 * part);
	v->backoff_end_ms = any(3) == 0 ? b->now_ms + any(5000) : 0;
	v->backoff_exponent = (uint32_t)any(POISE_BACKOFF_EXPONENT_MAX);
	v->unsent = any(7) == 0;
	v->sample_ms = b->now_ms - any(any(1) != 0 ? 1000 : 20000);
	v->notified_state = (uint16_t)any(5);
	v->rule = (uint32_t)any(POISE_RULE_COUNT - 1);
	v->notified_epoch = any(v->epoch);
	v->last.body.floor_pages = any(part);
	struct poise_forecast *f = &v->forecast;
	f->steps = 2;
	f->size_pages = v->target_pages;
	f->delta_q16 = ((int64_t)any(2 * part) - (int64_t)any(part)) * (1 << POISE_FRACTION_BITS);
	f->reclaimable_q16 = ((int64_t)any(part) - (int64_t)any(part)) * (1 << POISE_FRACTION_BITS);
	f->peak_in_use_pages = poise_forecast_in_use(f) + (any(1) != 0 ? any(part) : 0);
	f->refault_pages = any(1) != 0 ? any(part) : 0;
	b->measured[vm] = any(1) != 0 ? v->actual_pages : any(2 * part);
	b->answer[vm] = any(7) == 0 ? POISE_E_BUSY : POISE_OK;
}

/* Makes the books agree with what the VMs have. */
static void balance_books(struct bench *b)
{
	b->p.free_pages = (int64_t)POOL;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		b->p.free_pages -= (int64_t)poise_vm_charge(&b->p.vm[i]);
	}
}

static struct bench best, trial, running;

/* Instructions of one tick from a state; 0 if that is no state, or does not stay one. */
static uint64_t cost_of_tick(const struct bench *b)
{
	if (poise_check(&b->p) != 0) {
		return 0;
	}
	memcpy(&running, b, sizeof(running));
	running.p.ctx = &running;
	const uint64_t start = counter();
	const enum poise_err err = poise_tick(&running.p, running.now_ms);
	const uint64_t cost = since(start);
	if (err != POISE_OK || poise_check(&running.p) != 0) {
		board_panic("a tick from a good state leaves a bad one");
	}
	return cost;
}

static bool start_over(struct bench *b, uint32_t vm_count, uint32_t policy)
{
	const struct poise_config config = {.pool_pages = POOL, .policy = policy};
	if (poise_init(&b->p, sizeof(b->p), &config, &port, b) != POISE_OK) {
		return false;
	}
	b->now_ms = 1000000;
	b->p.now_ms = b->now_ms - 1000;
	b->p.ticked_ms = b->p.now_ms;
	b->p.epoch = 1000;
	for (uint32_t i = 0; i < vm_count; i++) {
		scatter(b, i, vm_count);
	}
	balance_books(b);
	return true;
}

static uint64_t worst_tick(uint32_t vm_count)
{
	uint64_t worst = 0;
	for (unsigned restart = 0; restart < RESTARTS; restart++) {
		/* Most restarts for the policy that does most. */
		const uint32_t policy = restart == 0 ? POISE_POLICY_PAPER : POISE_POLICY_POISE;
		if (!start_over(&best, vm_count, policy)) {
			board_panic("poise_init");
		}
		uint64_t most = cost_of_tick(&best);
		for (unsigned step = 0; step < STEPS; step++) {
			memcpy(&trial, &best, sizeof(trial));
			for (uint64_t n = 1 + any(2); n > 0; n--) {
				scatter(&trial, (uint32_t)any(vm_count - 1), vm_count);
			}
			balance_books(&trial);
			const uint64_t cost = cost_of_tick(&trial);
			if (cost >= most) {
				most = cost;
				memcpy(&best, &trial, sizeof(best));
			}
		}
		worst = most > worst ? most : worst;
	}
	if (worst == 0) {
		board_panic("the search has found no state that poise_check accepts");
	}
	return worst;
}

/* --- pages --- */

static struct poise_guest_page page __attribute__((aligned(POISE_ABI_PAGE_BYTES)));
static struct poise_host_page host __attribute__((aligned(POISE_ABI_PAGE_BYTES)));

/* A copy that is thrown away because the writer was at work meanwhile. */
static __attribute__((noinline)) uint64_t cost_of_torn_look(void)
{
	uintptr_t cells[POISE_SEQ_CELLS(sizeof(struct poise_guest_update))];
	const uint64_t start = counter();
	const int taken = poise_seq_try((const poise_seq_word32 *)&page.head.seq, cells,
					(const poise_seq_cell *)&page.update,
					POISE_SEQ_CELLS(sizeof(struct poise_guest_update)));
	const uint64_t cost = since(start);
	__asm__ volatile("" : : "r"(cells), "r"(taken) : "memory");
	return cost;
}

static void pages(void)
{
	struct gd gd;
	struct poise_sample sample;
	struct poise_abi_guest body = {.free_pages = 1000, .active_anon_pages = 5000};
	uint64_t publish = 0;
	uint64_t read = 0;
	if (gd_init(&gd, &page, &host, 1, 65536, POISE_GF_KNOWN) != 0) {
		board_panic("gd_init");
	}
	for (unsigned i = 0; i < 1000; i++) {
		body.free_pages = any(10000);
		uint64_t start = counter();
		gd_publish(&gd, &body);
		uint64_t cost = since(start);
		publish = cost > publish ? cost : publish;
		gd.features = (uint32_t)any(POISE_GF_KNOWN);
		start = counter();
		const enum poise_err err = poise_page_read(&page, 65536, &sample);
		cost = since(start);
		if (err != POISE_OK) {
			board_panic("poise_page_read");
		}
		read = cost > read ? cost : read;
	}
	/* The longest read: all looks but the last are torn. */
	printf("bench page_read %lu\n", read + (POISE_SEQ_TRIES - 1) * cost_of_torn_look());
	printf("bench publish %lu\n", publish);

	struct poise_host_writer writer = {0};
	const struct poise_notice notice = {.target_pages = 1, .state = POISE_HOST_STATE_MANAGED};
	const uint64_t start = counter();
	poise_host_page_write(&host, &writer, &notice);
	printf("bench host_page_write %lu\n", since(start));
}

int board_main(void)
{
	counter_start();
	if (!calibrate()) {
		printf("bench: instructions are not counted exactly here (QEMU without "
		       "-icount?)\n");
		return 1;
	}
	/* Up to 16 VMs the default table; above, the smallest that holds them. */
	for (uint32_t n = POISE_VM_MAX <= 16 ? 1 : POISE_VM_MAX; n <= POISE_VM_MAX; n *= 2) {
		seed = n;
		printf("bench tick.%u %lu\n", (unsigned)n, worst_tick(n));
	}
	if (POISE_VM_MAX == 16) {
		pages();
	}
	printf("bench: end\n");
	return 0;
}
