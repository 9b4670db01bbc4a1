/* SPDX-License-Identifier: MIT */
/* What is done once an interval: every VM's sample, the host's memory, a tick, what has changed. */
#include "interval.h"

#include <inttypes.h>

#include "clock.h"
#include "pool.h"
#include "recording.h"
#include "service.h"
#include "source.h"
#include "words.h"

static void tell_alarms(struct poised *d, uint32_t vm)
{
	struct daemon_vm *v = &d->vm[vm];
	struct backend_status status = {0};
	uint32_t changed;

	d->backend->status(d->ctx, vm, &status);
	changed = status.alarms ^ v->alarms;
	v->alarms = status.alarms;
	v->adopting = status.adopting;
	for (unsigned bit = 0; bit < BACKEND_ALARM_COUNT; bit++) {
		if ((changed >> bit & 1u) == 0) {
			continue;
		}
		if ((status.alarms >> bit & 1u) != 0) {
			v->alarm_count[bit]++;
			log_line(LOG_LEVEL_WARNING, "%s: %s: %s", v->conf.name, words_alarm(bit),
				 status.detail);
		} else {
			log_line(LOG_LEVEL_INFO, "%s: over: %s", v->conf.name, words_alarm(bit));
		}
	}
}

/* Says when a balloon does not do what is asked of it, and when it does again. */
static void tell_balloon(struct poised *d, uint32_t vm)
{
	struct daemon_vm *v = &d->vm[vm];
	const struct poise_vm *core = &d->core.vm[vm];
	const bool stuck = v->running && core->backoff_exponent > 0;

	if (stuck && !v->stuck) {
		log_line(LOG_LEVEL_WARNING,
			 "%s: its balloon does not move: left at %" PRIu64 " pages for a while",
			 v->conf.name, core->actual_pages);
	} else if (!stuck && v->stuck) {
		log_line(LOG_LEVEL_INFO, "%s: its balloon is no longer stuck", v->conf.name);
	}
	v->stuck = stuck;
}

void interval_run(struct poised *d)
{
	const uint64_t now = clock_now_ms();
	unsigned wrong;

	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured) {
			d->backend->poll(d->ctx, i, d->vm[i].want_stats);
			if (d->vm[i].running) {
				source_sample(d, i, now);
			}
			tell_alarms(d, i);
		}
	}
	pool_check_host(d);
	log_unexpected(poise_tick(&d->core, clock_now_ms()), "tick");
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		tell_balloon(d, i);
	}
	wrong = poise_check(&d->core);
	if (wrong != 0) {
		d->check_failures++;
		log_line(LOG_LEVEL_ERROR, "an invariant does not hold: 0x%x", wrong);
	}
	d->ticks++;
	d->ticked_ms = now;
	recording_flush(d);
	state_save(d, false);
	service_alive();
}
