/* SPDX-License-Identifier: MIT */
/*
 * The daemon's side of the core: its port, its pool, and recordings of what it does.
 */
#include <inttypes.h>
#include <string.h>

#include "inside.h"
#include "record.h"

/* A pool that the host bounds follows upwards in steps of 4 MiB, so that not every reading is a
 * record. */
#define POOL_STEP_PAGES 1024u
/* Above all reservations, so that there is always room to take another VM in with one page. */
#define POOL_LEAST_PAGES POISE_VM_MAX

/* --- the core's port --- */

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct poised *d = ctx;

	port_relief_asked(&d->relief, daemon_now_us());
	d->vm[vm].resizes++;
	return d->backend->resize(d->ctx, vm, target_pages, epoch);
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct poised *d = ctx;

	return d->backend->measure(d->ctx, vm, pages);
}

/* Writes the last notice, also when the page is a new one or somebody else has written to it. */
void daemon_tell(struct poised *d, uint32_t vm)
{
	struct daemon_vm *v = &d->vm[vm];

	if (port_notice_write(&v->notice, v->host, &v->writer) && d->backend->told != NULL) {
		d->backend->told(d->ctx, vm);
	}
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct poised *d = ctx;

	port_notice_keep(&d->vm[vm].notice, notice);
	daemon_tell(d, vm);
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
void daemon_expect(enum poise_err err, const char *what)
{
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

void daemon_apply_all(struct poised *d)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].running) {
			daemon_expect(daemon_vm_apply(d, i), d->vm[i].conf.name);
		}
	}
}

/* Once when it begins and once when it is over. */
static void say_if_short(struct poised *d, uint64_t pool)
{
	if (!d->pool_short && pool < d->pool_pages) {
		log_line(LOG_LEVEL_WARNING,
			 "the host has less free than the pool says: it gives %" PRIu64
			 " of %" PRIu64 " pages for now",
			 pool, d->pool_pages);
	} else if (d->pool_short && pool == d->pool_pages) {
		log_line(LOG_LEVEL_DEBUG, "the whole pool is there again: %" PRIu64 " pages", pool);
	}
	d->pool_short = pool < d->pool_pages;
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
	if (known) {
		say_if_short(d, pool);
	}
	if (pool == now || (pool > now && pool < now + POOL_STEP_PAGES && pool != d->pool_pages)) {
		return;
	}
	daemon_expect(poise_pool_set(&d->core, pool), "pool");
	daemon_apply_all(d);
}

/*
 * Takes a VM into the core. It is charged before the pool is made larger by what it has: in the
 * other order somebody who waits would be given its memory. Until then there is room for a
 * reservation of one page (POOL_LEAST_PAGES); the caller applies the real one.
 */
enum poise_err daemon_vm_add(struct poised *d, uint32_t slot, uint64_t pages)
{
	struct poise_vm_config config = config_now(d, slot);
	enum poise_err err;

	config.min_pages = 1;
	err = poise_vm_add(&d->core, slot, &config, pages);
	d->vm[slot].running = err == POISE_OK;
	return err;
}

void daemon_look_at_host(struct poised *d)
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

/* --- recordings --- */

static bool record_file_write(void *ctx, const char *line, size_t size)
{
	return fwrite(line, 1, size, ctx) == size;
}

enum poise_err daemon_core_start(struct poised *d)
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
	daemon_expect(daemon_core_start(d), "recording");
	daemon_expect(poise_pool_set(&d->core, POOL_LEAST_PAGES), "recording");
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].running) {
			daemon_expect(daemon_vm_add(d, i, before[i]), d->vm[i].conf.name);
		}
	}
	daemon_pool_update(d);
	daemon_apply_all(d);
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

int daemon_record_open(struct poised *d)
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
