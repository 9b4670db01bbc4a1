/* SPDX-License-Identifier: MIT */
#include "api_model.h"

#include "poise_seq.h"

/* --- the calls --- */

static void call_add(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t actual = api_pages(a);
	const bool none = api_pick(a, 64) == 0;
	const struct poise_vm_config config = api_some_config(a);
	struct poise_vm_config complete = config;
	enum poise_err expected = POISE_E_ARG;
	if (vm < POISE_VM_MAX && !none && actual <= POISE_PAGES_MAX) {
		expected = a->vm[vm].state != POISE_VM_EMPTY ? POISE_E_DUP
							     : api_expect_config(a, vm, &complete);
	}
	if (expected == POISE_OK) {
		a->vm[vm] = (struct api_vm){
			.config = complete, .known_pages = actual, .target_pages = actual};
		api_forget(&a->vm[vm]);
	}
	api_returned(a, expected, poise_vm_add(&a->p, vm, none ? NULL : &config, actual),
		     "poise_vm_add");
}

static void call_set(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const bool none = api_pick(a, 64) == 0;
	const struct poise_vm_config config = api_some_config(a);
	struct poise_vm_config complete = config;
	enum poise_err expected = api_expect_vm(a, vm);
	if (expected == POISE_OK) {
		expected = none ? POISE_E_ARG : api_expect_config(a, vm, &complete);
	}
	if (expected == POISE_OK) {
		struct api_vm *v = &a->vm[vm];
		const bool anew = ((v->config.flags ^ complete.flags) & POISE_VM_FREEZE) != 0 ||
				  v->config.basis != complete.basis;
		v->config = complete;
		if (anew) {
			api_forget(v);
		}
	}
	api_returned(a, expected, poise_vm_set(&a->p, vm, none ? NULL : &config), "poise_vm_set");
}

static void call_remove(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const enum poise_err expected = api_expect_vm(a, vm);
	if (expected == POISE_OK) {
		a->vm[vm] = (struct api_vm){.state = POISE_VM_EMPTY};
	}
	api_returned(a, expected, poise_vm_remove(&a->p, vm), "poise_vm_remove");
}

static void call_restart(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t actual = api_pages(a);
	enum poise_err expected = api_expect_vm(a, vm);
	if (expected == POISE_OK && actual > POISE_PAGES_MAX) {
		expected = POISE_E_ARG;
	}
	if (expected == POISE_OK) {
		api_forget(&a->vm[vm]);
		a->vm[vm].known_pages = actual;
	}
	api_returned(a, expected, poise_vm_restart(&a->p, vm, actual), "poise_vm_restart");
	if (expected == POISE_OK && api_charge(&a->vm[vm]) < a->vm[vm].config.boot_pages) {
		api_fail(a, "a VM that was restarted is charged for less than its boot size");
	}
}

static void call_pool(struct api *a)
{
	const uint64_t size = api_pick(a, 4) == 0 ? api_pages(a) : POOL / 2 + api_pick(a, POOL);
	uint64_t reserved = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		reserved += a->vm[i].config.min_pages;
	}
	const enum poise_err expected = size == 0 || size > POISE_PAGES_MAX ? POISE_E_ARG
					: reserved > size                   ? POISE_E_INFEASIBLE
									    : POISE_OK;
	if (expected == POISE_OK) {
		a->pool_pages = size;
	}
	api_returned(a, expected, poise_pool_set(&a->p, size), "poise_pool_set");
}

static void call_report(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t now_ms = api_some_time(a);
	const bool none = api_pick(a, 64) == 0;
	enum poise_err expected = api_expect_vm(a, vm);
	struct poise_sample s = {0};
	if (expected == POISE_OK) {
		s = api_some_sample(a, &a->vm[vm]);
		expected = none ? POISE_E_ARG : expected;
	}
	const bool reached = expected == POISE_OK;
	if (reached) {
		api_clock_to(a, now_ms);
	}
	const enum poise_err err = poise_report(&a->p, vm, now_ms, none ? NULL : &s);
	if (reached) {
		expected = api_expect_report(a, &a->vm[vm], &s);
	}
	api_returned(a, expected, err, "poise_report");
}

static void call_report_error(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t now_ms = api_some_time(a);
	const int reason =
		api_pick(a, 8) == 0 ? (int)api_pick(a, 100) - 70 : -20 - (int)api_pick(a, 11);
	enum poise_err expected = api_expect_vm(a, vm);
	if (expected == POISE_OK && (reason > -20 || reason < -31)) {
		expected = POISE_E_ARG;
	}
	if (expected == POISE_OK) {
		api_clock_to(a, now_ms);
		a->errors[-reason]++;
		if (reason == POISE_E_UNMAPPED) {
			api_forget(&a->vm[vm]);
		} else {
			api_bad(&a->vm[vm]);
		}
	}
	api_returned(a, expected, poise_report_error(&a->p, vm, now_ms, (enum poise_err)reason),
		     "poise_report_error");
}

/* Polls a page that holds a sample, with a bit or a word wrong here and there. */
static void call_poll(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t now_ms = api_some_time(a);
	enum poise_err expected = api_expect_vm(a, vm);
	struct poise_sample s;
	bool reached = expected == POISE_OK;
	if (reached) {
		struct api_vm *v = &a->vm[vm];
		s = api_some_sample(a, v);
		__builtin_memcpy(&a->page.update, &s, sizeof(s));
		if (api_pick(a, 8) == 0) {
			uint64_t *words = (uint64_t *)(void *)&a->page.update;
			words[api_pick(a, sizeof(s) / 8)] ^= a->next(a->next_arg);
		}
		a->page.head.seq = api_pick(a, 16) == 0;
		a->page.update.checksum =
			poise_seq_checksum(&a->page.update, sizeof(a->page.update));
		a->page.update.checksum ^= api_pick(a, 16) == 0;
		const uint64_t limit = v->boot_id != 0 && v->total_pages > v->config.max_pages
					       ? v->total_pages
					       : v->config.max_pages;
		expected = poise_page_read(&a->page, limit, &s);
		api_clock_to(a, now_ms);
		if (expected != POISE_OK) {
			a->errors[-(int)expected]++;
			api_bad(v);
			reached = false;
		}
	}
	const bool found = vm < POISE_VM_MAX && a->vm[vm].state != POISE_VM_EMPTY;
	const enum poise_err err = poise_poll(&a->p, vm, now_ms, &a->page);
	if (reached) {
		expected = api_expect_report(a, &a->vm[vm], &s);
		api_returned(a, expected, err, "poise_poll");
	} else if (found) {
		if (err != expected) {
			api_fail(a, "poise_poll of a bad page");
		}
	} else {
		api_returned(a, expected, err, "poise_poll of no VM");
	}
}

/* Ageing, as a tick does it to every VM. */
static void age(struct api *a)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct api_vm *v = &a->vm[i];
		const uint64_t missed = (a->now_ms - v->fresh_ms) / INTERVAL_MS;
		if (v->state == POISE_VM_MANAGED || v->state == POISE_VM_STALE) {
			v->state = missed >= 10  ? POISE_VM_FROZEN
				   : missed >= 3 ? POISE_VM_STALE
						 : v->state;
		}
	}
}

static void call_urgent(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t now_ms = api_some_time(a);
	enum poise_err expected = api_expect_vm(a, vm);
	if (expected != POISE_OK) {
		api_returned(a, expected, poise_urgent(&a->p, vm, now_ms), "poise_urgent");
		return;
	}
	struct api_vm *v = &a->vm[vm];
	api_clock_to(a, now_ms);
	const bool managed = v->state == POISE_VM_MANAGED;
	const uint64_t since_ms = a->now_ms - v->early_ms;
	a->ticking = 1;
	const enum poise_err err = poise_urgent(&a->p, vm, now_ms);
	a->ticking = 0;
	/* How long a needless one has to wait is between the gap and a second. */
	if ((err != POISE_OK && err != (managed ? POISE_E_BUSY : POISE_E_STATE)) ||
	    (err == POISE_OK && !managed) || (err == POISE_OK && v->early && since_ms < 100) ||
	    (managed && err != POISE_OK && (!v->early || since_ms >= 1000))) {
		api_fail(a, "poise_urgent");
	}
	if (err == POISE_OK) {
		v->early = true;
		v->early_ms = a->now_ms;
		age(a);
	} else {
		a->errors[-(int)err]++;
	}
}

static void call_tick(struct api *a)
{
	const uint64_t now_ms = api_some_time(a);
	api_clock_to(a, now_ms);
	a->ticking = 1;
	api_returned(a, POISE_OK, poise_tick(&a->p, now_ms), "poise_tick");
	a->ticking = 0;
	age(a);
}

static void call_ack(struct api *a)
{
	const uint32_t vm = api_slot(a);
	const uint64_t now_ms = api_some_time(a);
	uint64_t size = api_pages(a);
	uint64_t epoch = api_pick(a, a->requests + 2);
	enum poise_err expected = api_expect_vm(a, vm);
	if (expected == POISE_OK) {
		struct api_vm *v = &a->vm[vm];
		epoch = api_pick(a, 4) != 0 ? v->epoch : epoch;
		size = api_pick(a, 2) != 0 ? v->target_pages : size;
		expected = size > POISE_PAGES_MAX            ? POISE_E_ARG
			   : epoch != v->epoch || epoch == 0 ? POISE_E_LOST
							     : POISE_OK;
		if (expected != POISE_E_ARG) {
			api_clock_to(a, now_ms);
		}
		if (expected == POISE_OK) {
			v->known_pages = size;
		}
	}
	api_returned(a, expected, poise_ack(&a->p, vm, epoch, size, now_ms), "poise_ack");
}

/* --- comparison --- */

static void compare(struct api *a)
{
	int64_t free_pages = (int64_t)a->pool_pages;
	if (poise_check(&a->p) != 0) {
		api_fail(a, "poise_check");
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct api_vm *v = &a->vm[i];
		const struct poise_vm *c = &a->p.vm[i];
		free_pages -= (int64_t)api_charge(v);
		if (v->state != c->state) {
			api_fail(a, "a VM's state");
		}
		if (v->known_pages != c->actual_pages || v->target_pages != c->target_pages ||
		    v->epoch != c->epoch || v->refused != (c->unsent != 0)) {
			api_fail(a, "a VM's books");
		}
		if (v->state != POISE_VM_EMPTY &&
		    (v->bad_run != c->bad_run || v->good_run != c->good_run ||
		     v->boot_id != c->last.boot_id || v->steps != c->forecast.steps)) {
			api_fail(a, "a VM's history");
		}
	}
	if (free_pages != a->p.free_pages) {
		api_fail(a, "free memory");
	}
	if (a->now_ms != a->p.now_ms) {
		api_fail(a, "the clock");
	}
	for (uint32_t i = 0; i < POISE_ERR_COUNT; i++) {
		/* Giving up on a balloon counts as LOST, too; what happens in poise_poll's urgent
		 * part is not predicted. */
		if (i != -POISE_E_LOST && a->errors[i] != a->p.errors[i]) {
			api_fail(a, "an error counter");
		}
	}
}

const char *api_start(struct api *a, uint64_t (*next)(void *arg), void *arg)
{
	static const struct poise_config config = {.pool_pages = POOL};
	__builtin_memset(a, 0, sizeof(*a));
	a->next = next;
	a->next_arg = arg;
	a->pool_pages = POOL;
	if (poise_init(&a->p, sizeof(a->p), &config, &api_port, a) != POISE_OK) {
		api_fail(a, "poise_init");
	}
	compare(a);
	return a->failure;
}

const char *api_restart(struct api *a)
{
	static unsigned char blob[POISE_EXPORT_BYTES];
	const struct poise_config config = a->p.config;
	size_t bytes = 0;
	if (poise_export(&a->p, blob, sizeof(blob), &bytes) != POISE_OK) {
		api_fail(a, "poise_export");
	}
	__builtin_memset(&a->p, 0x5a, sizeof(a->p));
	if (poise_init(&a->p, sizeof(a->p), &config, &api_port, a) != POISE_OK ||
	    poise_import(&a->p, blob, bytes) != POISE_OK) {
		api_fail(a, "poise_import");
	}
	compare(a);
	return a->failure;
}

const char *api_step(struct api *a)
{
	static void (*const calls[])(struct api *) = {
		call_add,    call_add,    call_set,          call_remove, call_restart, call_pool,
		call_report, call_report, call_report,       call_poll,   call_poll,    call_report,
		call_report, call_poll,   call_report_error, call_urgent, call_urgent,  call_tick,
		call_tick,   call_tick,   call_tick,         call_ack,    call_ack,     call_ack,
	};
	calls[api_pick(a, sizeof(calls) / sizeof(calls[0]))](a);
	compare(a);
	return a->failure;
}
