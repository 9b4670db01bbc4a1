/* SPDX-License-Identifier: MIT */
/*
 * The daemon's loop: what the backend tells goes to the core, what the core decides goes to the
 * backend, and a timer makes the ticks. Holds no policy. Here: timers, signals, start and
 * end.
 */
#include "daemon.h"

#include <inttypes.h>
#include <signal.h>

#include "change.h"
#include "clock.h"
#include "control.h"
#include "interval.h"
#include "notify.h"
#include "pool.h"
#include "port.h"
#include "recording.h"
#include "service.h"
#include "source.h"
#include "vms.h"

/* How often urgent words are looked at: relief starts within 50 ms, and being woken up is most of
 * what the daemon costs. */
#define WORDS_MS 40
/* With on_exit = "boot": how long the guests have to get there, and how often it is looked. */
#define LEAVE_MS      10000u
#define LEAVE_TICK_MS 100

/* --- timers and signals --- */

static void words_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct poised *d = ctx;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].source == SOURCE_PAGE) {
			source_doorbell(d, i);
		}
	}
}

static bool at_boot_sizes(const struct poised *d)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *v = &d->core.vm[i];

		/* Nearly: the reserve for urgent requests stays free, and a dead band is left. */
		if (d->vm[i].running && (v->config.flags & POISE_VM_FREEZE) == 0 &&
		    v->actual_pages + v->config.boot_pages / 24u < v->config.boot_pages) {
			return false;
		}
	}
	return true;
}

static void tick_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct poised *d = ctx;

	(void)fd;
	(void)what;
	interval_run(d);
	if (d->leaving && (at_boot_sizes(d) || clock_now_ms() > d->leave_ms)) {
		event_base_loopbreak(d->base);
	}
}

static void leave_signal(evutil_socket_t fd, short what, void *ctx)
{
	struct poised *d = ctx;
	const struct timeval often = {.tv_usec = LEAVE_TICK_MS * 1000};

	(void)fd;
	(void)what;
	service_stopping();
	if (d->leaving || !d->conf->boot_on_exit) {
		event_base_loopbreak(d->base);
		return;
	}
	d->leaving = true;
	d->leave_ms = clock_now_ms() + LEAVE_MS;
	vms_apply_all(d);
	event_add(d->tick, &often);
	log_line(LOG_LEVEL_INFO, "the guests are asked back to their boot sizes");
}

static void reload_signal(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	change_reload(ctx);
}

/* --- start and end --- */

static int timers_open(struct poised *d)
{
	const struct timeval interval = {
		.tv_sec = (time_t)(d->core.config.interval_ms / 1000u),
		.tv_usec = (suseconds_t)(d->core.config.interval_ms % 1000u * 1000u),
	};
	const struct timeval words = {.tv_usec = WORDS_MS * 1000};

	d->tick = event_new(d->base, -1, EV_PERSIST, tick_timer, d);
	d->words = event_new(d->base, -1, EV_PERSIST, words_timer, d);
	d->term = evsignal_new(d->base, SIGTERM, leave_signal, d);
	d->interrupt = evsignal_new(d->base, SIGINT, leave_signal, d);
	d->hup = evsignal_new(d->base, SIGHUP, reload_signal, d);
	if (d->tick == NULL || d->words == NULL || d->term == NULL || d->interrupt == NULL ||
	    d->hup == NULL) {
		return -1;
	}
	return event_add(d->tick, &interval) | event_add(d->words, &words) |
	       event_add(d->term, NULL) | event_add(d->interrupt, NULL) | event_add(d->hup, NULL);
}

int daemon_open(struct poised *d, struct config *conf, const char *conf_path)
{
	char error[BACKEND_ERROR_MAX] = "";

	*d = (struct poised){.conf = conf, .conf_path = conf_path, .backend = conf->backend};
	d->started_ms = clock_now_ms();
	d->base = event_base_new();
	if (d->base == NULL) {
		log_line(LOG_LEVEL_ERROR, "no memory");
		return -1;
	}
	d->env = (struct backend_env){.base = d->base,
				      .calls = &notify_calls,
				      .daemon = d,
				      .interval_ms = conf->core.interval_ms};
	d->ctx = d->backend->open(&d->env, conf->own, error);
	if (d->ctx == NULL) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", d->backend->name, error);
		return -1;
	}
	d->host_known = true;
	if (pool_find(d) != 0 || recording_open(d) != 0 || port_start(d) != POISE_OK) {
		return -1;
	}
	state_load(d);
	d->control = control_open(d);
	if (d->control == NULL || timers_open(d) != 0) {
		return -1;
	}
	for (uint32_t i = 0; i < conf->vm_count; i++) {
		if (vms_open(d, i, &conf->vm[i]) != 0) {
			return -1;
		}
	}
	return 0;
}

int daemon_run(struct poised *d)
{
	log_line(LOG_LEVEL_INFO, "%s: pool %" PRIu64 " pages, %u VMs, interval %u ms",
		 d->backend->name, d->pool_pages, d->conf->vm_count, d->core.config.interval_ms);
	interval_run(d);
	service_ready();
	return event_base_dispatch(d->base) < 0 ? -1 : 0;
}

void daemon_close(struct poised *d)
{
	struct event *events[] = {d->tick, d->words, d->term, d->interrupt, d->hup};

	state_save(d, true);
	if (d->control != NULL) {
		control_close(d->control);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured) {
			vms_close(d, i);
		}
	}
	if (d->ctx != NULL) {
		d->backend->close(d->ctx);
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i] != NULL) {
			event_free(events[i]);
		}
	}
	if (d->record != NULL) {
		fclose(d->record);
	}
	if (d->base != NULL) {
		event_base_free(d->base);
	}
	conf_free(d->conf);
}
