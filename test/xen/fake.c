/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's part of the fake Xen: domains, limits, free memory, grants, event channels.
 */
#undef __STRICT_ANSI__ /* Xen's headers need GNU C. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include "fake_inside.h"

#define DOMAINS 8
#define GRANTS  32

struct domain {
	bool used, introduced;
	uint64_t pages, limit, extra;
	xc_domaininfo_t info;
};

struct grant {
	uint32_t domid;
	unsigned ref;
	unsigned mapped;
	_Alignas(4096) unsigned char page[4096];
};

int fake_faults[FAKE_FAULTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct domain domains[DOMAINS];
static struct grant grants[GRANTS];
static struct fake_free memory;
static unsigned char births;
static int bell_fd = -1;
static uint32_t pending_port;
static bool masked[1024];

void fake_lock(void)
{
	pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void fake_reset(void)
{
	fake_lock();
	memset(fake_faults, 0, sizeof(fake_faults));
	memset(domains, 0, sizeof(domains));
	memset(grants, 0, sizeof(grants));
	memset(masked, 0, sizeof(masked));
	memory = (struct fake_free){.free_pages = 100000};
	pending_port = 0;
	fake_store_reset();
	fake_unlock();
}

void fake_fault(enum fake_fault which, int value)
{
	fake_lock();
	fake_faults[which] = value;
	fake_unlock();
}

static struct domain *find(uint32_t domid)
{
	for (size_t i = 0; i < DOMAINS; i++) {
		if (domains[i].used && domains[i].info.domain == domid) {
			return &domains[i];
		}
	}
	return NULL;
}

bool fake_introduced(uint32_t domid)
{
	const struct domain *d = find(domid);
	return d != NULL && d->introduced;
}

static void number(uint32_t domid, const char *node, uint64_t value)
{
	char path[96], text[32];
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, node);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	fake_node_locked(path, text, strlen(text));
}

/* Kept in the order of their numbers, as Xen lists them: tests add them so. */
static struct domain *birth(uint32_t domid, const char *name)
{
	char path[96];
	struct domain *d = NULL;
	for (size_t i = 0; d == NULL && i < DOMAINS; i++) {
		d = domains[i].used ? NULL : &domains[i];
	}
	if (d == NULL) {
		abort();
	}
	*d = (struct domain){.used = true};
	d->info.domain = (domid_t)domid;
	d->info.handle[0] = ++births;
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", domid);
	fake_node_locked(path, name, strlen(name));
	snprintf(path, sizeof(path), "/libxl/%" PRIu32, domid);
	fake_node_locked(path, "", 0);
	return d;
}

void fake_domain(uint32_t domid, const char *name, uint64_t pages, uint64_t extra)
{
	fake_lock();
	struct domain *d = birth(domid, name);
	d->pages = pages + extra;
	d->limit = pages + 256;
	d->extra = extra;
	d->introduced = true;
	d->info.cpu_time = 1;
	number(domid, "memory/static-max", pages * 4);
	number(domid, "memory/target", pages * 4);
	fake_fire("@introduceDomain");
	fake_unlock();
}

void fake_domain_building(uint32_t domid, const char *name, uint64_t limit)
{
	fake_lock();
	struct domain *d = birth(domid, name);
	d->pages = 1000;
	d->limit = limit;
	d->info.flags = XEN_DOMINF_paused;
	fake_unlock();
}

void fake_domain_ran(uint32_t domid)
{
	fake_lock();
	struct domain *d = find(domid);
	d->introduced = true;
	d->info.cpu_time = 1;
	d->info.flags = 0;
	fake_fire("@introduceDomain");
	fake_unlock();
}

void fake_domain_gone(uint32_t domid)
{
	char path[96];
	fake_lock();
	find(domid)->used = false;
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32, domid);
	fake_node_locked(path, NULL, 0);
	snprintf(path, sizeof(path), "/libxl/%" PRIu32, domid);
	fake_node_locked(path, NULL, 0);
	fake_fire("@releaseDomain");
	fake_unlock();
}

void fake_domain_flags(uint32_t domid, uint32_t flags)
{
	fake_lock();
	find(domid)->info.flags = flags;
	fake_fire("@releaseDomain");
	fake_unlock();
}

static uint64_t target_of(uint32_t domid)
{
	char path[96], text[64];
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/memory/target", domid);
	return strtoull(fake_read(path, text), NULL, 10) / 4;
}

void fake_domain_balloon(uint32_t domid, uint64_t step)
{
	const uint64_t target = target_of(domid);
	fake_lock();
	struct domain *d = find(domid);
	const uint64_t want = target + d->extra;
	if (d->pages > want) {
		d->pages -= d->pages - want < step ? d->pages - want : step;
	} else {
		const uint64_t most = want < d->limit ? want : d->limit;
		if (most > d->pages) {
			d->pages += most - d->pages < step ? most - d->pages : step;
		}
	}
	fake_unlock();
}

void fake_domain_greedy(uint32_t domid)
{
	fake_lock();
	struct domain *d = find(domid);
	d->pages = d->limit > d->pages ? d->limit : d->pages;
	fake_unlock();
}

uint64_t fake_domain_pages(uint32_t domid)
{
	fake_lock();
	const uint64_t pages = find(domid)->pages;
	fake_unlock();
	return pages;
}

uint64_t fake_domain_limit(uint32_t domid)
{
	fake_lock();
	const uint64_t limit = find(domid)->limit;
	fake_unlock();
	return limit;
}

void fake_domain_set(uint32_t domid, uint64_t pages, uint64_t limit)
{
	fake_lock();
	find(domid)->pages = pages;
	find(domid)->limit = limit;
	fake_unlock();
}

void fake_free_memory(const struct fake_free *m)
{
	fake_lock();
	memory = *m;
	fake_unlock();
}

static struct grant *grant_of(uint32_t domid, unsigned ref)
{
	for (size_t i = 0; i < GRANTS; i++) {
		if (grants[i].ref == ref && grants[i].domid == domid) {
			return &grants[i];
		}
	}
	return NULL;
}

static struct grant *grant_new(uint32_t domid, unsigned ref)
{
	struct grant *g = grant_of(domid, ref);
	for (size_t i = 0; g == NULL && i < GRANTS; i++) {
		g = grants[i].ref == 0 ? &grants[i] : NULL;
	}
	if (g == NULL) {
		abort();
	}
	g->domid = domid;
	g->ref = ref;
	return g;
}

struct poise_guest_page *fake_announce(uint32_t domid, unsigned ref, const char *generation)
{
	char path[96];
	fake_lock();
	struct grant *guest = grant_new(domid, ref);
	(void)grant_new(domid, ref + 1);
	number(domid, "data/poise/version", 1);
	number(domid, "data/poise/guest-ref", ref);
	number(domid, "data/poise/host-ref", ref + 1);
	number(domid, "data/poise/event-channel", ref + 100);
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/data/poise/generation", domid);
	fake_node_locked(path, generation, strlen(generation));
	fake_unlock();
	return (struct poise_guest_page *)(void *)guest->page;
}

unsigned fake_mapped(void)
{
	unsigned count = 0;
	fake_lock();
	for (size_t i = 0; i < GRANTS; i++) {
		count += grants[i].mapped;
	}
	fake_unlock();
	return count;
}

void fake_ring(uint32_t port)
{
	const uint64_t one = 1;
	fake_lock();
	if (!masked[port]) {
		pending_port = port;
		(void)!write(bell_fd, &one, sizeof(one));
	}
	fake_unlock();
}

/* libxenctrl */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild,
				unsigned flags)
{
	(void)logger, (void)dombuild, (void)flags;
	return (xc_interface *)(void *)domains;
}

int xc_interface_close(xc_interface *xc)
{
	(void)xc;
	return 0;
}

int xc_domain_getinfolist(xc_interface *xc, uint32_t first, unsigned most, xc_domaininfo_t *info)
{
	unsigned count = 0;
	(void)xc;
	fake_lock();
	for (uint32_t domid = first; domid < first + 4096 && count < most; domid++) {
		struct domain *d = find(domid);
		if (d != NULL) {
			d->info.tot_pages = d->pages;
			d->info.max_pages = d->limit;
			info[count++] = d->info;
		}
	}
	const int result = fake_faults[FAKE_LIST_FAILS] != 0 ? -1 : (int)count;
	fake_unlock();
	return result;
}

int xc_domain_setmaxmem(xc_interface *xc, uint32_t domid, uint64_t max_memkb)
{
	(void)xc;
	fake_lock();
	struct domain *d = find(domid);
	const bool fails = d == NULL || fake_faults[FAKE_LIMIT_FAILS] != 0;
	if (!fails) {
		d->limit = max_memkb / 4;
	}
	fake_unlock();
	errno = fails ? ESRCH : 0;
	return fails ? -1 : 0;
}

int xc_physinfo(xc_interface *xc, xc_physinfo_t *info)
{
	(void)xc;
	fake_lock();
	info->total_pages = 1000000;
	info->free_pages = memory.free_pages;
	info->scrub_pages = memory.scrub_pages;
	info->outstanding_pages = memory.outstanding_pages;
	fake_unlock();
	return 0;
}

/* libxengnttab */

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags)
{
	(void)logger, (void)flags;
	return (xengnttab_handle *)(void *)grants;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	(void)xgt;
	return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot)
{
	(void)xgt, (void)prot;
	fake_lock();
	struct grant *g = grant_of(domid, ref);
	const bool fails = g == NULL || fake_faults[FAKE_MAP_FAILS] != 0;
	if (fails) {
		fake_faults[FAKE_MAP_FAILS] -= fake_faults[FAKE_MAP_FAILS] > 0;
	} else {
		g->mapped++;
	}
	fake_unlock();
	errno = EINVAL;
	return fails ? NULL : g->page;
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count)
{
	(void)xgt, (void)count;
	fake_lock();
	for (size_t i = 0; i < GRANTS; i++) {
		if (grants[i].page == start) {
			grants[i].mapped--;
		}
	}
	fake_unlock();
	return 0;
}

/* libxenevtchn: a port of ours has the number of the guest's. */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags)
{
	(void)logger, (void)flags;
	bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return (xenevtchn_handle *)(void *)masked;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	(void)xce;
	close(bell_fd);
	bell_fd = -1;
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	(void)xce;
	return bell_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
						     evtchn_port_t port)
{
	(void)xce, (void)domid;
	return fake_faults[FAKE_BIND_FAILS] != 0 || port >= 1024 ? -1 : (int)port;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce, (void)port;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	uint64_t count;
	(void)xce;
	fake_lock();
	const bool got = read(bell_fd, &count, sizeof(count)) == sizeof(count);
	const int port = got ? (int)pending_port : -1;
	if (got) {
		masked[port] = true;
	}
	fake_unlock();
	return port;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	fake_lock();
	masked[port] = false;
	fake_unlock();
	return 0;
}

/* libxentoollog */

xentoollog_logger_stdiostream *xtl_createlogger_stdiostream(FILE *f, xentoollog_level min_level,
							    unsigned flags)
{
	(void)f, (void)min_level, (void)flags;
	return (xentoollog_logger_stdiostream *)(void *)&memory;
}

void xtl_logger_destroy(struct xentoollog_logger *logger)
{
	(void)logger;
}
