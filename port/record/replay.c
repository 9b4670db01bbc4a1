/* SPDX-License-Identifier: MIT */
/*
 * Replay. One record is held at a time: the core is deterministic, so the next line of the file is
 * what the next event has to be, and a port call is answered by the line that recorded its answer.
 */
#include "replay.h"

#include <string.h>

struct replay {
	struct record_reader in;
	struct replay_options options;
	struct poise p;
	struct poise before; /* what is imported, until it is */
	unsigned char blob[POISE_EXPORT_BYTES];
	uint32_t importing; /* 1: `before` is what the events have to be, and not the file */
	struct replay_result *result;
	int status;  /* what replay_run will return */
	int started; /* 1: poise_init has been called */
};

/* Notes the first thing that is wrong; later ones follow from it. */
static void fail(struct replay *r, int status, const char *reason, const char *found)
{
	struct replay_result *result = r->result;
	if (result->reason == NULL) {
		r->status = status;
		result->reason = reason;
		result->line = r->in.number;
		strcpy(result->expected, r->in.line);
		strcpy(result->found, found);
		result->found[strcspn(result->found, "\n")] = '\0';
	}
}

static int is_input(const struct poise_event *event)
{
	return event->code <= POISE_EVENT_ACK;
}

/* A plan that leaves a VM as it is: only its rule is news. */
static int is_held(const struct poise_event *event)
{
	return event->code == POISE_EVENT_PLAN && event->a == event->d;
}

/* Reads the next event that is compared or made. r->in.line is empty at the end or on a mistake. */
static void advance(struct replay *r)
{
	const struct poise_event *event = &r->in.record.event;
	int skip, got;
	do {
		got = record_reader_next(&r->in);
		skip = r->options.mode == REPLAY_INPUTS
			       ? !is_input(event) || event->code == POISE_EVENT_ACK
			       : r->options.mode == REPLAY_SIZES && is_held(event);
	} while (got > 0 && skip);
	if (got < 0) {
		fail(r, 2, r->in.reason, "");
	}
}

static enum poise_err on_resize(void *ctx, uint32_t vm, uint64_t target, uint64_t epoch)
{
	const struct replay *r = ctx;
	const struct poise_event *next = &r->in.record.event;
	(void)target;
	(void)epoch;
	/* If the recording has something else here, the event that follows will show it. */
	return r->options.mode != REPLAY_INPUTS && next->code == POISE_EVENT_RESIZE &&
			       next->vm == vm
		       ? next->err
		       : POISE_OK;
}

static enum poise_err on_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	const struct replay *r = ctx;
	const struct poise_event *next = &r->in.record.event;
	if (r->options.mode == REPLAY_INPUTS) {
		*pages = r->p.vm[vm].target_pages;
		return POISE_OK;
	}
	*pages = r->p.vm[vm].actual_pages;
	if (next->code != POISE_EVENT_MEASURE || next->vm != vm) {
		return POISE_OK; /* Only changes are recorded. */
	}
	*pages = next->a;
	return next->err;
}

static void on_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

/* Whether an event of poise_import is what the file had, whose lines have been read already. */
static int agrees_with_import(struct replay *r, const struct poise_event *event, const char *found)
{
	char expected[RECORD_LINE_MAX];
	struct poise_event recorded = *event;
	if (event->code == POISE_EVENT_IMPORT_VM) {
		recorded.data = &r->before.vm[event->vm];
	} else {
		recorded.now_ms = r->before.now_ms;
	}
	(void)record_format(&recorded, expected, sizeof(expected));
	if (strcmp(expected, found) != 0) {
		fail(r, 1, "the core does not take the imported state as it is", found);
		return 0;
	}
	return 1;
}

/* Whether the event is the recorded one. */
static int agrees(struct replay *r, const struct poise_event *event, const char *found)
{
	struct replay_result *result = r->result;
	const int sizes = r->options.mode == REPLAY_SIZES;
	if (r->in.line[0] == '\0') {
		fail(r, 1, "the recording ends, and the core goes on", found);
		return 0;
	}
	const char *key = record_difference(&r->in.record, event, sizes ? "rule" : NULL);
	if (key != NULL) {
		result->key = key;
		result->recorded = r->in.record.event;
		result->now = *event;
		fail(r, 1, "differs", found);
		return 0;
	}
	result->rules += sizes && event->rule != r->in.record.event.rule;
	return 1;
}

static void on_event(void *ctx, const struct poise_event *event)
{
	struct replay *r = ctx;
	char found[RECORD_LINE_MAX];
	(void)record_format(event, found, sizeof(found));
	if (r->result->reason != NULL) {
		return;
	}
	if (r->importing != 0) {
		if (!agrees_with_import(r, event, found)) {
			return;
		}
	} else if (r->options.mode == REPLAY_ALL ||
		   (r->options.mode == REPLAY_SIZES && !is_held(event))) {
		if (!agrees(r, event, found)) {
			return;
		}
		advance(r);
	}
	r->result->lines++;
	if (r->options.out != NULL) {
		fputs(found, r->options.out);
	}
}

static void on_nothing(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

static const struct poise_port port = {
	.resize = on_resize, .measure = on_measure, .notify = on_notify, .event = on_event};

/* The state that an imported VM's line tells is made into one that can be imported. */
static enum poise_err start_before(struct replay *r)
{
	static const struct poise_port nobody = {.resize = on_resize,
						 .measure = on_measure,
						 .notify = on_notify,
						 .event = on_nothing};
	struct poise_config config = r->p.config;
	config.pool_pages = POISE_PAGES_MAX;
	return poise_init(&r->before, sizeof(r->before), &config, &nobody, r);
}

static enum poise_err add_before(struct replay *r, const struct record *line)
{
	if (line->event.vm >= POISE_VM_MAX) {
		return POISE_E_ROOM;
	}
	r->before.vm[line->event.vm] = line->data.vm;
	return POISE_OK;
}

/* An import has a line for the core and one for each VM. */
static enum poise_err import(struct replay *r, const struct poise_event *e)
{
	size_t bytes = 0;
	enum poise_err err = start_before(r);
	if (err != POISE_OK) {
		return err;
	}
	r->before.config.pool_pages = e->a;
	r->before.now_ms = e->now_ms;
	r->before.ticked_ms = e->b;
	r->before.epoch = e->c;
	r->before.round_robin_start = e->vm;
	for (uint64_t i = 0; i < e->d && err == POISE_OK; i++) {
		advance(r);
		if (r->in.line[0] == '\0' || r->in.record.event.code != POISE_EVENT_IMPORT_VM) {
			fail(r, 2, "an imported VM is missing here", "");
			return POISE_OK;
		}
		err = add_before(r, &r->in.record);
	}
	if (err == POISE_OK) {
		err = poise_export(&r->before, r->blob, sizeof(r->blob), &bytes);
	}
	if (err == POISE_OK) {
		r->importing = 1;
		err = poise_import(&r->p, r->blob, bytes);
		r->importing = 0;
		if (err == POISE_OK) {
			advance(r);
		}
	}
	return err;
}

/* A VM's line without one for the core before it: an earlier core's VM comes as if it were added.
 */
static enum poise_err import_vm(struct replay *r, const struct record *line)
{
	size_t bytes = 0;
	const struct poise_vm *v = &line->data.vm;
	enum poise_err err = start_before(r);
	if (err == POISE_OK) {
		r->before.now_ms = line->event.now_ms;
		err = add_before(r, line);
	}
	if (err == POISE_OK) {
		err = poise_export(&r->before, r->blob, sizeof(r->blob), &bytes);
	}
	return err != POISE_OK ? err
			       : poise_vm_import(&r->p, line->event.vm, &v->config, v->actual_pages,
						 r->blob, bytes, line->event.vm);
}

/* Makes the call that the record is about; what it leads to is compared in on_event. */
static enum poise_err call(struct replay *r)
{
	/* The record is replaced while the call runs. */
	const struct record input = r->in.record;
	const struct poise_event *e = &input.event;
	switch (e->code) {
	case POISE_EVENT_INIT:
		return poise_init(&r->p, sizeof(r->p), &input.data.config, &port, r);
	case POISE_EVENT_IMPORT:
		return import(r, e);
	case POISE_EVENT_IMPORT_VM:
		return import_vm(r, &input);
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

/* Makes one call. */
static void step(struct replay *r)
{
	struct replay_result *result = r->result;
	const struct poise_event recorded = r->in.record.event;
	const unsigned long before = result->lines;
	if (!r->started && recorded.code != POISE_EVENT_INIT) {
		fail(r, 2, "the first event is not init", "");
		return;
	}
	r->started = 1;
	if (!is_input(&recorded)) {
		fail(r, 1, "the recording has a decision that the core does not make", "");
		return;
	}
	const enum poise_err err = call(r);
	result->inputs++;
	if (result->reason != NULL) {
		return;
	}
	const int inputs = r->options.mode == REPLAY_INPUTS;
	/* A log may have calls for help that this core takes for too many. */
	if (result->lines == before && !(inputs && recorded.code == POISE_EVENT_URGENT)) {
		/* Refused before it made its own record: no recording says such a thing. */
		fail(r, inputs ? 2 : 1, poise_strerror(err), "");
		return;
	}
	if (inputs) {
		advance(r);
	}
	result->checks += poise_check(&r->p) != 0;
}

int replay_run(FILE *in, const struct replay_options *options, struct replay_result *result)
{
	static struct replay r;
	memset(&r, 0, sizeof(r));
	memset(result, 0, sizeof(*result));
	r.result = result;
	if (options != NULL) {
		r.options = *options;
	}
	if (record_reader_start(&r.in, in) < 0) {
		fail(&r, 2, r.in.reason, "");
		return r.status;
	}
	result->format = r.in.format;
	strcpy(result->core, r.in.core);
	if (r.options.out != NULL) {
		fputs(RECORD_HEADER "\n", r.options.out);
	}
	advance(&r);
	if (r.in.line[0] == '\0') {
		fail(&r, 2, "the first event is not init", "");
	}
	while (r.in.line[0] != '\0' && result->reason == NULL) {
		step(&r);
	}
	return r.status;
}
