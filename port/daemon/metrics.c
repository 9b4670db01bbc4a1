/* SPDX-License-Identifier: MIT */
/* What the daemon says about itself, as text for Prometheus. Changes nothing. */
#include "metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "poise_names.h"
#include "words.h"

#define METRICS_MAX 65536u

struct text {
	char *at;
	size_t used, size;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text->at + text->used, text->size - text->used, format, arguments);
	va_end(arguments);
	/* METRICS_MAX has room for every VM with the longest name; test_daemon proves it. */
	if (size > 0 && (size_t)size < text->size - text->used) {
		text->used += (size_t)size;
	}
}

static void head(struct text *text, const char *name, const char *type, const char *help)
{
	add(text, "# HELP poise_%s %s\n# TYPE poise_%s %s\n", name, help, name, type);
}

static void one(struct text *text, const char *name, const char *type, const char *help,
		int64_t value)
{
	head(text, name, type, help);
	add(text, "poise_%s %" PRId64 "\n", name, value);
}

enum vm_metric {
	ACTUAL,
	TARGET,
	CHARGED,
	RESIDENT,
	MISTAKES,
	SWAP_OUT,
	SWAP_IN,
	RESTARTS,
	URGENTS,
	RESIZES
};

static const struct {
	const char *name, *type, *help;
} vm_metrics[] = {
	[ACTUAL] = {"vm_actual_bytes", "gauge", "Size by the host's count."},
	[TARGET] = {"vm_target_bytes", "gauge", "Size last asked for."},
	[CHARGED] = {"vm_charged_bytes", "gauge", "What the VM is charged."},
	[RESIDENT] = {"vm_resident_bytes", "gauge", "Host memory held; 0: unknown."},
	[MISTAKES] = {"vm_mistakes_total", "counter", "Messages that made no sense."},
	[SWAP_OUT] = {"vm_swap_out_bytes_total", "counter", "Written to swap, says the guest."},
	[SWAP_IN] = {"vm_swap_in_bytes_total", "counter", "Read from swap, says the guest."},
	[RESTARTS] = {"vm_restarts_total", "counter", "Restarts seen."},
	[URGENTS] = {"vm_urgent_requests_total", "counter", "Urgent words seen."},
	[RESIZES] = {"vm_resizes_total", "counter", "Sizes asked for."},
};

static uint64_t vm_value(const struct poised *d, uint32_t vm, enum vm_metric metric)
{
	const struct poise_vm *core = &d->core.vm[vm];
	const struct daemon_vm *v = &d->vm[vm];
	struct backend_status status = {0};

	switch (metric) {
	case ACTUAL:
		return core->actual_pages * POISE_ABI_PAGE_BYTES;
	case TARGET:
		return core->target_pages * POISE_ABI_PAGE_BYTES;
	case CHARGED:
		return poise_vm_charge(core) * POISE_ABI_PAGE_BYTES;
	case RESIDENT:
		d->backend->status(d->ctx, vm, &status);
		return status.resident_pages * POISE_ABI_PAGE_BYTES;
	case MISTAKES:
		d->backend->status(d->ctx, vm, &status);
		return status.mistakes;
	case SWAP_OUT:
		return core->last.body.swap_out_pages * POISE_ABI_PAGE_BYTES;
	case SWAP_IN:
		return core->last.body.swap_in_pages * POISE_ABI_PAGE_BYTES;
	case RESTARTS:
		return v->restarts;
	case URGENTS:
		return v->urgents;
	case RESIZES:
		return v->resizes;
	}
	return 0;
}

static void add_vms(struct text *text, const struct poised *d)
{
	for (size_t m = 0; m < sizeof(vm_metrics) / sizeof(vm_metrics[0]); m++) {
		head(text, vm_metrics[m].name, vm_metrics[m].type, vm_metrics[m].help);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			if (d->vm[i].configured) {
				add(text, "poise_%s{vm=\"%s\"} %" PRIu64 "\n", vm_metrics[m].name,
				    d->vm[i].conf.name, vm_value(d, i, (enum vm_metric)m));
			}
		}
	}
	head(text, "vm_state", "gauge", "1 for the state that the VM is in.");
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured) {
			add(text, "poise_vm_state{vm=\"%s\",state=\"%s\",source=\"%s\"} 1\n",
			    d->vm[i].conf.name, poise_state_name(d->core.vm[i].state),
			    words_source(d->vm[i].source));
		}
	}
	head(text, "vm_alarm", "gauge", "1 while the alarm is on.");
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		for (unsigned bit = 0; d->vm[i].configured && bit < BACKEND_ALARM_COUNT; bit++) {
			add(text, "poise_vm_alarm{vm=\"%s\",alarm=\"%s\"} %u\n", d->vm[i].conf.name,
			    words_alarm(bit), d->vm[i].alarms >> bit & 1u);
		}
	}
}

json_t *metrics_json(const struct poised *d)
{
	struct text text = {.at = malloc(METRICS_MAX), .size = METRICS_MAX};
	json_t *reply;

	if (text.at == NULL) {
		return NULL;
	}
	one(&text, "pool_bytes", "gauge", "Memory that is shared out now.",
	    (int64_t)(d->core.config.pool_pages * POISE_ABI_PAGE_BYTES));
	one(&text, "pool_configured_bytes", "gauge", "Memory to share out by configuration.",
	    (int64_t)(d->pool_pages * POISE_ABI_PAGE_BYTES));
	one(&text, "free_bytes", "gauge", "Pool less charges; below zero: a debt.",
	    d->core.free_pages * (int64_t)POISE_ABI_PAGE_BYTES);
	one(&text, "host_free_bytes", "gauge", "Free for VMs by the host's count.",
	    (int64_t)(d->host_free * POISE_ABI_PAGE_BYTES));
	one(&text, "ticks_total", "counter", "Intervals worked on.", (int64_t)d->ticks);
	one(&text, "check_failures_total", "counter", "Invariants that did not hold.",
	    (int64_t)d->check_failures);
	one(&text, "relief_max_microseconds", "gauge",
	    "Longest time from seeing an urgent word to the first request.",
	    (int64_t)d->relief.most);
	head(&text, "errors_total", "counter", "Errors met, by name.");
	for (int i = 1; i < POISE_ERR_COUNT; i++) {
		if (d->core.errors[i] != 0) {
			add(&text, "poise_errors_total{error=\"%s\"} %" PRIu64 "\n",
			    poise_err_name((enum poise_err) - i), d->core.errors[i]);
		}
	}
	add_vms(&text, d);
	reply = json_pack("{s:b, s:s}", "ok", 1, "text", text.at);
	free(text.at);
	return reply;
}
