/* SPDX-License-Identifier: MIT */
/*
 * The backend of poised for Xen's dom0, as the daemon calls it. Which domain is which VM is found
 * in domains.c; what is done with one is in vm.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xentoollog.h>

#include "domains.h"
#include "log.h"
#include "xen.h"

#define LOOK_FAST_MS 20 /* while a domain moves */

/* There is nothing to set. */
struct backend_own_settings {
	char none;
};

struct backend_xen {
	struct xen_context c;
	xentoollog_logger *logger;
	struct event *scan_timer;
	struct event *move_timer;
	struct xen_domains domains;
	struct xen_vm vm[POISE_VM_MAX];
};

/* Configuration. */

static struct backend_vm_settings *vm_read(struct setting_reader *r, config_setting_t *group,
					   const char *name)
{
	struct backend_vm_settings *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		return NULL;
	}
	setting_text(r, group, "domain", s->domain, sizeof(s->domain), name);
	s->memory =
		setting_choice(r, group, "memory", "auto,normal,direct,static", XEN_MEMORY_AUTO);
	return s;
}

static struct backend_own_settings *own_read(struct setting_reader *r, config_setting_t *group)
{
	(void)r, (void)group; /* No keys: the daemon has refused all. */
	return calloc(1, sizeof(struct backend_own_settings));
}

static void vm_settings_free(struct backend_vm_settings *settings)
{
	free(settings);
}

static void own_settings_free(struct backend_own_settings *settings)
{
	free(settings);
}

static bool vm_settings_equal(const struct backend_vm_settings *a,
			      const struct backend_vm_settings *b)
{
	return strcmp(a->domain, b->domain) == 0 && a->memory == b->memory;
}

static bool own_settings_equal(const struct backend_own_settings *a,
			       const struct backend_own_settings *b)
{
	(void)a, (void)b;
	return true;
}

static void scan_due(evutil_socket_t fd, short what, void *arg)
{
	struct backend_xen *b = arg;
	(void)fd, (void)what;
	xen_domains_scan(&b->domains);
}

static void store_changed(void *ctx, bool rescan)
{
	struct backend_xen *b = ctx;
	if (rescan) {
		xen_domains_scan(&b->domains);
	} else {
		xen_domains_refresh(&b->domains);
	}
}

static void look_soon(struct backend_xen *b)
{
	const struct timeval soon = {.tv_usec = LOOK_FAST_MS * 1000};
	if (!evtimer_pending(b->move_timer, NULL)) {
		evtimer_add(b->move_timer, &soon);
	}
}

static void move_due(evutil_socket_t fd, short what, void *arg)
{
	struct backend_xen *b = arg;
	bool again = false;
	(void)fd, (void)what;
	for (size_t i = 0; i < POISE_VM_MAX; i++) {
		again = xen_vm_watch(&b->c, &b->vm[i]) || again;
	}
	if (again) {
		look_soon(b);
	}
}

static void rung(void *ctx, uint32_t vm)
{
	struct backend_xen *b = ctx;
	b->c.env->calls->doorbell(b->c.env->daemon, vm);
}

/* Life. */

static void backend_close(void *ctx)
{
	struct backend_xen *b = ctx;
	for (size_t i = 0; i < POISE_VM_MAX; i++) {
		xen_share_unmap(&b->c.share, &b->vm[i].shared);
	}
	if (b->scan_timer != NULL) {
		event_free(b->scan_timer);
	}
	if (b->move_timer != NULL) {
		event_free(b->move_timer);
	}
	xen_store_stop(b->c.store);
	xen_share_close(&b->c.share);
	xen_hyper_close(b->c.xc);
	if (b->logger != NULL) {
		xtl_logger_destroy(b->logger);
	}
	free(b);
}

/* Returns NULL, or what is missing. */
static const char *backend_connect(struct backend_xen *b)
{
	struct event_base *base = b->c.env->base;
	const struct timeval interval = {.tv_sec = b->c.env->interval_ms / 1000,
					 .tv_usec = b->c.env->interval_ms % 1000 * 1000};
	/* The libraries would write a line for each grant that a guest makes up. */
	b->logger = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
	b->c.xc = xen_hyper_open(b->logger);
	if (b->c.xc == NULL) {
		return "cannot reach Xen: is this dom0, and is the module xen_privcmd loaded?";
	}
	const char *wrong = xen_boot_read(XEN_BOOT_TREE, &b->c.boot);
	if (wrong != NULL) {
		log_line(LOG_LEVEL_WARNING,
			 "xen: " XEN_BOOT_TREE ": %s: who is direct-mapped "
			 "is not known",
			 wrong);
	}
	const char *missing = xen_share_open(&b->c.share, b->logger, base, rung, b);
	if (missing != NULL) {
		return missing;
	}
	b->scan_timer = event_new(base, -1, EV_PERSIST, scan_due, b);
	b->move_timer = evtimer_new(base, move_due, b);
	b->c.store = xen_store_start(base, store_changed, b);
	return b->scan_timer != NULL && b->move_timer != NULL && b->c.store != NULL &&
			       event_add(b->scan_timer, &interval) == 0
		       ? NULL
		       : "no memory";
}

static void *backend_open(const struct backend_env *env, const struct backend_own_settings *own,
			  char error[BACKEND_ERROR_MAX])
{
	(void)own;
	struct backend_xen *b = calloc(1, sizeof(*b));
	if (b == NULL) {
		snprintf(error, BACKEND_ERROR_MAX, "no memory");
		return NULL;
	}
	b->c.env = env;
	b->domains = (struct xen_domains){.c = &b->c, .vm = b->vm};
	const char *missing = backend_connect(b);
	if (missing != NULL) {
		snprintf(error, BACKEND_ERROR_MAX, "%s", missing);
		backend_close(b);
		return NULL;
	}
	return b;
}

static int vm_open(void *ctx, uint32_t vm, const char *name,
		   const struct backend_vm_settings *settings, uint64_t max_pages)
{
	struct backend_xen *b = ctx;
	b->vm[vm] = (struct xen_vm){
		.settings = settings, .name = name, .max_pages = max_pages, .index = vm};
	xen_domains_reconsider(&b->domains, &b->vm[vm]);
	return 0; /* The next scan finds its domain. */
}

static void vm_close(void *ctx, uint32_t vm)
{
	struct backend_xen *b = ctx;
	xen_domains_reconsider(&b->domains, &b->vm[vm]);
	xen_vm_lost(&b->c, &b->vm[vm], true);
	b->vm[vm] = (struct xen_vm){0};
}

static enum poise_err resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct backend_xen *b = ctx;
	const enum poise_err err = xen_vm_resize(&b->c, &b->vm[vm], target_pages, epoch);
	if (err == POISE_OK) {
		look_soon(b);
	}
	return err;
}

static enum poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	struct backend_xen *b = ctx;
	return xen_vm_measure(&b->c, &b->vm[vm], pages);
}

static void vm_poll(void *ctx, uint32_t vm, bool want_stats)
{
	(void)want_stats; /* Xen knows nothing of a guest that its driver does not tell. */
	struct backend_xen *b = ctx;
	xen_vm_poll(&b->c, &b->vm[vm]);
}

static void vm_pages(void *ctx, uint32_t vm, struct backend_pages *out)
{
	const struct backend_xen *b = ctx;
	const struct xen_shared *shared = &b->vm[vm].shared;
	*out = (struct backend_pages){.guest = shared->guest, .host = shared->host};
}

static enum poise_err host_total(void *ctx, uint64_t *pages)
{
	struct backend_xen *b = ctx;
	uint64_t sum;
	if (!xen_hyper_free(b->c.xc, &sum)) {
		return POISE_E_PORT;
	}
	for (size_t i = 0; i < POISE_VM_MAX; i++) {
		const struct xen_vm *vm = &b->vm[i];
		sum += vm->phase == XEN_BUILDING || vm->phase == XEN_RUNNING ? vm->info.pages : 0;
	}
	*pages = sum;
	return POISE_OK;
}

static enum poise_err host_free(void *ctx, uint64_t reserve_pages, uint64_t *pages)
{
	struct backend_xen *b = ctx;
	uint64_t free_pages, claimed = reserve_pages;
	if (!xen_hyper_free(b->c.xc, &free_pages)) {
		return POISE_E_PORT;
	}
	free_pages = b->domains.settled ? free_pages : 0;
	for (size_t i = 0; i < POISE_VM_MAX; i++) {
		claimed += xen_vm_claim(&b->vm[i]);
	}
	*pages = free_pages > claimed ? free_pages - claimed : 0;
	return POISE_OK;
}

static void vm_status(void *ctx, uint32_t vm, struct backend_status *out)
{
	struct backend_xen *b = ctx;
	xen_vm_status(&b->c, &b->vm[vm], out);
	out->adopting = xen_domains_uncharged(&b->domains);
}

/* A domain's number is used again one day, its UUID is not; unless it is configured. */
static bool vm_identity(void *ctx, uint32_t vm, char text[BACKEND_NAME_MAX])
{
	const struct backend_xen *b = ctx;
	const struct xen_info *info = &b->vm[vm].info;
	int used = snprintf(text, BACKEND_NAME_MAX, "%u:", info->domid);

	for (size_t i = 0; i < sizeof(info->handle); i++) {
		used += snprintf(text + used, BACKEND_NAME_MAX - (size_t)used, "%02x",
				 info->handle[i]);
	}
	return true;
}

const struct backend xen_backend = {
	.name = "xen",
	.vm_keys = "domain,memory",
	.own_keys = "",
	.vm_read = vm_read,
	.own_read = own_read,
	.vm_settings_free = vm_settings_free,
	.own_settings_free = own_settings_free,
	.vm_settings_equal = vm_settings_equal,
	.own_settings_equal = own_settings_equal,
	.open = backend_open,
	.close = backend_close,
	.vm_open = vm_open,
	.vm_close = vm_close,
	.resize = resize,
	.measure = measure,
	.poll = vm_poll,
	.pages = vm_pages,
	.host_total = host_total,
	.host_free = host_free,
	.status = vm_status,
	.identity = vm_identity,
};
