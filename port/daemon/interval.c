/* SPDX-License-Identifier: MIT */
/*
 * What the backend tells at any time, and what is done once an interval. Owns where a VM's
 * statistics come from.
 */
#include <inttypes.h>

#include "inside.h"
#include "service.h"

/* --- what the backend tells --- */

static void vm_started(void *daemon, uint32_t vm, uint64_t pages)
{
	struct poised *d = daemon;
	struct daemon_vm *v = &d->vm[vm];
	enum poise_err err;

	if (v->running) {
		return;
	}
	v->meeting = false;
	v->source = SOURCE_NONE;
	v->page_ms = 0;
	v->notice.known = false;
	err = daemon_vm_add(d, vm, pages);
	if (err != POISE_OK) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be taken in: %s", v->conf.name,
			 poise_strerror(err));
		return;
	}
	daemon_pool_update(d);
	daemon_expect(daemon_vm_apply(d, vm), v->conf.name);
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
		daemon_expect(poise_vm_restart(&d->core, vm, pages), d->vm[vm].conf.name);
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
		daemon_expect(poise_vm_remove(&d->core, vm), v->conf.name);
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
			daemon_expect(daemon_vm_apply(d, vm), v->conf.name);
		}
	}
}

static void vm_moved(void *daemon, uint32_t vm, uint64_t epoch, uint64_t pages)
{
	struct poised *d = daemon;

	if (d->vm[vm].running) {
		/* A late answer is counted in the core and is nothing to talk about. */
		const enum poise_err err = poise_ack(&d->core, vm, epoch, pages, daemon_now_ms());
		if (err != POISE_OK && err != POISE_E_LOST) {
			daemon_expect(err, d->vm[vm].conf.name);
		}
	}
}

/* Reads a VM's page and acts on its urgent word. Errors are the guest's and are counted in the
 * core. */
static void poll_page(struct poised *d, uint32_t vm, const struct poise_guest_page *page)
{
	const enum poise_err err = poise_poll(&d->core, vm, daemon_now_ms(), page);

	if (err != POISE_OK) {
		log_line(LOG_LEVEL_DEBUG, "%s: %s", d->vm[vm].conf.name, poise_strerror(err));
	}
}

static void serve_urgent(struct poised *d, uint32_t vm, const struct poise_guest_page *page)
{
	d->vm[vm].urgents++;
	port_relief_begin(&d->relief, daemon_now_us());
	poll_page(d, vm, page);
	port_relief_end(&d->relief);
}

static void vm_doorbell(void *daemon, uint32_t vm)
{
	struct poised *d = daemon;
	struct backend_pages pages = {0};

	if (d->vm[vm].running && d->vm[vm].source == SOURCE_PAGE) {
		d->backend->pages(d->ctx, vm, &pages);
		if (pages.guest != NULL &&
		    poise_page_urgent(pages.guest) != d->core.vm[vm].urgent_word) {
			serve_urgent(d, vm, pages.guest);
		}
	}
}

const struct backend_calls daemon_calls = {
	.started = vm_started,
	.restarted = vm_restarted,
	.gone = vm_gone,
	.paused = vm_paused,
	.moved = vm_moved,
	.doorbell = vm_doorbell,
};

/* --- the interval --- */

/* Whether the guest's page has something new. One that has never held a page is no page yet. */
static void look_at_page(struct poised *d, uint32_t vm, const struct poise_guest_page *page,
			 uint64_t now)
{
	struct daemon_vm *v = &d->vm[vm];
	struct poise_sample sample;

	if (page != NULL && poise_page_read(page, POISE_PAGES_MAX, &sample) == POISE_OK &&
	    (v->page_ms == 0 || sample.boot_id != v->page_boot_id ||
	     sample.body.sample != v->page_sample)) {
		v->page_boot_id = sample.boot_id;
		v->page_sample = sample.body.sample;
		v->page_ms = now;
	}
}

/*
 * The guest's own page as long as there is something fresh in it, and while it is the only thing
 * there is; else the backend's statistics. A change of source is a new boot_id, so the core starts
 * that VM's history anew.
 */
static enum source choose_source(const struct poised *d, uint32_t vm,
				 const struct backend_pages *pages, uint64_t now)
{
	const struct daemon_vm *v = &d->vm[vm];
	const uint64_t patience =
		(uint64_t)d->core.config.freeze_intervals * d->core.config.interval_ms;

	if (v->page_ms != 0 && pages->guest != NULL &&
	    (now - v->page_ms < patience || pages->stats == NULL)) {
		return SOURCE_PAGE;
	}
	return pages->stats != NULL ? SOURCE_STATS : SOURCE_NONE;
}

static void sample_vm(struct poised *d, uint32_t vm, uint64_t now)
{
	struct daemon_vm *v = &d->vm[vm];
	struct backend_pages pages = {0};
	enum source source;

	d->backend->pages(d->ctx, vm, &pages);
	look_at_page(d, vm, pages.guest, now);
	source = choose_source(d, vm, &pages, now);
	if (source != v->source) {
		log_line(LOG_LEVEL_INFO, "%s: statistics from %s", v->conf.name,
			 daemon_source_name(source));
	}
	if (source != SOURCE_NONE) {
		poll_page(d, vm, source == SOURCE_PAGE ? pages.guest : pages.stats);
	} else if (v->source != SOURCE_NONE) {
		poll_page(d, vm, NULL); /* Once: it had one, and has none any more. */
	}
	v->source = source;
	if (pages.host != v->host ||
	    (v->host != NULL && port_writer_disturbed(&v->writer, v->host))) {
		v->host = pages.host;
		if (v->host != NULL) {
			port_writer_take_over(&v->writer, v->host, now);
			daemon_tell(d, vm);
		}
	}
}

static void tell_alarms(struct poised *d, uint32_t vm)
{
	struct daemon_vm *v = &d->vm[vm];
	struct backend_status status = {0};
	uint32_t changed;

	d->backend->status(d->ctx, vm, &status);
	changed = status.alarms ^ v->alarms;
	v->alarms = status.alarms;
	v->meeting = status.meeting;
	for (unsigned bit = 0; bit < BACKEND_ALARM_COUNT; bit++) {
		if ((changed >> bit & 1u) == 0) {
			continue;
		}
		if ((status.alarms >> bit & 1u) != 0) {
			v->alarm_count[bit]++;
			log_line(LOG_LEVEL_WARNING, "%s: %s: %s", v->conf.name,
				 daemon_alarm_name(bit), status.detail);
		} else {
			log_line(LOG_LEVEL_INFO, "%s: over: %s", v->conf.name,
				 daemon_alarm_name(bit));
		}
	}
}

/* Says when a balloon does not do what is asked of it, and when it does again. */
static void tell_balloon(struct poised *d, uint32_t vm)
{
	struct daemon_vm *v = &d->vm[vm];
	const struct poise_vm *core = &d->core.vm[vm];
	const bool stuck = v->running && core->strikes > 0;

	if (stuck && !v->stuck) {
		log_line(LOG_LEVEL_WARNING,
			 "%s: its balloon does not move: left at %" PRIu64 " pages for a while",
			 v->conf.name, core->actual_pages);
	} else if (!stuck && v->stuck) {
		log_line(LOG_LEVEL_INFO, "%s: its balloon is no longer stuck", v->conf.name);
	}
	v->stuck = stuck;
}

void daemon_tick(struct poised *d)
{
	const uint64_t now = daemon_now_ms();
	unsigned wrong;

	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured) {
			d->backend->poll(d->ctx, i);
			if (d->vm[i].running) {
				sample_vm(d, i, now);
			}
			tell_alarms(d, i);
		}
	}
	daemon_look_at_host(d);
	daemon_expect(poise_tick(&d->core, daemon_now_ms()), "tick");
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
	if (d->record != NULL && fflush(d->record) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be written to: the recording ends here",
			 d->conf->record);
		daemon_record_stop(d, d->record);
	}
	service_alive();
}
