/* SPDX-License-Identifier: MIT */
#include "api.h"

#include "poise_seq.h"

#define INTERVAL_MS 1000u
#define POOL        20000u

static uint64_t pick(struct api *a, uint64_t below)
{
	return a->next(a->next_arg) % below;
}

static void fail(struct api *a, const char *what)
{
	if (a->failure == NULL) {
		a->failure = what;
	}
}

/* A page count: mostly one that makes sense, now and then one at the borders. */
static uint64_t pages(struct api *a)
{
	static const uint64_t odd[] = {
		0, 1, POISE_PAGES_MAX, POISE_PAGES_MAX + 1, UINT64_MAX, UINT64_C(1) << 63};
	return pick(a, 16) == 0 ? odd[pick(a, sizeof(odd) / sizeof(odd[0]))]
				: pick(a, a->pool_pages + a->pool_pages / 8);
}

static uint32_t slot(struct api *a)
{
	static const uint32_t odd[] = {POISE_VM_MAX, UINT32_MAX, UINT32_MAX - 1, 1u << 31};
	return pick(a, 32) == 0 ? odd[pick(a, 4)]
				: (uint32_t)pick(a, POISE_VM_MAX < 4 ? POISE_VM_MAX : 4);
}

static uint64_t charge(const struct api_vm *v)
{
	return v->known_pages > v->target_pages ? v->known_pages : v->target_pages;
}

/* --- the port --- */

static enum poise_err api_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct api *a = ctx;
	struct api_vm *v = &a->vm[vm];
	if (epoch != ++a->requests) {
		fail(a, "an epoch was used twice or left out");
	}
	if (target_pages == 0 || target_pages > POISE_PAGES_MAX) {
		fail(a, "a target out of range");
	}
	/* A request in force may have been carried out unseen. */
	if (!v->refused) {
		v->known_pages = charge(v);
	}
	v->target_pages = target_pages;
	v->epoch = epoch;
	v->refused = pick(a, 8) == 0;
	if (v->refused) {
		a->errors[-POISE_E_PORT]++;
		return POISE_E_PORT;
	}
	return POISE_OK;
}

static enum poise_err api_measure(void *ctx, uint32_t vm, uint64_t *out)
{
	static const enum poise_err errors[] = {POISE_E_PORT, POISE_E_GONE, POISE_E_BUSY,
						(enum poise_err)7};
	struct api *a = ctx;
	struct api_vm *v = &a->vm[vm];
	const uint64_t how = pick(a, 8);
	if (a->ticking == 0) {
		fail(a, "measured outside of a tick");
	}
	*out = pick(a, 4) == 0 ? pages(a) : v->target_pages;
	if (how == 0 || *out > POISE_PAGES_MAX) {
		a->errors[-POISE_E_PORT]++;
		return how == 0 ? errors[pick(a, 4)] : POISE_OK;
	}
	if (!v->refused || *out > v->known_pages) {
		v->known_pages = *out;
	}
	return POISE_OK;
}

static void api_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct api *a = ctx;
	if (notice->target_pages != a->vm[vm].target_pages || notice->epoch != a->vm[vm].epoch ||
	    notice->interval_ms != INTERVAL_MS) {
		fail(a, "a guest is told something else than the port");
	}
}

static void api_event(void *ctx, const struct poise_event *event)
{
	struct api *a = ctx;
	if (event->code >= POISE_EVENT_COUNT || event->vm >= POISE_VM_MAX ||
	    event->rule >= POISE_RULE_COUNT) {
		fail(a, "an event out of range");
	}
}

static const struct poise_port port = {
	.resize = api_resize,
	.measure = api_measure,
	.notify = api_notify,
	.event = api_event,
};

/* --- what a call should return and do --- */

static enum poise_err expect_vm(const struct api *a, uint32_t vm)
{
	return vm >= POISE_VM_MAX                  ? POISE_E_ARG
	       : a->vm[vm].state == POISE_VM_EMPTY ? POISE_E_NOT_FOUND
						   : POISE_OK;
}

/* A call has returned. */
static void returned(struct api *a, enum poise_err expected, enum poise_err err, const char *what)
{
	if (err != expected) {
		fail(a, what);
	}
	if (expected != POISE_OK) {
		a->errors[-(int)expected]++;
	}
}

static void clock_to(struct api *a, uint64_t now_ms)
{
	a->now_ms = now_ms > a->now_ms ? now_ms : a->now_ms;
}

static uint64_t some_time(struct api *a)
{
	static const uint32_t gaps[] = {0, 1, 50, 499, 500, 1000, 1000, 1000, 3000, 11000};
	const uint64_t gap = gaps[pick(a, sizeof(gaps) / sizeof(gaps[0]))];
	/* Now and then a clock that goes back: no time has passed then. */
	return pick(a, 32) == 0 ? a->now_ms / 2 : a->now_ms + gap;
}

/* The guest is new: it has to report twice. */
static void forget(struct api_vm *v)
{
	v->boot_id = 0;
	v->steps = 0;
	v->bad_run = 0;
	v->good_run = 0;
	v->state = (v->config.flags & POISE_VM_FREEZE) != 0 ? POISE_VM_FROZEN : POISE_VM_UNMANAGED;
}

static void bad(struct api_vm *v)
{
	v->good_run = 0;
	v->bad_run += v->bad_run < POISE_BAD_RUN;
	if (v->bad_run == POISE_BAD_RUN && (v->config.flags & POISE_VM_FREEZE) == 0) {
		v->state = POISE_VM_QUARANTINED;
		v->steps = 0;
	}
}

static void take(struct api *a, struct api_vm *v)
{
	/* A step of the average takes half an interval at least. */
	if (v->steps == 0 || (a->now_ms - v->stepped_ms) * 2 >= INTERVAL_MS) {
		v->steps += v->steps < 2;
		v->stepped_ms = a->now_ms;
	}
	v->fresh_ms = a->now_ms;
	if (v->steps == 2) {
		v->bad_run = 0;
	}
	if (v->state == POISE_VM_QUARANTINED) {
		v->good_run++;
		if (v->good_run == POISE_GOOD_RUN) {
			v->good_run = 0;
			v->state = POISE_VM_UNMANAGED;
		}
	} else if ((v->config.flags & POISE_VM_FREEZE) == 0) {
		v->state = v->steps == 2 ? POISE_VM_MANAGED : POISE_VM_UNMANAGED;
	}
}

/* Whether a sample is taken; `known`: the VM as it was before the call. */
static enum poise_err expect_report(struct api *a, struct api_vm *v, const struct poise_sample *s)
{
	if (v->boot_id != 0 && v->boot_id != s->boot_id) {
		forget(v); /* the core asks for the boot size, which the port has seen */
	}
	if (v->boot_id != 0 && s->body.total_pages != v->total_pages) {
		bad(v);
		return POISE_E_TOTAL;
	}
	if (v->boot_id != 0 && s->body.sample == v->sample) {
		return POISE_E_STALE;
	}
	if (v->boot_id != 0 && s->body.sample < v->sample) {
		const uint32_t run = v->bad_run;
		forget(v);
		v->bad_run = run;
		bad(v);
		return POISE_E_REPLAY;
	}
	v->boot_id = s->boot_id;
	v->sample = s->body.sample;
	v->total_pages = s->body.total_pages;
	take(a, v);
	return POISE_OK;
}

/* A sample as poise_page_read makes them. */
static struct poise_sample some_sample(struct api *a, const struct api_vm *v)
{
	const uint64_t total = pick(a, 16) == 0 ? 1 + pick(a, 9000) : v->config.max_pages;
	const uint64_t size = total - pick(a, total);
	struct poise_sample s = {.magic = POISE_ABI_GUEST_MAGIC,
				 .version = 1,
				 .compat = 1,
				 .length = POISE_ABI_GUEST_LENGTH,
				 .features = (uint32_t)pick(a, POISE_GF_KNOWN + 1),
				 .boot_id = v->boot_id != 0 ? v->boot_id : 1 + pick(a, 3)};
	const uint64_t kind = pick(a, 16);
	s.body.sample = v->sample + 1 + (kind == 0 ? pick(a, UINT64_C(1) << 40) : 0);
	if (kind == 1) {
		s.boot_id += 1 + pick(a, 3);
	} else if (kind == 2) {
		s.body.sample = v->sample != 0 ? v->sample : 1;
	} else if (kind == 3) {
		s.body.sample = 1 + pick(a, 100);
	}
	s.body.total_pages = total;
	s.body.balloon_pages = total - size;
	s.body.free_pages = pick(a, size + 1);
	s.body.inactive_anon_pages = pick(a, size - s.body.free_pages + 1);
	s.body.inactive_file_pages =
		pick(a, size - s.body.free_pages - s.body.inactive_anon_pages + 1);
	s.body.swap_used_pages = pick(a, 4) == 0 ? pages(a) % (POISE_PAGES_MAX + 1) : 0;
	s.body.swap_in_pages = pick(a, 4) == 0 ? a->next(a->next_arg) : 0;
	s.body.refault_file_pages = pick(a, 4) == 0 ? a->next(a->next_arg) : 0;
	s.body.committed_pages = pick(a, 4) == 0 ? a->next(a->next_arg) : 0;
	s.body.floor_pages = pick(a, 4) == 0 ? pick(a, total + 1) : 0;
	return s;
}

static struct poise_vm_config some_config(struct api *a)
{
	struct poise_vm_config c = {.min_pages = 1 + pick(a, POOL / 4),
				    .weight = (uint32_t)pick(a, 300),
				    .basis = (uint32_t)pick(a, POISE_BASIS_COUNT)};
	c.boot_pages = pick(a, 2) == 0 ? 0 : c.min_pages + pick(a, POOL / 4);
	c.max_pages = c.min_pages + c.boot_pages + pick(a, POOL / 2);
	c.flags = pick(a, 8) == 0 ? (uint32_t)pick(a, 8) : 0;
	switch (pick(a, 32)) {
	case 0:
		c.min_pages = pages(a);
		break;
	case 1:
		c.boot_pages = pages(a);
		break;
	case 2:
		c.max_pages = pages(a);
		break;
	case 3:
		c.weight = (uint32_t)a->next(a->next_arg);
		break;
	case 4:
		c.reserved = (uint32_t)pick(a, 2);
		break;
	case 5:
		c.basis = (uint32_t)pick(a, 9);
		break;
	default:
		break;
	}
	return c;
}

/* Checks a configuration and fills in its defaults. */
static enum poise_err expect_config(const struct api *a, uint32_t vm, struct poise_vm_config *c)
{
	uint64_t sum = c->min_pages;
	if (c->boot_pages == 0) {
		c->boot_pages = c->min_pages;
	}
	if (c->weight == 0) {
		c->weight = 100;
	}
	if (c->min_pages < 1 || c->boot_pages < c->min_pages || c->max_pages < c->boot_pages ||
	    c->max_pages > a->pool_pages || c->weight > 65535 || c->basis > 2 || c->flags > 3 ||
	    c->reserved != 0) {
		return POISE_E_CONFIG;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (i != vm && a->vm[i].state != POISE_VM_EMPTY) {
			sum += a->vm[i].config.min_pages;
		}
	}
	return sum > a->pool_pages ? POISE_E_INFEASIBLE : POISE_OK;
}

/* --- the calls --- */

static void call_add(struct api *a)
{
	const uint32_t vm = slot(a);
	const uint64_t actual = pages(a);
	const bool none = pick(a, 64) == 0;
	const struct poise_vm_config config = some_config(a);
	struct poise_vm_config complete = config;
	enum poise_err expected = POISE_E_ARG;
	if (vm < POISE_VM_MAX && !none && actual <= POISE_PAGES_MAX) {
		expected = a->vm[vm].state != POISE_VM_EMPTY ? POISE_E_DUP
							     : expect_config(a, vm, &complete);
	}
	if (expected == POISE_OK) {
		a->vm[vm] = (struct api_vm){
			.config = complete, .known_pages = actual, .target_pages = actual};
		forget(&a->vm[vm]);
	}
	returned(a, expected, poise_vm_add(&a->p, vm, none ? NULL : &config, actual),
		 "poise_vm_add");
}

static void call_set(struct api *a)
{
	const uint32_t vm = slot(a);
	const bool none = pick(a, 64) == 0;
	const struct poise_vm_config config = some_config(a);
	struct poise_vm_config complete = config;
	enum poise_err expected = expect_vm(a, vm);
	if (expected == POISE_OK) {
		expected = none ? POISE_E_ARG : expect_config(a, vm, &complete);
	}
	if (expected == POISE_OK) {
		struct api_vm *v = &a->vm[vm];
		const bool anew = ((v->config.flags ^ complete.flags) & POISE_VM_FREEZE) != 0 ||
				  v->config.basis != complete.basis;
		v->config = complete;
		if (anew) {
			forget(v);
		}
	}
	returned(a, expected, poise_vm_set(&a->p, vm, none ? NULL : &config), "poise_vm_set");
}

static void call_remove(struct api *a)
{
	const uint32_t vm = slot(a);
	const enum poise_err expected = expect_vm(a, vm);
	if (expected == POISE_OK) {
		a->vm[vm] = (struct api_vm){.state = POISE_VM_EMPTY};
	}
	returned(a, expected, poise_vm_remove(&a->p, vm), "poise_vm_remove");
}

static void call_restart(struct api *a)
{
	const uint32_t vm = slot(a);
	const uint64_t actual = pages(a);
	enum poise_err expected = expect_vm(a, vm);
	if (expected == POISE_OK && actual > POISE_PAGES_MAX) {
		expected = POISE_E_ARG;
	}
	if (expected == POISE_OK) {
		forget(&a->vm[vm]);
		a->vm[vm].known_pages = actual;
	}
	returned(a, expected, poise_vm_restart(&a->p, vm, actual), "poise_vm_restart");
	if (expected == POISE_OK && charge(&a->vm[vm]) < a->vm[vm].config.boot_pages) {
		fail(a, "a VM that was restarted is charged for less than its boot size");
	}
}

static void call_pool(struct api *a)
{
	const uint64_t size = pick(a, 4) == 0 ? pages(a) : POOL / 2 + pick(a, POOL);
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
	returned(a, expected, poise_pool_set(&a->p, size), "poise_pool_set");
}

static void call_report(struct api *a)
{
	const uint32_t vm = slot(a);
	const uint64_t now_ms = some_time(a);
	const bool none = pick(a, 64) == 0;
	enum poise_err expected = expect_vm(a, vm);
	struct poise_sample s = {0};
	if (expected == POISE_OK) {
		s = some_sample(a, &a->vm[vm]);
		expected = none ? POISE_E_ARG : expected;
	}
	const bool reached = expected == POISE_OK;
	if (reached) {
		clock_to(a, now_ms);
	}
	const enum poise_err err = poise_report(&a->p, vm, now_ms, none ? NULL : &s);
	if (reached) {
		expected = expect_report(a, &a->vm[vm], &s);
	}
	returned(a, expected, err, "poise_report");
}

static void call_report_error(struct api *a)
{
	const uint32_t vm = slot(a);
	const uint64_t now_ms = some_time(a);
	const int reason = pick(a, 8) == 0 ? (int)pick(a, 100) - 70 : -20 - (int)pick(a, 11);
	enum poise_err expected = expect_vm(a, vm);
	if (expected == POISE_OK && (reason > -20 || reason < -31)) {
		expected = POISE_E_ARG;
	}
	if (expected == POISE_OK) {
		clock_to(a, now_ms);
		a->errors[-reason]++;
		if (reason == POISE_E_UNMAPPED) {
			forget(&a->vm[vm]);
		} else {
			bad(&a->vm[vm]);
		}
	}
	returned(a, expected, poise_report_error(&a->p, vm, now_ms, (enum poise_err)reason),
		 "poise_report_error");
}

/* Polls a page that holds a sample, with a bit or a word wrong here and there. */
static void call_poll(struct api *a)
{
	const uint32_t vm = slot(a);
	const uint64_t now_ms = some_time(a);
	enum poise_err expected = expect_vm(a, vm);
	struct poise_sample s;
	bool reached = expected == POISE_OK;
	if (reached) {
		struct api_vm *v = &a->vm[vm];
		s = some_sample(a, v);
		__builtin_memcpy(&a->page.update, &s, sizeof(s));
		if (pick(a, 8) == 0) {
			uint64_t *words = (uint64_t *)(void *)&a->page.update;
			words[pick(a, sizeof(s) / 8)] ^= a->next(a->next_arg);
		}
		a->page.head.seq = pick(a, 16) == 0;
		a->page.update.checksum =
			poise_seq_checksum(&a->page.update, sizeof(a->page.update));
		a->page.update.checksum ^= pick(a, 16) == 0;
		const uint64_t limit = v->boot_id != 0 && v->total_pages > v->config.max_pages
					       ? v->total_pages
					       : v->config.max_pages;
		expected = poise_page_read(&a->page, limit, &s);
		clock_to(a, now_ms);
		if (expected != POISE_OK) {
			a->errors[-(int)expected]++;
			bad(v);
			reached = false;
		}
	}
	const bool found = vm < POISE_VM_MAX && a->vm[vm].state != POISE_VM_EMPTY;
	const enum poise_err err = poise_poll(&a->p, vm, now_ms, &a->page);
	if (reached) {
		expected = expect_report(a, &a->vm[vm], &s);
		returned(a, expected, err, "poise_poll");
	} else if (found) {
		if (err != expected) {
			fail(a, "poise_poll of a bad page");
		}
	} else {
		returned(a, expected, err, "poise_poll of no VM");
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
	const uint32_t vm = slot(a);
	const uint64_t now_ms = some_time(a);
	enum poise_err expected = expect_vm(a, vm);
	if (expected != POISE_OK) {
		returned(a, expected, poise_urgent(&a->p, vm, now_ms), "poise_urgent");
		return;
	}
	struct api_vm *v = &a->vm[vm];
	clock_to(a, now_ms);
	const bool managed = v->state == POISE_VM_MANAGED;
	const uint64_t since_ms = a->now_ms - v->early_ms;
	a->ticking = 1;
	const enum poise_err err = poise_urgent(&a->p, vm, now_ms);
	a->ticking = 0;
	/* How long a needless one has to wait is between the gap and a second. */
	if ((err != POISE_OK && err != (managed ? POISE_E_BUSY : POISE_E_STATE)) ||
	    (err == POISE_OK && !managed) || (err == POISE_OK && v->early && since_ms < 100) ||
	    (managed && err != POISE_OK && (!v->early || since_ms >= 1000))) {
		fail(a, "poise_urgent");
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
	const uint64_t now_ms = some_time(a);
	clock_to(a, now_ms);
	a->ticking = 1;
	returned(a, POISE_OK, poise_tick(&a->p, now_ms), "poise_tick");
	a->ticking = 0;
	age(a);
}

static void call_ack(struct api *a)
{
	const uint32_t vm = slot(a);
	const uint64_t now_ms = some_time(a);
	uint64_t size = pages(a);
	uint64_t epoch = pick(a, a->requests + 2);
	enum poise_err expected = expect_vm(a, vm);
	if (expected == POISE_OK) {
		struct api_vm *v = &a->vm[vm];
		epoch = pick(a, 4) != 0 ? v->epoch : epoch;
		size = pick(a, 2) != 0 ? v->target_pages : size;
		expected = size > POISE_PAGES_MAX            ? POISE_E_ARG
			   : epoch != v->epoch || epoch == 0 ? POISE_E_LOST
							     : POISE_OK;
		if (expected != POISE_E_ARG) {
			clock_to(a, now_ms);
		}
		if (expected == POISE_OK) {
			v->known_pages = size;
		}
	}
	returned(a, expected, poise_ack(&a->p, vm, epoch, size, now_ms), "poise_ack");
}

/* --- comparison --- */

static void compare(struct api *a)
{
	int64_t free_pages = (int64_t)a->pool_pages;
	if (poise_check(&a->p) != 0) {
		fail(a, "poise_check");
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct api_vm *v = &a->vm[i];
		const struct poise_vm *c = &a->p.vm[i];
		free_pages -= (int64_t)charge(v);
		if (v->state != c->state) {
			fail(a, "a VM's state");
		}
		if (v->known_pages != c->actual_pages || v->target_pages != c->target_pages ||
		    v->epoch != c->epoch || v->refused != (c->unsent != 0)) {
			fail(a, "a VM's books");
		}
		if (v->state != POISE_VM_EMPTY &&
		    (v->bad_run != c->bad_run || v->good_run != c->good_run ||
		     v->boot_id != c->last.boot_id || v->steps != c->forecast.steps)) {
			fail(a, "a VM's history");
		}
	}
	if (free_pages != a->p.free_pages) {
		fail(a, "free memory");
	}
	if (a->now_ms != a->p.now_ms) {
		fail(a, "the clock");
	}
	for (uint32_t i = 0; i < POISE_ERR_COUNT; i++) {
		/* Giving up on a balloon counts as LOST, too; what happens in poise_poll's urgent
		 * part is not predicted. */
		if (i != -POISE_E_LOST && a->errors[i] != a->p.errors[i]) {
			fail(a, "an error counter");
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
	if (poise_init(&a->p, sizeof(a->p), &config, &port, a) != POISE_OK) {
		fail(a, "poise_init");
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
	calls[pick(a, sizeof(calls) / sizeof(calls[0]))](a);
	compare(a);
	return a->failure;
}
