/* SPDX-License-Identifier: MIT */
/* Where a VM's statistics come from; see source.h. */
#include "source.h"

#include "clock.h"
#include "poise_seq.h"
#include "port.h"
#include "words.h"

/* Reads a VM's page and acts on its urgent word. Errors are the guest's and are counted in the
 * core. */
static void poll_page(struct poised *d, uint32_t vm, const struct poise_guest_page *page)
{
	const enum poise_err err = poise_poll(&d->core, vm, clock_now_ms(), page);

	if (err != POISE_OK) {
		log_line(LOG_LEVEL_DEBUG, "%s: %s", d->vm[vm].conf.name, poise_strerror(err));
	}
}

static void serve_urgent(struct poised *d, uint32_t vm, const struct poise_guest_page *page)
{
	d->vm[vm].urgents++;
	port_relief_begin(&d->relief, clock_now_us());
	poll_page(d, vm, page);
	port_relief_end(&d->relief);
}

void source_doorbell(struct poised *d, uint32_t vm)
{
	struct backend_pages pages = {0};

	if (d->vm[vm].running && d->vm[vm].source == SOURCE_PAGE) {
		d->backend->pages(d->ctx, vm, &pages);
		if (pages.guest != NULL &&
		    poise_page_urgent(pages.guest) != d->core.vm[vm].urgent_word) {
			serve_urgent(d, vm, pages.guest);
		}
	}
}

/* Looks in a row at a page that does not change, before it counts as left by its driver. */
#define STILL_LOOKS 5u

/* Whether statistics by other means are wanted: there is no page, or its driver has left it. */
static bool is_left(struct daemon_vm *v, const struct poise_guest_page *page)
{
	const uint32_t seq = page != NULL ? POISE_SEQ_LOAD(&page->head.seq) : 0;

	v->page_still = seq != v->page_seq ? 0 : v->page_still + (v->page_still < STILL_LOOKS);
	v->page_seq = seq;
	return seq == 0 || v->page_still >= STILL_LOOKS;
}

/* Whether the guest's page has something new. One that has never held a page is no page yet. */
static void check_page(struct poised *d, uint32_t vm, const struct poise_guest_page *page,
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

void source_sample(struct poised *d, uint32_t vm, uint64_t now)
{
	struct daemon_vm *v = &d->vm[vm];
	struct backend_pages pages = {0};
	enum source source;

	d->backend->pages(d->ctx, vm, &pages);
	check_page(d, vm, pages.guest, now);
	v->want_stats = is_left(v, pages.guest);
	source = choose_source(d, vm, &pages, now);
	if (source != v->source) {
		log_line(LOG_LEVEL_INFO, "%s: statistics from %s", v->conf.name,
			 words_source(source));
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
			port_tell(d, vm);
		}
	}
}
