/* SPDX-License-Identifier: MIT */
/* What the backend tells at any time goes to the core; see backend.h. */
#include "notify.h"

#include <inttypes.h>

#include "clock.h"
#include "pool.h"
#include "source.h"
#include "vms.h"

static void vm_started(void *daemon, uint32_t vm, uint64_t pages)
{
	struct poised *d = daemon;
	struct daemon_vm *v = &d->vm[vm];
	enum poise_err err;

	if (v->running) {
		return;
	}
	v->adopting = false;
	v->source = SOURCE_NONE;
	v->page_ms = 0;
	v->notice.known = false;
	err = vms_add(d, vm, pages);
	if (err != POISE_OK) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be taken in: %s", v->conf.name,
			 poise_strerror(err));
		return;
	}
	pool_update(d);
	log_unexpected(vms_apply(d, vm), v->conf.name);
	v->starts++;
	log_line(LOG_LEVEL_INFO, "%s: is there with %" PRIu64 " pages", v->conf.name, pages);
}

static void vm_restarted(void *daemon, uint32_t vm, uint64_t pages)
{
	struct poised *d = daemon;

	if (d->vm[vm].running) {
		d->vm[vm].restarts++;
		d->vm[vm].page_ms = 0;
		log_line(LOG_LEVEL_INFO, "%s: restarted", d->vm[vm].conf.name);
		log_unexpected(poise_vm_restart(&d->core, vm, pages), d->vm[vm].conf.name);
	}
}

static void vm_gone(void *daemon, uint32_t vm)
{
	struct poised *d = daemon;
	struct daemon_vm *v = &d->vm[vm];

	v->host = NULL;
	v->paused = false;
	if (v->running) {
		v->running = false;
		v->source = SOURCE_NONE;
		log_line(LOG_LEVEL_INFO, "%s: is gone", v->conf.name);
		log_unexpected(poise_vm_remove(&d->core, vm), v->conf.name);
	}
}

static void vm_paused(void *daemon, uint32_t vm, bool paused)
{
	struct poised *d = daemon;
	struct daemon_vm *v = &d->vm[vm];

	if (v->paused != paused) {
		v->paused = paused;
		log_line(LOG_LEVEL_INFO, "%s: %s", v->conf.name, paused ? "paused" : "runs again");
		if (v->running) {
			log_unexpected(vms_apply(d, vm), v->conf.name);
		}
	}
}

static void vm_balloon_changed(void *daemon, uint32_t vm, uint64_t epoch, uint64_t pages)
{
	struct poised *d = daemon;

	if (d->vm[vm].running) {
		/* A late answer is counted in the core and is nothing to talk about. */
		const enum poise_err err = poise_ack(&d->core, vm, epoch, pages, clock_now_ms());
		if (err != POISE_OK && err != POISE_E_LOST) {
			log_unexpected(err, d->vm[vm].conf.name);
		}
	}
}

static void vm_doorbell(void *daemon, uint32_t vm)
{
	source_doorbell(daemon, vm);
}

const struct backend_calls notify_calls = {
	.started = vm_started,
	.restarted = vm_restarted,
	.gone = vm_gone,
	.paused = vm_paused,
	.balloon_changed = vm_balloon_changed,
	.doorbell = vm_doorbell,
};
