/* SPDX-License-Identifier: MIT */
#include "api_model.h"

uint64_t api_pick(struct api *a, uint64_t below)
{
	return a->next(a->next_arg) % below;
}

void api_fail(struct api *a, const char *what)
{
	if (a->failure == NULL) {
		a->failure = what;
	}
}

uint64_t api_pages(struct api *a)
{
	static const uint64_t odd[] = {
		0, 1, POISE_PAGES_MAX, POISE_PAGES_MAX + 1, UINT64_MAX, UINT64_C(1) << 63};
	return api_pick(a, 16) == 0 ? odd[api_pick(a, sizeof(odd) / sizeof(odd[0]))]
				    : api_pick(a, a->pool_pages + a->pool_pages / 8);
}

uint32_t api_slot(struct api *a)
{
	static const uint32_t odd[] = {POISE_VM_MAX, UINT32_MAX, UINT32_MAX - 1, 1u << 31};
	return api_pick(a, 32) == 0 ? odd[api_pick(a, 4)]
				    : (uint32_t)api_pick(a, POISE_VM_MAX < 4 ? POISE_VM_MAX : 4);
}

uint64_t api_charge(const struct api_vm *v)
{
	return v->known_pages > v->target_pages ? v->known_pages : v->target_pages;
}

/* --- the port --- */

static enum poise_err api_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct api *a = ctx;
	struct api_vm *v = &a->vm[vm];
	if (epoch != ++a->requests) {
		api_fail(a, "an epoch was used twice or left out");
	}
	if (target_pages == 0 || target_pages > POISE_PAGES_MAX) {
		api_fail(a, "a target out of range");
	}
	/* A request in force may have been carried out unseen. */
	if (!v->refused) {
		v->known_pages = api_charge(v);
	}
	v->target_pages = target_pages;
	v->epoch = epoch;
	v->refused = api_pick(a, 8) == 0;
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
	const uint64_t how = api_pick(a, 8);
	if (a->ticking == 0) {
		api_fail(a, "measured outside of a tick");
	}
	*out = api_pick(a, 4) == 0 ? api_pages(a) : v->target_pages;
	if (how == 0 || *out > POISE_PAGES_MAX) {
		a->errors[-POISE_E_PORT]++;
		return how == 0 ? errors[api_pick(a, 4)] : POISE_OK;
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
		api_fail(a, "a guest is told something else than the port");
	}
}

static void api_event(void *ctx, const struct poise_event *event)
{
	struct api *a = ctx;
	if (event->code >= POISE_EVENT_COUNT || event->vm >= POISE_VM_MAX ||
	    event->rule >= POISE_RULE_COUNT) {
		api_fail(a, "an event out of range");
	}
	if (event->code == POISE_EVENT_INIT || event->code == POISE_EVENT_IMPORT ||
	    event->code == POISE_EVENT_IMPORT_VM) {
		return;
	}
	const uint64_t words[] = {
		event->now_ms, event->code, event->vm, event->rule, (uint64_t)event->err,
		event->a,      event->b,    event->c,  event->d};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		a->events = poise_abi_checksum(a->events, words[i]);
	}
}

const struct poise_port api_port = {
	.resize = api_resize,
	.measure = api_measure,
	.notify = api_notify,
	.event = api_event,
};

/* --- what a call should return and do --- */

enum poise_err api_expect_vm(const struct api *a, uint32_t vm)
{
	return vm >= POISE_VM_MAX                  ? POISE_E_ARG
	       : a->vm[vm].state == POISE_VM_EMPTY ? POISE_E_NOT_FOUND
						   : POISE_OK;
}

void api_returned(struct api *a, enum poise_err expected, enum poise_err err, const char *what)
{
	if (err != expected) {
		api_fail(a, what);
	}
	if (expected != POISE_OK) {
		a->errors[-(int)expected]++;
	}
}

void api_clock_to(struct api *a, uint64_t now_ms)
{
	a->now_ms = now_ms > a->now_ms ? now_ms : a->now_ms;
}

uint64_t api_some_time(struct api *a)
{
	static const uint32_t gaps[] = {0, 1, 50, 499, 500, 1000, 1000, 1000, 3000, 11000};
	const uint64_t gap = gaps[api_pick(a, sizeof(gaps) / sizeof(gaps[0]))];
	/* Now and then a clock that goes back: no time has passed then. */
	return api_pick(a, 32) == 0 ? a->now_ms / 2 : a->now_ms + gap;
}

void api_forget(struct api_vm *v)
{
	v->boot_id = 0;
	v->steps = 0;
	v->bad_run = 0;
	v->good_run = 0;
	v->state = (v->config.flags & POISE_VM_FREEZE) != 0 ? POISE_VM_FROZEN : POISE_VM_UNMANAGED;
}

void api_bad(struct api_vm *v)
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
enum poise_err api_expect_report(struct api *a, struct api_vm *v, const struct poise_sample *s)
{
	if (v->boot_id != 0 && v->boot_id != s->boot_id) {
		api_forget(v); /* the core asks for the boot size, which the port has seen */
	}
	if (v->boot_id != 0 && s->body.total_pages != v->total_pages) {
		api_bad(v);
		return POISE_E_TOTAL;
	}
	if (v->boot_id != 0 && s->body.sample == v->sample) {
		return POISE_E_STALE;
	}
	if (v->boot_id != 0 && s->body.sample < v->sample) {
		const uint32_t run = v->bad_run;
		api_forget(v);
		v->bad_run = run;
		api_bad(v);
		return POISE_E_REPLAY;
	}
	v->boot_id = s->boot_id;
	v->sample = s->body.sample;
	v->total_pages = s->body.total_pages;
	take(a, v);
	return POISE_OK;
}

/* A sample as poise_page_read makes them. */
struct poise_sample api_some_sample(struct api *a, const struct api_vm *v)
{
	const uint64_t total = api_pick(a, 16) == 0 ? 1 + api_pick(a, 9000) : v->config.max_pages;
	const uint64_t size = total - api_pick(a, total);
	struct poise_sample s = {.magic = POISE_ABI_GUEST_MAGIC,
				 .version = 1,
				 .compat = 1,
				 .length = POISE_ABI_GUEST_LENGTH,
				 .features = (uint32_t)api_pick(a, POISE_GF_KNOWN + 1),
				 .boot_id = v->boot_id != 0 ? v->boot_id : 1 + api_pick(a, 3)};
	const uint64_t kind = api_pick(a, 16);
	s.body.sample = v->sample + 1 + (kind == 0 ? api_pick(a, UINT64_C(1) << 40) : 0);
	if (kind == 1) {
		s.boot_id += 1 + api_pick(a, 3);
	} else if (kind == 2) {
		s.body.sample = v->sample != 0 ? v->sample : 1;
	} else if (kind == 3) {
		s.body.sample = 1 + api_pick(a, 100);
	}
	s.body.total_pages = total;
	s.body.balloon_pages = total - size;
	s.body.free_pages = api_pick(a, size + 1);
	s.body.inactive_anon_pages = api_pick(a, size - s.body.free_pages + 1);
	s.body.inactive_file_pages =
		api_pick(a, size - s.body.free_pages - s.body.inactive_anon_pages + 1);
	s.body.swap_used_pages = api_pick(a, 4) == 0 ? api_pages(a) % (POISE_PAGES_MAX + 1) : 0;
	s.body.swap_in_pages = api_pick(a, 4) == 0 ? a->next(a->next_arg) : 0;
	s.body.refault_file_pages = api_pick(a, 4) == 0 ? a->next(a->next_arg) : 0;
	s.body.committed_pages = api_pick(a, 4) == 0 ? a->next(a->next_arg) : 0;
	s.body.floor_pages = api_pick(a, 4) == 0 ? api_pick(a, total + 1) : 0;
	return s;
}

struct poise_vm_config api_some_config(struct api *a)
{
	struct poise_vm_config c = {.min_pages = 1 + api_pick(a, POOL / 4),
				    .weight = (uint32_t)api_pick(a, 300),
				    .basis = (uint32_t)api_pick(a, POISE_BASIS_COUNT)};
	c.boot_pages = api_pick(a, 2) == 0 ? 0 : c.min_pages + api_pick(a, POOL / 4);
	c.max_pages = c.min_pages + c.boot_pages + api_pick(a, POOL / 2);
	c.flags = api_pick(a, 8) == 0 ? (uint32_t)api_pick(a, 8) : 0;
	switch (api_pick(a, 32)) {
	case 0:
		c.min_pages = api_pages(a);
		break;
	case 1:
		c.boot_pages = api_pages(a);
		break;
	case 2:
		c.max_pages = api_pages(a);
		break;
	case 3:
		c.weight = (uint32_t)a->next(a->next_arg);
		break;
	case 4:
		c.reserved = (uint32_t)api_pick(a, 2);
		break;
	case 5:
		c.basis = (uint32_t)api_pick(a, 9);
		break;
	default:
		break;
	}
	return c;
}

/* Checks a configuration and fills in its defaults. */
enum poise_err api_expect_config(const struct api *a, uint32_t vm, struct poise_vm_config *c)
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
