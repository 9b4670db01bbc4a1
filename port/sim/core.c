/* SPDX-License-Identifier: MIT */
/*
 * The port of the core: four operations over the simulated host's books, the polling of the guests'
 * pages, and the interval. As in any port there is no policy here. poise_check runs after every
 * step.
 */
#include "host.h"
#include "record.h"

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct sim_host *h = ctx;
	struct sim_guest *g = &h->guest[vm];

	g->allowed_pages = target_pages;
	g->epoch = epoch;
	return POISE_OK;
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct sim_host *h = ctx;

	*pages = sim_guest_pages(&h->guest[vm]);
	return POISE_OK;
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct sim_host *h = ctx;
	struct sim_guest *g = &h->guest[vm];

	poise_host_page_write(g->host_page, &g->writer, notice);
}

static void port_event(void *ctx, const struct poise_event *event)
{
	struct sim_host *h = ctx;
	char line[RECORD_LINE_MAX];

	if (h->record != NULL) {
		record_format(event, line, sizeof(line));
		fputs(line, h->record);
	}
}

static const struct poise_port port = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

bool sim_core_start(struct sim_host *h, const struct poise_config *config, const char **error)
{
	enum poise_err err;

	h->with_core = true;
	if (h->record != NULL) {
		fputs(RECORD_HEADER "\n", h->record);
	}
	err = poise_init(&h->core, sizeof(h->core), config, &port, h);
	for (uint32_t i = 0; err == POISE_OK && i < h->scenario->vm_count; i++) {
		const struct sim_vm_config *c = &h->config[i];
		const struct poise_vm_config vm = {
			.min_pages = c->min_pages,
			.boot_pages = c->boot_pages,
			.max_pages = c->max_pages,
			.weight = c->weight,
		};

		err = poise_vm_add(&h->core, i, &vm, sim_guest_pages(&h->guest[i]));
	}
	*error = err == POISE_OK ? NULL : poise_strerror(err);
	return err == POISE_OK;
}

static void check(struct sim_host *h)
{
	h->meter.checks++;
	if (poise_check(&h->core) != 0) {
		h->meter.violations++;
	}
}

static void acknowledge(struct sim_host *h, uint32_t vm)
{
	struct sim_guest *g = &h->guest[vm];
	const uint64_t pages = sim_guest_pages(g);

	/* The host's own count has changed, or the guest says that it is done. */
	if (pages != h->core.vm[vm].actual_pages || g->answered) {
		g->answered = false;
		if (poise_ack(&h->core, vm, g->epoch, pages, h->now_us / 1000u) == POISE_OK) {
			check(h);
		}
	}
}

void sim_core_step(struct sim_host *h, uint64_t before_us)
{
	const uint64_t now_ms = h->now_us / 1000u;
	const uint64_t interval_us = h->core.config.interval_ms * UINT64_C(1000);
	const uint32_t count = h->scenario->vm_count;

	for (uint32_t i = 0; i < count; i++) {
		struct sim_guest *g = &h->guest[i];

		acknowledge(h, i);
		if (g->rang) {
			g->rang = false;
			/* A bad page is the guest's, and counted in the core. */
			(void)!poise_poll(&h->core, i, now_ms, g->page);
			check(h);
		}
	}
	if (h->now_us / interval_us == before_us / interval_us) {
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		(void)!poise_poll(&h->core, i, now_ms, h->guest[i].page);
	}
	if (poise_tick(&h->core, now_ms) != POISE_OK) {
		h->meter.violations++;
	}
	check(h);
}
