/* SPDX-License-Identifier: MIT */
/*
 * Looks at Xen's list and asks xenstore about each domain in it.
 */
#include <string.h>

#include "domains.h"
#include "log.h"

#define LIST_STEP      16
#define NAMELESS_SCANS 10  /* whoever builds a domain has given it a name by then */
#define ZOMBIE_PAGES   256 /* a dead domain that has no more than this is nobody's memory */

static struct xen_known *known_find(struct xen_domains *d, uint32_t domid)
{
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		if (d->known[i].used && d->known[i].domid == domid) {
			return &d->known[i];
		}
	}
	return NULL;
}

static void forget(struct xen_domains *d, struct xen_known *k)
{
	xen_store_remove(d->c->store, k->domid);
	if (k->vm != NULL) {
		log_line(LOG_LEVEL_INFO, "%s: domain %u is gone", k->vm->name, k->domid);
		xen_vm_lost(d->c, k->vm, false);
	}
	*k = (struct xen_known){0};
}

static void adopt(struct xen_domains *d, const struct xen_info *info)
{
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		struct xen_known *k = &d->known[i];
		if (!k->used && xen_store_add(d->c->store, info->domid)) {
			*k = (struct xen_known){.used = true,
						.seen = true,
						.open = true,
						.domid = info->domid,
						.info = *info};
			memcpy(k->handle, info->handle, sizeof(k->handle));
			return;
		}
	}
	d->crowded = true;
}

static void see(struct xen_domains *d, const struct xen_info *info)
{
	struct xen_known *k = known_find(d, info->domid);
	if (k != NULL && memcmp(k->handle, info->handle, sizeof(k->handle)) != 0) {
		forget(d, k); /* The number has been used again. */
		k = NULL;
	}
	if (k == NULL) {
		adopt(d, info);
	} else {
		k->seen = true;
		k->scans += k->scans < NAMELESS_SCANS;
		k->info = *info;
	}
}

/* Returns false if Xen does not list its domains. */
static bool list(struct xen_domains *d)
{
	struct xen_info info[LIST_STEP];
	uint32_t first = 0;
	for (;;) {
		const int count = xen_hyper_list(d->c->xc, first, info, LIST_STEP);
		if (count < 0) {
			return false;
		}
		for (int i = 0; i < count; i++) {
			see(d, &info[i]);
		}
		if (count == 0) {
			return true;
		}
		first = info[count - 1].domid + 1;
	}
}

/* Finds the VM that a domain is, by its name. A second domain of that name waits for the first to
 * go: so it is while one is restarted. */
static struct xen_vm *match(struct xen_domains *d, const char *name, bool *configured)
{
	*configured = false;
	for (size_t i = 0; i < POISE_VM_MAX; i++) {
		struct xen_vm *vm = &d->vm[i];
		if (vm->settings == NULL || strcmp(vm->settings->domain, name) != 0) {
			continue;
		}
		*configured = true;
		for (size_t j = 0; j < XEN_DOMAINS_MAX; j++) {
			if (d->known[j].used && d->known[j].vm == vm) {
				return NULL;
			}
		}
		return vm;
	}
	return NULL;
}

static void tell_stranger(const struct xen_domains *d, struct xen_known *k, const char *name)
{
	const enum xen_boot_kind kind = xen_boot_kind(&d->c->boot, k->domid);
	const char *unfit = xen_vm_unfit(k->domid, XEN_MEMORY_AUTO, kind);
	if (k->told || k->domid == 0) {
		return;
	}
	k->told = true;
	if (name[0] == '\0') {
		log_line(LOG_LEVEL_INFO, "xen: domain %u has no name in xenstore, left alone: %s",
			 k->domid,
			 unfit != NULL             ? unfit
			 : kind == XEN_BOOT_NORMAL ? "built by Xen at boot"
						   : "who it is cannot be told");
	} else {
		log_line(LOG_LEVEL_INFO, "xen: domain %u, %s, is not in the configuration",
			 k->domid, name);
	}
}

/* Who a domain is that is no VM yet. `open` says whether that can still turn out. */
static void identify(struct xen_domains *d, struct xen_known *k,
		     const struct xen_store_result *result)
{
	const char *name = result->domain.name;
	bool configured = false;
	if (!result->known) {
		k->open = true;
	} else if (name[0] == '\0') {
		/* A domain gets its name before its memory, and both before it runs. */
		k->open = !k->info.ran && k->scans < NAMELESS_SCANS && k->domid != 0;
		if (!k->open) {
			tell_stranger(d, k, name);
		}
	} else {
		struct xen_vm *vm = match(d, name, &configured);
		k->open = configured && k->info.dying && k->info.pages > ZOMBIE_PAGES;
		if (vm != NULL && !k->info.dying) {
			k->vm = vm;
			xen_vm_found(d->c, vm, &k->info, result);
		} else if (!configured) {
			tell_stranger(d, k, name);
		}
	}
}

static void refresh(struct xen_domains *d, struct xen_known *k)
{
	struct xen_store_result result;
	if (!xen_store_get(d->c->store, k->domid, &result)) {
		return;
	}
	if (k->vm != NULL) {
		xen_vm_refresh(d->c, k->vm, &k->info, &result);
	} else {
		identify(d, k, &result);
	}
}

bool xen_domains_uncharged(const struct xen_domains *d)
{
	bool open = !d->settled || d->full;
	for (size_t i = 0; i < XEN_DOMAINS_MAX && !open; i++) {
		const struct xen_known *k = &d->known[i];
		open = k->used && (k->vm == NULL ? k->open : k->vm->phase == XEN_ABSENT);
	}
	return open;
}

void xen_domains_refresh(struct xen_domains *d)
{
	bool all = d->listed;
	for (size_t i = 0; i < XEN_DOMAINS_MAX && !d->settled; i++) {
		struct xen_store_result result;
		all = all &&
		      (!d->known[i].used || d->known[i].info.dying ||
		       (xen_store_get(d->c->store, d->known[i].domid, &result) && result.known));
	}
	if (!d->settled && !all) {
		return;
	}
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		if (d->known[i].used) {
			refresh(d, &d->known[i]);
		}
	}
	d->settled = true;
}

void xen_domains_scan(struct xen_domains *d)
{
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		d->known[i].seen = false;
	}
	d->crowded = false;
	const bool listed = list(d);
	if (d->crowded && !d->full) {
		log_line(LOG_LEVEL_WARNING, "xen: more than %d domains: the rest is not looked at",
			 XEN_DOMAINS_MAX);
	}
	d->full = d->crowded;
	if (listed == d->no_list) {
		d->no_list = !listed;
		log_line(listed ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
			 listed ? "xen: domains are listed again" : "xen: cannot list domains");
	}
	for (size_t i = 0; i < XEN_DOMAINS_MAX && listed; i++) {
		if (d->known[i].used && !d->known[i].seen) {
			forget(d, &d->known[i]);
		}
	}
	d->listed = d->listed || listed;
	if (listed) {
		xen_domains_refresh(d);
	}
}

void xen_domains_reconsider(struct xen_domains *d, const struct xen_vm *vm)
{
	for (size_t i = 0; i < XEN_DOMAINS_MAX; i++) {
		struct xen_known *k = &d->known[i];
		k->vm = k->vm == vm ? NULL : k->vm;
		k->open = k->open || k->vm == NULL;
	}
}
