/* SPDX-License-Identifier: MIT */
/* One VM of QEMU: its connection, its statistics, and what the daemon sees of it. See vm.h. */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "life.h"
#include "talk.h"

/* A connection on which nothing is answered for so many deadlines is made anew. */
#define GIVE_UP_DEADLINES 6u
#define RETRY_MS          1000u

/* --- the connection --- */

static void open_link(struct kvm_vm *vm, uint64_t now)
{
	pid_t peer = 0;

	vm->retry_ms = now + RETRY_MS;
	if (kvm_life_is_away(vm)) {
		if (vm->life != KVM_AWAY) {
			kvm_life_end(vm);
		}
		return;
	}
	/* The link is overwritten only by a new one: kvm_life_end may be using it. */
	if (link_open(&vm->link, vm->kvm->env.base, vm->settings->qmp, &kvm_talk_calls, vm, now,
		      &peer) != 0) {
		if (errno != ENOENT && errno != ECONNREFUSED) {
			snprintf(vm->why, sizeof(vm->why), "%s", strerror(errno));
		} else if (vm->pid == 0 && vm->life != KVM_AWAY) {
			/* Nobody listens, and no process is known that could still live. */
			kvm_life_end(vm);
		}
		return;
	}
	kvm_life_adopt(vm, peer);
	if (vm->life == KVM_AWAY) {
		vm->life = KVM_HANDSHAKE;
		vm->changed_ms = now;
	}
}

static void check_link(struct kvm_vm *vm, uint64_t now)
{
	const uint64_t deadline = vm->kvm->own->deadline_ms;
	uint64_t waited;

	if (vm->link.state == LINK_CLOSED) {
		vm->silent = false;
		if (now >= vm->retry_ms) {
			open_link(vm, now);
		}
		return;
	}
	waited = link_check(&vm->link, now);
	if (vm->silent && waited <= deadline) {
		vm->why[0] = '\0';
	}
	vm->silent = waited > deadline;
	if (vm->silent) {
		snprintf(vm->why, sizeof(vm->why), "%s",
			 vm->link.state == LINK_GREETING
				 ? "no greeting: stopped, or in use by another client"
				 : "no answer: stopped, or hanging");
		kvm_life_start_unheard(vm);
	}
	if (waited > deadline * GIVE_UP_DEADLINES) {
		link_close(&vm->link);
		kvm_talk_calls.down(vm, "no answer");
		vm->retry_ms = now + RETRY_MS;
	}
}

/* --- the guest's statistics --- */

static void check_stats(struct kvm_vm *vm, bool want_stats)
{
	const bool want = want_stats && vm->balloon[0] != '\0' && !vm->refused &&
			  vm->life == KVM_RUNNING && vm->link.state == LINK_READY;

	if (want && vm->stats->ram_pages == 0 && vm->ram_pages != 0) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		stats_start(vm->stats, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
			    vm->ram_pages);
	}
	if (want != vm->polling && vm->link.state == LINK_READY && vm->balloon[0] != '\0') {
		vm->polling = want;
		kvm_talk_ask(vm, REQUEST_POLLING);
	}
	if (want && !vm->silent) {
		kvm_talk_ask(vm, REQUEST_STATS);
	} else if (!want) {
		stats_stop(vm->stats);
	}
}

void kvm_vm_check(struct kvm_vm *vm, bool want_stats)
{
	kvm_life_check(vm);
	check_link(vm, clock_now_ms());
	(void)pagefile_check(&vm->file);
	check_stats(vm, want_stats);
	if (vm->link.state == LINK_READY && !vm->silent && !vm->refused) {
		kvm_talk_ask(vm, REQUEST_ACTUAL);
		kvm_talk_send_target(vm);
	}
}

/* --- what the daemon asks --- */

enum poise_err kvm_vm_resize(struct kvm_vm *vm, uint64_t target_pages, uint64_t epoch)
{
	if (vm->refused) {
		return POISE_E_PORT;
	}
	if (vm->link.state != LINK_READY || vm->silent) {
		return POISE_E_BUSY;
	}
	vm->target_pages = target_pages;
	vm->epoch = epoch;
	vm->unsent = true;
	kvm_talk_send_target(vm);
	return POISE_OK;
}

enum poise_err kvm_vm_measure(const struct kvm_vm *vm, uint64_t *pages)
{
	if (!vm->fresh || vm->unsent || vm->link.state != LINK_READY || vm->silent) {
		return POISE_E_BUSY;
	}
	*pages = kvm_life_size(vm);
	return POISE_OK;
}

void kvm_vm_pages(const struct kvm_vm *vm, struct backend_pages *out)
{
	*out = (struct backend_pages){0};
	if (!vm->refused) {
		out->guest = vm->file.guest;
		out->host = vm->file.host;
		out->stats = vm->polling ? stats_page(vm->stats) : NULL;
	}
}

void kvm_vm_status(const struct kvm_vm *vm, struct backend_status *out)
{
	static const char *const lives[] = {[KVM_AWAY] = "not running",
					    [KVM_HANDSHAKE] = "handshake",
					    [KVM_QUIESCING] = "handshake",
					    [KVM_RUNNING] = "ready"};
	const bool down = vm->life != KVM_AWAY &&
			  (vm->silent || (vm->life == KVM_RUNNING && vm->link.state != LINK_READY));

	*out = (struct backend_status){.resident_pages = vm->resident_pages};
	out->mistakes = vm->link.bad + vm->link.unknown;
	out->adopting = (vm->life == KVM_HANDSHAKE || vm->life == KVM_QUIESCING) && !vm->incoming;
	snprintf(out->state, sizeof(out->state), "%s",
		 down           ? "down"
		 : vm->refused  ? "no balloon"
		 : vm->incoming ? "incoming"
				: lives[vm->life]);
	out->alarms |= down ? BACKEND_ALARM_DOWN : 0u;
	out->alarms |= vm->refused ? BACKEND_ALARM_REFUSED : 0u;
	out->alarms |= vm->file.why[0] != '\0' ? BACKEND_ALARM_PAGE : 0u;
	out->alarms |= vm->not_freed == KVM_NOT_FREED_CHECKS ? BACKEND_ALARM_NOT_FREED : 0u;
	snprintf(out->detail, sizeof(out->detail), "%.60s%s%.60s", vm->why,
		 vm->why[0] != '\0' && vm->file.why[0] != '\0' ? "; " : "", vm->file.why);
	if (out->detail[0] == '\0' && vm->not_freed == KVM_NOT_FREED_CHECKS) {
		snprintf(out->detail, sizeof(out->detail),
			 "its process holds %llu pages, its balloon leaves it %llu",
			 (unsigned long long)vm->resident_pages,
			 (unsigned long long)vm->actual_pages);
	}
	for (char *at = out->detail; *at != '\0'; at++) {
		*at = *at < ' ' || *at > '~' ? '?' : *at;
	}
}

/* --- beginning and end --- */

static void watch_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct kvm_vm *vm = ctx;

	(void)fd;
	(void)what;
	if (!vm->silent) {
		kvm_talk_ask(vm, REQUEST_ACTUAL);
	}
}

struct kvm_vm *kvm_vm_new(struct kvm *kvm, uint32_t slot, const char *name,
			  const struct backend_vm_settings *settings, uint64_t max_pages)
{
	struct kvm_vm *vm = calloc(1, sizeof(*vm));

	if (vm == NULL) {
		return NULL;
	}
	vm->kvm = kvm;
	vm->slot = slot;
	vm->name = name;
	vm->settings = settings;
	vm->max_pages = max_pages;
	vm->pidfd = -1;
	pagefile_init(&vm->file, settings->page_file);
	vm->stats = aligned_alloc(alignof(struct stats), sizeof(struct stats));
	vm->watch = evtimer_new(kvm->env.base, watch_timer, vm);
	if (vm->stats == NULL || vm->watch == NULL) {
		kvm_vm_free(vm);
		return NULL;
	}
	memset(vm->stats, 0, sizeof(*vm->stats));
	return vm;
}

void kvm_vm_free(struct kvm_vm *vm)
{
	link_close(&vm->link);
	kvm_life_forget(vm);
	pagefile_close(&vm->file);
	if (vm->watch != NULL) {
		event_free(vm->watch);
	}
	free(vm->stats);
	free(vm);
}
