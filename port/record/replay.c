/* SPDX-License-Identifier: MIT */
/*
 * Replay. One record is held at a time: the core is deterministic, so the next line of the file is
 * what the next event has to be, and a port call is answered by the line that recorded its answer.
 */
#include "replay.h"

#include <string.h>

struct replay {
	FILE *in;
	struct poise p;
	struct replay_result *result;
	char line[RECORD_LINE_MAX]; /* the next one; empty at the end */
	struct record next;
	unsigned long number;
	int status; /* what replay_run will return */
};

/* Notes the first thing that is wrong; later ones follow from it. */
static void fail(struct replay *r, int status, const char *reason, const char *found)
{
	struct replay_result *result = r->result;
	if (result->reason == NULL) {
		r->status = status;
		result->reason = reason;
		result->line = r->number;
		strcpy(result->expected, r->line);
		strcpy(result->found, found);
	}
}

/* Reads the next event; comments and empty lines are passed over. Returns 0 at the end or on a
 * mistake. */
static int advance(struct replay *r)
{
	const char *mistake;
	do {
		r->number++;
		if (fgets(r->line, sizeof(r->line), r->in) == NULL) {
			r->line[0] = '\0';
			if (ferror(r->in)) {
				fail(r, 2, "cannot be read", "");
			}
			return 0;
		}
		if (strchr(r->line, '\n') == NULL && !feof(r->in)) {
			fail(r, 2, "line too long", "");
			return 0;
		}
	} while (r->line[0] == '#' || r->line[0] == '\n');
	mistake = record_parse(r->line, &r->next);
	if (mistake != NULL) {
		fail(r, 2, mistake, "");
		r->line[0] = '\0';
		return 0;
	}
	return 1;
}

static enum poise_err on_resize(void *ctx, uint32_t vm, uint64_t target, uint64_t epoch)
{
	const struct replay *r = ctx;
	(void)target;
	(void)epoch;
	/* If the recording has something else here, the event that follows will show it. */
	return r->next.event.code == POISE_EVENT_RESIZE && r->next.event.vm == vm
		       ? r->next.event.err
		       : POISE_OK;
}

static enum poise_err on_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	const struct replay *r = ctx;
	*pages = r->p.vm[vm].actual_pages;
	if (r->next.event.code != POISE_EVENT_MEASURE || r->next.event.vm != vm) {
		return POISE_OK; /* Only changes are recorded. */
	}
	*pages = r->next.event.a;
	return r->next.event.err;
}

static void on_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static void on_event(void *ctx, const struct poise_event *event)
{
	struct replay *r = ctx;
	char found[RECORD_LINE_MAX];
	(void)record_format(event, found, sizeof(found));
	if (r->result->reason != NULL) {
		return;
	}
	if (strcmp(found, r->line) != 0) {
		fail(r, 1, "differs", found);
		return;
	}
	r->result->lines++;
	(void)advance(r);
}

static const struct poise_port port = {on_resize, on_measure, on_notify, on_event};

/* Makes the call that the record is about; what it leads to is compared in on_event. */
static enum poise_err call(struct replay *r)
{
	/* The record is replaced while the call runs. */
	const struct record input = r->next;
	const struct poise_event *e = &input.event;
	switch (e->code) {
	case POISE_EVENT_INIT:
		return poise_init(&r->p, sizeof(r->p), &input.data.config, &port, r);
	case POISE_EVENT_ADD:
		return poise_vm_add(&r->p, e->vm, &input.data.vm_config, e->a);
	case POISE_EVENT_SET:
		return poise_vm_set(&r->p, e->vm, &input.data.vm_config);
	case POISE_EVENT_REMOVE:
		return poise_vm_remove(&r->p, e->vm);
	case POISE_EVENT_RESTART:
		return poise_vm_restart(&r->p, e->vm, e->a);
	case POISE_EVENT_POOL:
		return poise_pool_set(&r->p, e->a);
	case POISE_EVENT_SAMPLE:
		return poise_report(&r->p, e->vm, e->now_ms, &input.data.sample);
	case POISE_EVENT_BAD:
		return poise_report_error(&r->p, e->vm, e->now_ms, e->err);
	case POISE_EVENT_URGENT:
		return poise_urgent(&r->p, e->vm, e->now_ms);
	case POISE_EVENT_TICK:
		return poise_tick(&r->p, e->a);
	case POISE_EVENT_ACK:
		return poise_ack(&r->p, e->vm, e->a, e->b, e->now_ms);
	default:
		return POISE_E_STATE;
	}
}

int replay_run(FILE *in, struct replay_result *result)
{
	static struct replay r;
	memset(&r, 0, sizeof(r));
	memset(result, 0, sizeof(*result));
	r.in = in;
	r.result = result;
	r.number = 1;
	if (fgets(r.line, sizeof(r.line), in) == NULL || strcmp(r.line, RECORD_HEADER "\n") != 0) {
		fail(&r, 2, "does not start with \"" RECORD_HEADER "\"", "");
		return r.status;
	}
	if (!advance(&r) || r.next.event.code != POISE_EVENT_INIT) {
		fail(&r, 2, "the first event is not init", "");
		return r.status;
	}
	while (r.line[0] != '\0' && result->reason == NULL) {
		const unsigned long before = result->lines;
		const enum poise_err err = call(&r);
		result->inputs++;
		if (result->lines == before && result->reason == NULL) {
			/* Refused before it made its own record: no recording says such a thing. */
			fail(&r, 1, poise_strerror(err), "");
		}
		result->checks += result->reason == NULL && poise_check(&r.p) != 0;
	}
	return r.status;
}
