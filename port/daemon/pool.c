/* SPDX-License-Identifier: MIT */
/* The pool; see pool.h. */
#include "pool.h"

#include <inttypes.h>

#include "vms.h"

/* A pool that the host bounds follows upwards in steps of 4 MiB, so that not every reading is a
 * record. */
#define POOL_STEP_PAGES 1024u

int pool_find(struct poised *d)
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

void pool_update(struct poised *d)
{
	uint64_t charged = 0;
	uint64_t reserved = POOL_LEAST_PAGES;
	const uint64_t now = d->core.config.pool_pages;
	bool known = d->host_known;
	uint64_t pool;

	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		known = known && !(d->vm[i].configured && d->vm[i].adopting);
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
	log_unexpected(poise_pool_set(&d->core, pool), "pool");
	vms_apply_all(d);
}

void pool_check_host(struct poised *d)
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
	pool_update(d);
}
