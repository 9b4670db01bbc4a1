/* SPDX-License-Identifier: MIT */
/* From a recording's events to each VM's memory over time. */
#include "series.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "policy.h"
#include "reader.h"
#include "run.h"

/* What is known of a VM by now. */
struct known {
	bool there;
	uint64_t size, target, swap_used, swap_out, swap_in;
};

struct reader {
	FILE *file, *out;
	struct record_reader in;
	unsigned run; /* from 1 */
	uint32_t policy;
	bool started;      /* the run's first tick has been */
	uint64_t start_ms; /* its time: at `init` the core has not been told any yet */
	struct known vm[SIM_VM_MAX];
};

static const char *print_now(struct reader *r, uint64_t now_ms)
{
	const char *text;
	const char *policy = sim_run_policy(r->policy, &text);

	if (!r->started) {
		r->started = true;
		r->start_ms = now_ms;
	}
	if (now_ms < r->start_ms) {
		return "time goes backwards";
	}
	for (uint32_t i = 0; i < SIM_VM_MAX; i++) {
		const struct known *v = &r->vm[i];

		if (v->there) {
			fprintf(r->out, "%u,%s,%llu,%u,%llu,%llu,%llu,%llu,%llu\n", r->run, policy,
				(unsigned long long)(now_ms - r->start_ms), i,
				(unsigned long long)v->size, (unsigned long long)v->target,
				(unsigned long long)v->swap_used, (unsigned long long)v->swap_out,
				(unsigned long long)v->swap_in);
		}
	}
	return NULL;
}

static void note_sample(struct known *v, const struct record *record)
{
	const struct poise_abi_guest *g = &record->data.sample.body;

	v->swap_used = g->swap_used_pages;
	v->swap_out = g->swap_out_pages;
	v->swap_in = g->swap_in_pages;
}

static void start_run(struct reader *r, const struct record *record)
{
	r->run++;
	r->policy = record->data.config.policy;
	r->started = false;
	memset(r->vm, 0, sizeof(r->vm));
}

/* Takes one event into account. Returns what is wrong with it, or NULL. */
static const char *note(struct reader *r, const struct record *record)
{
	const struct poise_event *e = &record->event;
	const bool of_vm = e->code != POISE_EVENT_INIT && e->code != POISE_EVENT_POOL &&
			   e->code != POISE_EVENT_TICK;
	struct known *v = of_vm && e->vm < SIM_VM_MAX ? &r->vm[e->vm] : NULL;

	if (e->code == POISE_EVENT_INIT) {
		start_run(r, record);
		return NULL;
	}
	if (r->run == 0) {
		return "an event before init";
	}
	if (of_vm && v == NULL) {
		return "no VM has such a number";
	}
	switch (e->code) {
	case POISE_EVENT_ADD:
		*v = (struct known){.there = true, .size = e->a, .target = e->a};
		break;
	case POISE_EVENT_RESTART:
		v->size = v->target = e->a;
		break;
	case POISE_EVENT_REMOVE:
		v->there = false;
		break;
	case POISE_EVENT_SAMPLE:
		note_sample(v, record);
		break;
	case POISE_EVENT_ACK:
		v->size = e->err == POISE_OK ? e->b : v->size;
		break;
	case POISE_EVENT_MEASURE:
		v->size = e->err == POISE_OK ? e->a : v->size;
		break;
	case POISE_EVENT_RESIZE:
		v->target = e->a;
		break;
	case POISE_EVENT_TICK:
		return print_now(r, e->now_ms);
	default:
		break;
	}
	return NULL;
}

/* Reads all events. Returns NULL at the end, or what is wrong with the line that was read last. */
static const char *read_all(struct reader *r)
{
	const char *reason = NULL;
	int got = record_reader_start(&r->in, r->file);

	while (got > 0 && reason == NULL && (got = record_reader_next(&r->in)) > 0) {
		reason = note(r, &r->in.record);
	}
	if (got < 0) {
		return r->in.reason;
	}
	return reason == NULL && r->run == 0 ? "no run in it" : reason;
}

const char *sim_series_write(FILE *in, FILE *out, unsigned long *line)
{
	static struct reader r;
	const char *reason;

	memset(&r, 0, sizeof(r));
	r.file = in;
	r.out = out;
	fputs("run,policy,t_ms,vm,size,target,swap_used,swap_out,swap_in\n", out);
	reason = read_all(&r);
	*line = r.in.number;
	return reason;
}
