/* SPDX-License-Identifier: MIT */
/* What the daemon says about itself, as JSON. Changes nothing. */
#include "status.h"

#include "clock.h"
#include "poise_names.h"
#include "words.h"

static json_int_t number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static void set(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer(number(value)));
}

/* Fixed point with 16 fraction bits, to whole pages. */
static json_t *pages_q16(int64_t value)
{
	return json_integer(value / 65536);
}

static json_t *sample_json(const struct poise_sample *sample)
{
	json_t *o = json_object();
	const struct poise_abi_guest *body = &sample->body;

	set(o, "total", body->total_pages);
	set(o, "balloon", body->balloon_pages);
	set(o, "free", body->free_pages);
	set(o, "file", body->active_file_pages + body->inactive_file_pages);
	set(o, "anon", body->active_anon_pages + body->inactive_anon_pages);
	set(o, "swap_used", body->swap_used_pages);
	set(o, "swap_out", body->swap_out_pages);
	set(o, "swap_in", body->swap_in_pages);
	set(o, "refault", body->refault_anon_pages + body->refault_file_pages);
	return o;
}

static json_t *alarms_json(uint32_t alarms)
{
	json_t *list = json_array();

	for (unsigned bit = 0; bit < BACKEND_ALARM_COUNT; bit++) {
		if ((alarms >> bit & 1u) != 0) {
			json_array_append_new(list, json_string(words_alarm(bit)));
		}
	}
	return list;
}

static json_t *vm_json(const struct poised *d, uint32_t vm)
{
	const struct daemon_vm *v = &d->vm[vm];
	const struct poise_vm *core = &d->core.vm[vm];
	const struct poise_vm_config *config = &v->conf.core;
	const uint64_t age_ms = poise_vm_age_ms(&d->core, vm, d->core.now_ms);
	struct backend_status status = {0};
	json_t *o = json_object();

	d->backend->status(d->ctx, vm, &status);
	json_object_set_new(o, "vm", json_string(v->conf.name));
	json_object_set_new(o, "state", json_string(poise_state_name(core->state)));
	json_object_set_new(o, "source", json_string(words_source(v->source)));
	json_object_set_new(o, "backend", json_string(status.state));
	json_object_set_new(o, "detail", json_string(status.detail));
	json_object_set_new(o, "alarms", alarms_json(status.alarms));
	json_object_set_new(o, "running", json_boolean(v->running));
	json_object_set_new(o, "paused", json_boolean(v->paused));
	json_object_set_new(o, "frozen", json_boolean(v->frozen));
	set(o, "min", config->min_pages);
	set(o, "boot", config->boot_pages);
	set(o, "max", config->max_pages);
	set(o, "weight", config->weight);
	set(o, "actual", core->actual_pages);
	set(o, "target", core->target_pages);
	set(o, "goal", core->goal_pages);
	set(o, "charged", poise_vm_charge(core));
	set(o, "resident", status.resident_pages);
	set(o, "mistakes", status.mistakes);
	json_object_set_new(o, "demand", pages_q16(core->forecast.delta_q16));
	json_object_set_new(o, "reclaimable", pages_q16(core->forecast.reclaimable_q16));
	set(o, "age_ms", age_ms == UINT64_MAX ? 0 : age_ms);
	set(o, "starts", v->starts);
	set(o, "restarts", v->restarts);
	set(o, "urgents", v->urgents);
	set(o, "resizes", v->resizes);
	json_object_set_new(o, "stuck", json_boolean(v->stuck));
	json_object_set_new(o, "guest", sample_json(&core->last));
	return o;
}

json_t *status_json(const struct poised *d)
{
	json_t *o = json_object();
	json_t *vms = json_array();
	json_t *errors = json_object();
	const int64_t free_pages = d->core.free_pages;

	json_object_set_new(o, "ok", json_true());
	json_object_set_new(o, "version", json_string(POISE_VERSION));
	json_object_set_new(o, "backend", json_string(d->backend->name));
	set(o, "now_ms", clock_now_ms());
	set(o, "uptime_ms", clock_now_ms() - d->started_ms);
	set(o, "interval_ms", d->core.config.interval_ms);
	set(o, "pool", d->core.config.pool_pages);
	set(o, "pool_configured", d->pool_pages);
	json_object_set_new(o, "free", json_integer(free_pages));
	set(o, "host_free", d->host_free);
	json_object_set_new(o, "host_known", json_boolean(d->host_known));
	set(o, "ticks", d->ticks);
	set(o, "check_failures", d->check_failures);
	set(o, "relief_max_us", d->relief.most);
	set(o, "relief_count", d->relief.count);
	for (int i = 1; i < POISE_ERR_COUNT; i++) {
		if (d->core.errors[i] != 0) {
			set(errors, poise_err_name((enum poise_err) - i), d->core.errors[i]);
		}
	}
	json_object_set_new(o, "errors", errors);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured) {
			json_array_append_new(vms, vm_json(d, i));
		}
	}
	json_object_set_new(o, "vms", vms);
	return o;
}
