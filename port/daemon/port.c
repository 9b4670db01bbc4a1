/* SPDX-License-Identifier: MIT */
/* The daemon's port of Poise: the core's four operations. See port.h. */
#include "port.h"

#include "clock.h"

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct poised *d = ctx;

	port_relief_asked(&d->relief, clock_now_us());
	d->vm[vm].resizes++;
	return d->backend->resize(d->ctx, vm, target_pages, epoch);
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct poised *d = ctx;

	return d->backend->measure(d->ctx, vm, pages);
}

void port_tell(struct poised *d, uint32_t vm)
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
	port_tell(d, vm);
}

static void port_event(void *ctx, const struct poise_event *event)
{
	struct poised *d = ctx;

	history_add(&d->vm[event->vm].history, event);
	sinks_write(&d->sinks, event);
}

static const struct poise_port port = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

enum poise_err port_start(struct poised *d)
{
	struct poise_config config = d->conf->core;

	config.pool_pages = d->pool_pages;
	return poise_init(&d->core, sizeof(d->core), &config, &port, d);
}
