/* SPDX-License-Identifier: MIT */
/*
 * From a domain's page count to a VM's size and back. The order in which things are done here is
 * what keeps the sum of all domains within the pool; vm.h says which.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "vm.h"

#define KIB_A_PAGE    4
#define MOVE_STEP     256 /* pages; smaller steps on the way are not told one by one */
#define STILL_MAX     250 /* looks in a row without a change, then the interval does */
#define RETRY_POLLS   16  /* polls between two tries to map the same references */
#define UNFREED_LOOKS 5
#define UNFREED_PAGES 2048 /* a balloon and Xen's count may differ so much for other reasons */

int64_t xen_vm_calibrate(uint64_t pages, uint64_t target_pages)
{
	const int64_t beyond = (int64_t)pages - (int64_t)target_pages;
	return target_pages != 0 && beyond >= -XEN_OFFSET_MAX && beyond <= XEN_OFFSET_MAX ? beyond
											  : 0;
}

/* A size, as the core knows it -> pages as Xen counts them, and back. */
static uint64_t with_offset(const struct xen_vm *vm, uint64_t size)
{
	const int64_t pages = (int64_t)size + vm->offset_pages;
	return pages > 0 ? (uint64_t)pages : 0;
}

static uint64_t without_offset(const struct xen_vm *vm, uint64_t pages)
{
	const int64_t size = (int64_t)pages - vm->offset_pages;
	return size > 0 ? (uint64_t)size : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* All that a domain can get while somebody else builds it. */
static uint64_t building_pages(const struct xen_vm *vm)
{
	const uint64_t limit = vm->info.max_pages <= POISE_PAGES_MAX ? vm->info.max_pages : 0;
	return larger(larger(vm->info.pages, vm->store.static_max_kib / KIB_A_PAGE), limit);
}

static bool look(struct xen_context *c, struct xen_vm *vm)
{
	struct xen_info info;
	if (!xen_hyper_get(c->xc, vm->info.domid, vm->info.handle, &info)) {
		return false;
	}
	vm->info = info;
	return true;
}

/* Sets the limit to max(target, size) and looks again: what is found then cannot grow any more. */
static bool bring_down(struct xen_context *c, struct xen_vm *vm)
{
	const uint64_t most = larger(with_offset(vm, vm->target_pages), vm->info.pages);
	if (vm->info.max_pages > most) {
		return xen_hyper_limit(c->xc, vm->info.domid, most) && look(c, vm);
	}
	return true;
}

/*
 * The size that the domain can have now. Growing: what it has, as the core charges the target
 * itself. Shrinking: what it could still take back, until the limit has been lowered.
 */
static uint64_t size_now(const struct xen_vm *vm)
{
	const uint64_t target = with_offset(vm, vm->target_pages);
	uint64_t pages = vm->info.pages;
	if (vm->held) {
		/* Whoever set the target has set the limit, too, and the kernel goes for it. */
		const uint64_t meant = with_offset(vm, vm->store.target_kib / KIB_A_PAGE);
		pages = larger(pages, meant < vm->info.max_pages ? meant : vm->info.max_pages);
	} else if (pages > target && vm->info.max_pages <= POISE_PAGES_MAX) {
		pages = larger(pages, vm->info.max_pages);
	}
	return without_offset(vm, pages);
}

static bool is_held(const struct xen_store_domain *store)
{
	return store->own_kib != 0 && store->own_kib != store->target_kib;
}

static void write_target(struct xen_context *c, struct xen_vm *vm)
{
	vm->unwritten = !xen_store_target(c->store, vm->info.domid, vm->target_pages * KIB_A_PAGE,
					  vm->offset_pages);
}

/*
 * Takes a domain that runs as it is: nothing that was asked for before may change its size upwards
 * from here on. A limit below what it has is harmless; a kernel that is on its way up is stopped.
 */
static bool take_over(struct xen_context *c, struct xen_vm *vm)
{
	if (!look(c, vm)) {
		return false;
	}
	vm->offset_pages =
		vm->store.has_offset
			? vm->store.offset_pages
			: xen_vm_calibrate(vm->info.pages, vm->store.target_kib / KIB_A_PAGE);
	vm->held = is_held(&vm->store);
	vm->target_pages = larger(without_offset(vm, vm->info.pages), 1);
	if (!vm->held) {
		if (!bring_down(c, vm)) {
			return false;
		}
		vm->target_pages = larger(without_offset(vm, vm->info.pages), 1);
		write_target(c, vm);
	}
	return true;
}

static bool is_built(const struct xen_vm *vm)
{
	return vm->store.introduced && vm->info.ran && vm->store.target_kib != 0;
}

const char *xen_vm_unfit(uint32_t domid, unsigned memory, enum xen_boot_kind kind)
{
	if (domid == 0) {
		return "dom0 is direct-mapped: pages that it gives up stay allocated to it";
	}
	if (memory == XEN_MEMORY_NORMAL) {
		return NULL;
	}
	if (memory == XEN_MEMORY_DIRECT || kind == XEN_BOOT_DIRECT) {
		return "direct-mapped: pages that it gives up stay allocated to it";
	}
	if (memory == XEN_MEMORY_STATIC || kind == XEN_BOOT_STATIC) {
		return "static memory: pages that it gives up are nobody else's";
	}
	return NULL;
}

static void take_store(struct xen_vm *vm, const struct xen_store_result *result)
{
	vm->store = result->domain;
	vm->reads = result->reads;
}

static void tell_start(struct xen_context *c, struct xen_vm *vm, enum xen_phase phase,
		       uint64_t pages)
{
	vm->phase = phase;
	vm->notified_pages = pages;
	c->env->calls->started(c->env->daemon, vm->index, pages);
}

static void start(struct xen_context *c, struct xen_vm *vm)
{
	if (is_built(vm)) {
		if (take_over(c, vm)) {
			log_line(LOG_LEVEL_INFO,
				 "%s: domain %u, %" PRIu64 " pages, offset %" PRId64, vm->name,
				 vm->info.domid, vm->info.pages, vm->offset_pages);
			tell_start(c, vm, XEN_RUNNING, size_now(vm));
		}
	} else if (building_pages(vm) != 0) {
		tell_start(c, vm, XEN_BUILDING, building_pages(vm));
	}
}

void xen_vm_found(struct xen_context *c, struct xen_vm *vm, const struct xen_info *info,
		  const struct xen_store_result *result)
{
	vm->info = *info;
	take_store(vm, result);
	vm->left_out = xen_vm_unfit(info->domid, vm->settings->memory,
				    xen_boot_kind(&c->boot, info->domid));
	if (vm->left_out != NULL) {
		vm->phase = XEN_LEFT_OUT;
		log_line(LOG_LEVEL_WARNING, "%s: domain %u is left out: %s", vm->name,
			 vm->info.domid, vm->left_out);
	} else {
		start(c, vm);
	}
}

static void tell_paused(struct xen_context *c, struct xen_vm *vm)
{
	const bool paused = vm->info.paused || vm->info.stopped || vm->info.dying || vm->held;
	if (paused != vm->paused) {
		vm->paused = paused;
		c->env->calls->paused(c->env->daemon, vm->index, paused);
	}
}

static void take_hold(struct xen_context *c, struct xen_vm *vm)
{
	const bool held = is_held(&vm->store);
	if (held && !vm->held) {
		log_line(LOG_LEVEL_WARNING,
			 "%s: somebody else has set memory/target to %" PRIu64
			 " KiB: left alone until it is %" PRIu64 " again",
			 vm->name, vm->store.target_kib, vm->store.own_kib);
		vm->held = true;
		vm->unwritten = false;
	} else if (!held && vm->held) {
		log_line(LOG_LEVEL_INFO, "%s: memory/target is ours again", vm->name);
		vm->held = !take_over(c, vm);
	}
}

void xen_vm_refresh(struct xen_context *c, struct xen_vm *vm, const struct xen_info *info,
		    const struct xen_store_result *result)
{
	const bool fresh = result->known && result->reads != vm->reads;
	vm->info = *info;
	if (fresh) {
		take_store(vm, result);
	}
	if (vm->phase == XEN_ABSENT) {
		xen_vm_found(c, vm, info, result);
	}
	if (vm->phase == XEN_BUILDING && is_built(vm) && take_over(c, vm)) {
		log_line(LOG_LEVEL_INFO, "%s: domain %u runs, %" PRIu64 " pages, offset %" PRId64,
			 vm->name, vm->info.domid, vm->info.pages, vm->offset_pages);
		vm->phase = XEN_RUNNING;
	}
	if (vm->phase != XEN_RUNNING) {
		return;
	}
	take_hold(c, vm);
	if (result->write == XEN_WRITE_FAILED && !vm->held && !vm->unwritten) {
		vm->unwritten = true;
		vm->write_error = result->write_error;
	} else if (result->write == XEN_WRITE_DONE) {
		vm->write_error = 0;
	}
	tell_paused(c, vm);
}

void xen_vm_lost(struct xen_context *c, struct xen_vm *vm, bool quiet)
{
	const bool told = vm->phase == XEN_BUILDING || vm->phase == XEN_RUNNING;
	const struct xen_vm fresh = {.settings = vm->settings,
				     .name = vm->name,
				     .max_pages = vm->max_pages,
				     .index = vm->index};
	xen_share_unmap(&c->share, &vm->shared);
	*vm = fresh;
	if (told && !quiet) {
		c->env->calls->gone(c->env->daemon, vm->index);
	}
}

bool xen_vm_watch(struct xen_context *c, struct xen_vm *vm)
{
	if (vm->phase != XEN_RUNNING || !vm->moving) {
		return false;
	}
	uint64_t size;
	if (xen_vm_measure(c, vm, &size) != POISE_OK) {
		vm->moving = false;
		return false;
	}
	const bool there = size == vm->target_pages;
	const uint64_t step =
		size > vm->notified_pages ? size - vm->notified_pages : vm->notified_pages - size;
	if (step >= MOVE_STEP || (there && step != 0)) {
		vm->notified_pages = size;
		vm->still = 0;
		vm->moving = !there;
		c->env->calls->balloon_changed(c->env->daemon, vm->index, vm->epoch, size);
	} else {
		vm->moving = !there && ++vm->still < STILL_MAX;
	}
	return vm->moving;
}

static bool same_announce(const struct xen_announce *a, const struct xen_announce *b)
{
	return a->generation == b->generation && a->guest_ref == b->guest_ref &&
	       a->host_ref == b->host_ref && a->port == b->port;
}

static void map(struct xen_context *c, struct xen_vm *vm)
{
	const struct xen_announce *announce = &vm->store.announce;
	if (vm->shared.guest != NULL && vm->shared.generation == announce->generation) {
		return;
	}
	if (vm->page_error != NULL && same_announce(announce, &vm->tried) && vm->try_again > 0) {
		vm->try_again--;
		return;
	}
	xen_share_unmap(&c->share, &vm->shared);
	vm->page_error = xen_share_map(&c->share, &vm->shared, vm->index, vm->info.domid, announce,
				       &vm->no_bell);
	vm->tried = *announce;
	vm->try_again = RETRY_POLLS;
}

/*
 * A guest that says its balloon has grown, while Xen counts as many pages as before, is
 * direct-mapped, or lies; in both cases nothing has come back. What it says is only compared, and
 * only raises an alarm.
 */
static void compare_balloon(struct xen_vm *vm)
{
	struct poise_sample sample;
	if (vm->moving || poise_page_read(vm->shared.guest, POISE_PAGES_MAX, &sample) != POISE_OK) {
		vm->unfreed = 0;
		return;
	}
	const uint64_t gifts = vm->info.pages + sample.body.balloon_pages;
	if (sample.boot_id != vm->first_boot) {
		vm->first_boot = sample.boot_id;
		vm->first_gifts = gifts;
	}
	if (gifts <= vm->first_gifts + UNFREED_PAGES) {
		vm->unfreed = 0;
	} else if (vm->unfreed < UNFREED_LOOKS) {
		vm->unfreed++;
	}
}

void xen_vm_poll(struct xen_context *c, struct xen_vm *vm)
{
	if (vm->phase != XEN_RUNNING) {
		return;
	}
	if (vm->store.has_announce && !vm->info.dying) {
		map(c, vm);
	} else {
		xen_share_unmap(&c->share, &vm->shared);
		vm->page_error = vm->store.silent ? NULL : vm->store.announce_error;
	}
	if (vm->shared.guest != NULL) {
		compare_balloon(vm);
	}
	if (vm->unwritten && !vm->held) {
		write_target(c, vm);
	}
}

enum poise_err xen_vm_resize(struct xen_context *c, struct xen_vm *vm, uint64_t target_pages,
			     uint64_t epoch)
{
	if (vm->phase != XEN_RUNNING || vm->held || vm->info.dying) {
		return POISE_E_BUSY;
	}
	if (xen_store_trouble(c->store) != NULL || !look(c, vm)) {
		return POISE_E_PORT;
	}
	const uint64_t before = vm->target_pages;
	const uint64_t most = with_offset(vm, target_pages);
	if (most > vm->info.max_pages && !xen_hyper_limit(c->xc, vm->info.domid, most)) {
		return POISE_E_PORT;
	}
	vm->target_pages = target_pages;
	write_target(c, vm);
	if (vm->unwritten) {
		vm->target_pages = before;
		(void)(look(c, vm) && bring_down(c, vm));
		return POISE_E_PORT;
	}
	vm->epoch = epoch;
	vm->moving = true;
	vm->still = 0;
	return POISE_OK;
}

enum poise_err xen_vm_measure(struct xen_context *c, struct xen_vm *vm, uint64_t *pages)
{
	if (vm->phase != XEN_BUILDING && vm->phase != XEN_RUNNING) {
		return POISE_E_PORT;
	}
	if (!look(c, vm)) {
		return POISE_E_PORT; /* It is going; the daemon is told as soon as Xen is sure. */
	}
	if (vm->phase == XEN_BUILDING) {
		*pages = building_pages(vm);
		return POISE_OK;
	}
	if (!vm->held && !bring_down(c, vm)) {
		return POISE_E_PORT;
	}
	*pages = size_now(vm);
	return POISE_OK;
}

uint64_t xen_vm_claim(const struct xen_vm *vm)
{
	uint64_t most = 0;
	if (vm->phase == XEN_BUILDING) {
		most = building_pages(vm);
	} else if (vm->phase == XEN_RUNNING) {
		most = vm->held ? with_offset(vm, size_now(vm)) : with_offset(vm, vm->target_pages);
	}
	return most > vm->info.pages ? most - vm->info.pages : 0;
}

static const char *state_of(const struct xen_vm *vm)
{
	switch (vm->phase) {
	case XEN_ABSENT:
		return "no domain";
	case XEN_LEFT_OUT:
		return "left out";
	case XEN_BUILDING:
		return "being built";
	case XEN_RUNNING:
		break;
	}
	return vm->info.dying     ? "dying"
	       : vm->info.stopped ? "stopped"
	       : vm->held         ? "held"
	       : vm->info.paused  ? "paused"
				  : "ready";
}

/* The one thing that an administrator should know, the worst first. */
static void explain(struct xen_context *c, const struct xen_vm *vm, struct backend_status *out)
{
	const char *trouble = xen_store_trouble(c->store);
	if (vm->left_out != NULL) {
		out->alarms |= BACKEND_ALARM_REFUSED;
		snprintf(out->detail, sizeof(out->detail), "%s", vm->left_out);
	} else if (trouble != NULL) {
		out->alarms |= BACKEND_ALARM_DOWN;
		snprintf(out->detail, sizeof(out->detail), "%s", trouble);
	} else if (vm->held) {
		out->alarms |= BACKEND_ALARM_REFUSED;
		snprintf(out->detail, sizeof(out->detail),
			 "target set by somebody else; ours again when it is %" PRIu64 " KiB",
			 vm->store.own_kib);
	} else if (vm->write_error != 0) {
		out->alarms |= BACKEND_ALARM_REFUSED;
		snprintf(out->detail, sizeof(out->detail), "memory/target cannot be written: %s",
			 strerror(vm->write_error));
	} else if (vm->unfreed >= UNFREED_LOOKS) {
		out->alarms |= BACKEND_ALARM_NOT_FREED;
		snprintf(out->detail, sizeof(out->detail),
			 "balloon has grown, Xen has got nothing back: direct-mapped?");
	} else if (vm->page_error != NULL) {
		out->alarms |= BACKEND_ALARM_PAGE;
		snprintf(out->detail, sizeof(out->detail), "%s", vm->page_error);
	} else if (vm->shared.guest != NULL && vm->no_bell) {
		snprintf(out->detail, sizeof(out->detail), "no doorbell: event channel %u",
			 (unsigned)vm->store.announce.port);
	}
}

void xen_vm_status(struct xen_context *c, const struct xen_vm *vm, struct backend_status *out)
{
	*out = (struct backend_status){.resident_pages = vm->info.pages};
	snprintf(out->state, sizeof(out->state), "%s", state_of(vm));
	explain(c, vm, out);
}
