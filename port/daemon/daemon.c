/* SPDX-License-Identifier: MIT */
/*
 * The daemon's loop: what the backend tells goes to the core, what the core decides goes to the
 * backend, and a timer makes the ticks. Holds no policy.
 */
#include "daemon.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "poise_seq.h"
#include "record.h"
#include "service.h"

/* How often urgent words are looked at. Relief starts one of these after the word was raised. */
#define WORDS_MS 20
/* A pool that the host bounds follows upwards in steps of 4 MiB, so that not every reading is a
 * record. */
#define POOL_STEP_PAGES 1024u
/* Above all reservations, so that there is always room to take another VM in with one page. */
#define POOL_LEAST_PAGES POISE_VM_MAX
/* With on_exit = "boot": how long the guests have to get there, and how often it is looked. */
#define LEAVE_MS      10000u
#define LEAVE_TICK_MS 100

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t daemon_now_ms(void)
{
	return now_us() / 1000u;
}

uint32_t daemon_find(const struct poised *d, const char *name)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured && strcmp(d->vm[i].conf.name, name) == 0) {
			return i;
		}
	}
	return POISE_VM_MAX;
}

/* --- the core's port --- */

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct poised *d = ctx;

	if (d->urgent_us != 0) {
		const uint64_t took = now_us() - d->urgent_us;

		d->relief_count++;
		d->relief_max_us = took > d->relief_max_us ? took : d->relief_max_us;
		d->urgent_us = 0;
	}
	d->vm[vm].resizes++;
	return d->backend->resize(d->ctx, vm, target_pages, epoch);
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct poised *d = ctx;

	return d->backend->measure(d->ctx, vm, pages);
}

/* Writes the last notice, also when the page is a new one or somebody else has written to it. */
static void tell(struct poised *d, uint32_t vm)
{
	struct daemon_vm *v = &d->vm[vm];

	if (!v->noticed || v->host == NULL) {
		return;
	}
	poise_host_page_write(v->host, &v->writer, &v->notice);
	if (d->backend->told != NULL) {
		d->backend->told(d->ctx, vm);
	}
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct poised *d = ctx;

	d->vm[vm].notice = *notice;
	d->vm[vm].noticed = true;
	tell(d, vm);
}

static void sinks_write(struct poised *d, const char *line, size_t size)
{
	for (size_t i = 0; i < SINKS_MAX; i++) {
		struct sink *sink = &d->sink[i];

		if (sink->write != NULL && !sink->write(sink->ctx, line, size)) {
			sink->write = NULL;
		}
	}
}

static void port_event(void *ctx, const struct poise_event *event)
{
	struct poised *d = ctx;
	char line[RECORD_LINE_MAX];

	history_add(&d->vm[event->vm].history, event);
	for (size_t i = 0; i < SINKS_MAX; i++) {
		if (d->sink[i].write != NULL) {
			sinks_write(d, line, record_format(event, line, sizeof(line)));
			return;
		}
	}
}

static const struct poise_port port = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

/* --- the pool --- */

/* Counts a refusal that is no reason to stop. */
static void expect(struct poised *d, enum poise_err err, const char *what)
{
	(void)d;
	if (err != POISE_OK) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", what, poise_strerror(err));
	}
}

/* A VM's configuration as the core can take it now: no limit above the pool, which the host may
 * have bound. */
static struct poise_vm_config config_now(const struct poised *d, uint32_t slot)
{
	const struct daemon_vm *v = &d->vm[slot];
	struct poise_vm_config config = v->conf.core;

	config.flags |= v->frozen || v->paused ? POISE_VM_FREEZE : 0u;
	config.flags |= d->leaving ? POISE_VM_STATIC : 0u;
	if (config.max_pages > d->core.config.pool_pages) {
		config.max_pages = d->core.config.pool_pages;
	}
	if (config.boot_pages > config.max_pages) {
		config.boot_pages = config.max_pages;
	}
	return config;
}

enum poise_err daemon_vm_apply(struct poised *d, uint32_t slot)
{
	const struct poise_vm_config config = config_now(d, slot);

	return memcmp(&d->core.vm[slot].config, &config, sizeof(config)) == 0
		       ? POISE_OK
		       : poise_vm_set(&d->core, slot, &config);
}

static void apply_all(struct poised *d)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].running) {
			expect(d, daemon_vm_apply(d, i), d->vm[i].conf.name);
		}
	}
}

void daemon_pool_update(struct poised *d)
{
	uint64_t charged = 0;
	uint64_t reserved = POOL_LEAST_PAGES;
	const uint64_t now = d->core.config.pool_pages;
	bool known = d->host_known;
	uint64_t pool;

	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		known = known && !(d->vm[i].configured && d->vm[i].meeting);
		charged += poise_vm_charge(&d->core.vm[i]);
		reserved += d->vm[i].running ? d->vm[i].conf.core.min_pages : 0;
	}
	if (!known) {
		pool = charged;
	} else {
		pool = d->conf->host_reserve_pages == 0 ? d->pool_pages : charged + d->host_free;
	}
	pool = pool > reserved ? pool : reserved;
	pool = pool > d->pool_pages ? d->pool_pages : pool;
	if (pool == now || (pool > now && pool < now + POOL_STEP_PAGES && pool != d->pool_pages)) {
		return;
	}
	if (known && pool < d->pool_pages && now >= d->pool_pages) {
		log_line(LOG_LEVEL_WARNING,
			 "the host has less free than the pool says: it gives %" PRIu64
			 " of %" PRIu64 " pages for now",
			 pool, d->pool_pages);
	} else if (pool == d->pool_pages && now < pool) {
		log_line(LOG_LEVEL_DEBUG, "the whole pool is there again: %" PRIu64 " pages", pool);
	}
	expect(d, poise_pool_set(&d->core, pool), "pool");
	apply_all(d);
}

/*
 * Takes a VM into the core. It is charged before the pool is made larger by what it has: in the
 * other order somebody who waits would be given its memory. Until then there is room for a
 * reservation of one page (POOL_LEAST_PAGES); the caller applies the real one.
 */
static enum poise_err add_vm(struct poised *d, uint32_t slot, uint64_t pages)
{
	struct poise_vm_config config = config_now(d, slot);
	enum poise_err err;

	config.min_pages = 1;
	err = poise_vm_add(&d->core, slot, &config, pages);
	d->vm[slot].running = err == POISE_OK;
	return err;
}

static void look_at_host(struct poised *d)
{
	const enum poise_err err =
		d->backend->host_free(d->ctx, d->conf->host_reserve_pages, &d->host_free);
	/* With no reserve for the host nobody looks at it. */
	const bool known = d->conf->host_reserve_pages == 0 ||
			   (err == POISE_OK && d->host_free <= POISE_PAGES_MAX);

	if (d->host_known != known) {
		log_line(known ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
			 known ? "the host's free memory is known"
			       : "the host's free memory cannot be read: nothing is given");
	}
	d->host_known = known;
	d->host_errors += !known;
	daemon_pool_update(d);
}

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
	v->paused = false;
	v->source = SOURCE_NONE;
	v->page_ms = 0;
	v->noticed = false;
	err = add_vm(d, vm, pages);
	if (err != POISE_OK) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be taken in: %s", v->conf.name,
			 poise_strerror(err));
		return;
	}
	daemon_pool_update(d);
	expect(d, daemon_vm_apply(d, vm), v->conf.name);
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
		expect(d, poise_vm_restart(&d->core, vm, pages), d->vm[vm].conf.name);
	}
}

static void vm_gone(void *daemon, uint32_t vm)
{
	struct poised *d = daemon;
	struct daemon_vm *v = &d->vm[vm];

	v->host = NULL;
	if (v->running) {
		v->running = false;
		v->source = SOURCE_NONE;
		log_line(LOG_LEVEL_INFO, "%s: is gone", v->conf.name);
		expect(d, poise_vm_remove(&d->core, vm), v->conf.name);
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
			expect(d, daemon_vm_apply(d, vm), v->conf.name);
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
			expect(d, err, d->vm[vm].conf.name);
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
	d->urgent_us = now_us();
	poll_page(d, vm, page);
	d->urgent_us = 0;
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

static const struct backend_calls calls = {
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
	    (v->host != NULL && v->writer.seq != POISE_SEQ_LOAD(&v->host->head.seq))) {
		v->host = pages.host;
		if (v->host != NULL) {
			/* Even, and other than what any reader has seen; updates by the clock, so
			 * that no earlier daemon has used them. */
			v->writer.seq = (POISE_SEQ_LOAD(&v->host->head.seq) + 2u) & ~1u;
			v->writer.update = v->writer.update > now ? v->writer.update : now;
			tell(d, vm);
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
	look_at_host(d);
	expect(d, poise_tick(&d->core, daemon_now_ms()), "tick");
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

/* --- timers and signals --- */

static void words_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct poised *d = ctx;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].source == SOURCE_PAGE) {
			vm_doorbell(d, i);
		}
	}
}

static bool at_boot_sizes(const struct poised *d)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *v = &d->core.vm[i];

		/* Nearly: the reserve for urgent requests stays free. */
		if (d->vm[i].running && (v->config.flags & POISE_VM_FREEZE) == 0 &&
		    v->actual_pages + v->config.boot_pages / 32u < v->config.boot_pages) {
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
	daemon_tick(d);
	if (d->leaving && (at_boot_sizes(d) || daemon_now_ms() > d->leave_ms)) {
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
	d->leave_ms = daemon_now_ms() + LEAVE_MS;
	apply_all(d);
	event_add(d->tick, &often);
	log_line(LOG_LEVEL_INFO, "the guests are asked back to their boot sizes");
}

static void reload_signal(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	daemon_reload(ctx);
}

/* --- recordings --- */

static bool record_file_write(void *ctx, const char *line, size_t size)
{
	return fwrite(line, 1, size, ctx) == size;
}

static enum poise_err core_start(struct poised *d)
{
	struct poise_config config = d->conf->core;

	config.pool_pages = d->pool_pages;
	return poise_init(&d->core, sizeof(d->core), &config, &port, d);
}

static const char *sink_add(struct poised *d, const struct sink *sink)
{
	for (size_t i = 0; i < SINKS_MAX; i++) {
		if (d->sink[i].write == NULL) {
			d->sink[i] = *sink;
			return sink->write(sink->ctx, RECORD_HEADER "\n", sizeof(RECORD_HEADER))
				       ? NULL
				       : "cannot be written to";
		}
	}
	return "too many recordings at once";
}

const char *daemon_record_start(struct poised *d, const struct sink *sink)
{
	uint64_t before[POISE_VM_MAX];
	const char *wrong = sink_add(d, sink);

	if (wrong != NULL) {
		daemon_record_stop(d, sink->ctx);
		return wrong;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		/* What is on its way to a VM stays charged until it has been measured. */
		before[i] = poise_vm_charge(&d->core.vm[i]);
	}
	expect(d, core_start(d), "recording");
	expect(d, poise_pool_set(&d->core, POOL_LEAST_PAGES), "recording");
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].running) {
			expect(d, add_vm(d, i, before[i]), d->vm[i].conf.name);
		}
	}
	daemon_pool_update(d);
	apply_all(d);
	return NULL;
}

void daemon_record_stop(struct poised *d, const void *ctx)
{
	for (size_t i = 0; i < SINKS_MAX; i++) {
		if (d->sink[i].ctx == ctx) {
			d->sink[i] = (struct sink){0};
		}
	}
	if (d->record != NULL && ctx == d->record) {
		fclose(d->record);
		d->record = NULL;
	}
}

static int record_open(struct poised *d)
{
	const char *wrong;
	struct sink sink = {.write = record_file_write};

	if (d->conf->record[0] == '\0') {
		return 0;
	}
	d->record = fopen(d->conf->record, "we");
	if (d->record == NULL) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be opened for the recording",
			 d->conf->record);
		return -1;
	}
	sink.ctx = d->record;
	wrong = sink_add(d, &sink);
	return wrong == NULL ? 0 : -1;
}

/* --- start and end --- */

int daemon_vm_open(struct poised *d, uint32_t slot, struct config_vm *vm)
{
	struct daemon_vm *v = &d->vm[slot];

	*v = (struct daemon_vm){.conf = *vm, .configured = true, .meeting = true};
	vm->settings = NULL;
	if (d->backend->vm_open(d->ctx, slot, v->conf.name, v->conf.settings,
				v->conf.core.max_pages) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s: no memory", v->conf.name);
		d->backend->settings_free(v->conf.settings);
		*v = (struct daemon_vm){0};
		return -1;
	}
	return 0;
}

static int find_pool(struct poised *d)
{
	char error[CONFIG_ERROR_MAX];

	d->pool_pages = d->conf->pool_pages;
	if (d->pool_pages == 0) {
		uint64_t total = 0;

		if (d->backend->host_total(d->ctx, &total) != POISE_OK ||
		    total <= d->conf->host_reserve_pages) {
			log_line(LOG_LEVEL_ERROR,
				 "%s: pool = \"auto\": the host has no more than "
				 "its reserve",
				 d->conf_path);
			return -1;
		}
		d->pool_pages = total - d->conf->host_reserve_pages;
	}
	if (conf_fits(d->conf, d->pool_pages, error) != NULL) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", d->conf_path, error);
		return -1;
	}
	return 0;
}

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
	d->started_ms = daemon_now_ms();
	d->base = event_base_new();
	if (d->base == NULL) {
		log_line(LOG_LEVEL_ERROR, "no memory");
		return -1;
	}
	d->env = (struct backend_env){.base = d->base,
				      .calls = &calls,
				      .daemon = d,
				      .interval_ms = conf->core.interval_ms};
	d->ctx = d->backend->open(&d->env, conf->own, error);
	if (d->ctx == NULL) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", d->backend->name, error);
		return -1;
	}
	d->host_known = true;
	if (find_pool(d) != 0 || record_open(d) != 0 || core_start(d) != POISE_OK) {
		return -1;
	}
	d->control = control_open(d);
	if (d->control == NULL || timers_open(d) != 0) {
		return -1;
	}
	for (uint32_t i = 0; i < conf->vm_count; i++) {
		if (daemon_vm_open(d, i, &conf->vm[i]) != 0) {
			return -1;
		}
	}
	return 0;
}

int daemon_run(struct poised *d)
{
	log_line(LOG_LEVEL_INFO, "%s: pool %" PRIu64 " pages, %u VMs, interval %u ms",
		 d->backend->name, d->pool_pages, d->conf->vm_count, d->core.config.interval_ms);
	daemon_tick(d);
	service_ready();
	return event_base_dispatch(d->base) < 0 ? -1 : 0;
}

void daemon_close(struct poised *d)
{
	struct event *events[] = {d->tick, d->words, d->term, d->interrupt, d->hup};

	if (d->control != NULL) {
		control_close(d->control);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured) {
			d->backend->vm_close(d->ctx, i);
			d->backend->settings_free(d->vm[i].conf.settings);
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
