/* SPDX-License-Identifier: MIT */
/*
 * What is said to QEMU and what becomes of its answers. Every request is absolute and may be made
 * again; an answer changes only what it is about, and one that makes no sense changes nothing.
 */
#include "talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "life.h"
#include "log.h"
#include "text.h"

/* How often the size is looked at while a balloon moves, and how long after it has stopped. */
#define WATCH_MS     100
#define WATCH_END_MS 1500u
/* Attempts to meet a VM whose process lives, before it is charged without its word. */
#define FAILURES_MAX 3u

#define PERIPHERAL      "/machine/peripheral"
#define PERIPHERAL_ANON "/machine/peripheral-anon"
/* Beginning of the QOM type of every kind of balloon: -pci, -device, -ccw, ... */
#define BALLOON_TYPE "child<virtio-balloon"

static bool post(struct kvm_vm *vm, enum kvm_request request, const char *command,
		 const char *arguments)
{
	return link_send(&vm->link, request, command, arguments, clock_now_ms());
}

static void post_size(struct kvm_vm *vm, uint64_t pages)
{
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "{\"value\":%" PRIu64 "}",
		 pages * POISE_ABI_PAGE_BYTES);
	if (post(vm, REQUEST_BALLOON, "balloon", arguments)) {
		vm->asked_epoch = vm->epoch;
		vm->unsent = false;
		/* A count from before may be of a VM that has grown to its last size since. */
		vm->fresh = false;
		vm->late_id = vm->link.pending[REQUEST_ACTUAL];
	}
}

void kvm_talk_send_target(struct kvm_vm *vm)
{
	if (vm->unsent && vm->target_pages != 0 && !vm->refused && vm->life == KVM_RUNNING) {
		post_size(vm, vm->target_pages);
	}
}

void kvm_talk_ask(struct kvm_vm *vm, enum kvm_request request)
{
	char arguments[BACKEND_DETAIL_MAX + 128];
	const unsigned seconds = vm->kvm->env.interval_ms / 1000u;

	switch (request) {
	case REQUEST_STATUS:
		post(vm, request, "query-status", NULL);
		break;
	case REQUEST_MEMORY:
		post(vm, request, "query-memory-size-summary", NULL);
		break;
	case REQUEST_ACTUAL:
		post(vm, request, "query-balloon", NULL);
		break;
	case REQUEST_BALLOON:
		vm->quiesced_pages = vm->actual_pages;
		post_size(vm, vm->quiesced_pages);
		break;
	case REQUEST_FIND:
		post(vm, request, "qom-list", "{\"path\":\"" PERIPHERAL "\"}");
		break;
	case REQUEST_FIND_ANON:
		post(vm, request, "qom-list", "{\"path\":\"" PERIPHERAL_ANON "\"}");
		break;
	case REQUEST_POLLING:
		snprintf(arguments, sizeof(arguments),
			 "{\"path\":\"%s\",\"property\":\"guest-stats-polling-interval\","
			 "\"value\":%u}",
			 vm->balloon,
			 !vm->polling  ? 0u
			 : seconds > 0 ? seconds
				       : 1u);
		post(vm, request, "qom-set", arguments);
		break;
	case REQUEST_STATS:
		snprintf(arguments, sizeof(arguments),
			 "{\"path\":\"%s\",\"property\":\"guest-stats\"}", vm->balloon);
		post(vm, request, "qom-get", arguments);
		break;
	}
}

static void watch(struct kvm_vm *vm)
{
	const struct timeval soon = {.tv_usec = WATCH_MS * 1000};

	if (vm->target_pages != 0 && vm->actual_pages != vm->target_pages &&
	    clock_now_ms() - vm->changed_ms < WATCH_END_MS) {
		event_add(vm->watch, &soon);
	}
}

/* All is known that is needed: first the size that it has is made the size that it is to have. */
static void finish_handshake(struct kvm_vm *vm)
{
	if (vm->life != KVM_HANDSHAKE || vm->actual_pages == 0 || vm->ram_pages == 0 ||
	    vm->link.pending[REQUEST_STATUS] != 0 || vm->incoming) {
		return;
	}
	if (vm->refused) {
		vm->life = KVM_RUNNING;
		vm->kvm->env.calls->started(vm->kvm->env.daemon, vm->slot, vm->ram_pages);
		return;
	}
	vm->life = KVM_QUIESCING;
	kvm_talk_ask(vm, REQUEST_BALLOON);
}

static void settle(struct kvm_vm *vm)
{
	const struct backend_env *env = &vm->kvm->env;

	vm->life = KVM_RUNNING;
	/* One that was on its way down goes back up to where it was told to stay. */
	env->calls->started(env->daemon, vm->slot,
			    kvm_life_size(vm) > vm->quiesced_pages ? kvm_life_size(vm)
								   : vm->quiesced_pages);
	if (vm->ram_pages < vm->max_pages) {
		log_line(LOG_LEVEL_WARNING,
			 "%s: has %" PRIu64
			 " pages at most, less than its max in the configuration",
			 vm->name, vm->ram_pages);
	}
}

static void take_actual(struct kvm_vm *vm, uint64_t pages)
{
	const struct backend_env *env = &vm->kvm->env;
	const bool moved = pages != vm->actual_pages;

	vm->actual_pages = pages;
	vm->fresh = true;
	if (moved) {
		vm->changed_ms = clock_now_ms();
	}
	if (vm->life == KVM_HANDSHAKE) {
		finish_handshake(vm);
	} else if (vm->life == KVM_QUIESCING && vm->link.pending[REQUEST_BALLOON] == 0) {
		settle(vm);
	} else if (vm->life == KVM_RUNNING) {
		if (moved && vm->sent_epoch != 0) {
			env->calls->balloon_changed(env->daemon, vm->slot, vm->sent_epoch,
						    kvm_life_size(vm));
		}
		watch(vm);
	}
}

/* It has no balloon, or one that must not be used: it keeps all it booted with. */
static void refuse(struct kvm_vm *vm, const char *why)
{
	vm->refused = true;
	vm->fresh = true;
	vm->actual_pages = vm->ram_pages;
	snprintf(vm->why, sizeof(vm->why), "%s", why);
	if (vm->life == KVM_QUIESCING) {
		vm->life = KVM_HANDSHAKE;
	}
	finish_handshake(vm);
}

static void take_status(struct kvm_vm *vm, const json_t *value)
{
	const struct backend_env *env = &vm->kvm->env;
	const json_t *running = json_object_get(value, "running");
	const char *status = json_string_value(json_object_get(value, "status"));

	if (!json_is_boolean(running) || status == NULL) {
		return;
	}
	vm->incoming = strcmp(status, "inmigrate") == 0;
	finish_handshake(vm);
	if (!vm->incoming) {
		env->calls->paused(env->daemon, vm->slot, !json_is_true(running));
	}
}

static void take_memory(struct kvm_vm *vm, const json_t *value)
{
	uint64_t base = 0;
	uint64_t plugged = 0;

	if (value == NULL || !qmp_pages(json_object_get(value, "base-memory"), &base)) {
		base = vm->max_pages; /* An older QEMU: what the administrator says. */
	}
	if (!qmp_pages(json_object_get(value, "plugged-memory"), &plugged)) {
		plugged = 0;
	}
	vm->ram_pages = base + plugged > POISE_PAGES_MAX ? POISE_PAGES_MAX : base + plugged;
	if (vm->refused) {
		vm->actual_pages = vm->ram_pages; /* Whichever answer comes first. */
	}
	finish_handshake(vm);
}

/* A device's name goes into a request: nothing in it may end the text there. */
static bool name_plain(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.[]") ==
		       strlen(name);
}

static void take_devices(struct kvm_vm *vm, const char *parent, const json_t *list)
{
	size_t i;
	json_t *device;

	json_array_foreach((json_t *)list, i, device)
	{
		const char *name = json_string_value(json_object_get(device, "name"));
		const char *type = json_string_value(json_object_get(device, "type"));

		if (vm->balloon[0] == '\0' && name != NULL && type != NULL && name_plain(name) &&
		    strlen(name) < BACKEND_NAME_MAX &&
		    strncmp(type, BALLOON_TYPE, strlen(BALLOON_TYPE)) == 0) {
			snprintf(vm->balloon, sizeof(vm->balloon), "%s/%s", parent, name);
		}
	}
}

static void take_return(struct kvm_vm *vm, enum kvm_request request,
			const struct qmp_message *message)
{
	const json_t *value = message->value;
	uint64_t pages;
	const char *wrong;

	switch (request) {
	case REQUEST_STATUS:
		take_status(vm, value);
		break;
	case REQUEST_MEMORY:
		take_memory(vm, value);
		break;
	case REQUEST_ACTUAL:
		if (message->id == vm->late_id) {
			kvm_talk_ask(vm, REQUEST_ACTUAL);
		} else if (qmp_pages(json_object_get(value, "actual"), &pages)) {
			take_actual(vm, pages);
		} else {
			vm->link.bad++;
		}
		break;
	case REQUEST_BALLOON:
		vm->sent_epoch = vm->asked_epoch;
		vm->changed_ms = clock_now_ms(); /* It has a while from now on. */
		kvm_talk_send_target(vm);
		kvm_talk_ask(vm, REQUEST_ACTUAL);
		break;
	case REQUEST_FIND:
		take_devices(vm, PERIPHERAL, value);
		break;
	case REQUEST_FIND_ANON:
		take_devices(vm, PERIPHERAL_ANON, value);
		break;
	case REQUEST_POLLING:
		break;
	case REQUEST_STATS:
		wrong = stats_take(vm->stats, value, vm->actual_pages, clock_now_ms());
		if (wrong != NULL) {
			log_line(LOG_LEVEL_DEBUG, "%s: statistics: %s", vm->name, wrong);
		}
		break;
	}
}

static void take_error(struct kvm_vm *vm, enum kvm_request request, const char *why)
{
	log_line(LOG_LEVEL_DEBUG, "%s: request %d: %s", vm->name, (int)request, why);
	switch (request) {
	case REQUEST_MEMORY:
		take_memory(vm, NULL);
		break;
	case REQUEST_ACTUAL:
		/* GenericError may be of the moment; a balloon that was there is believed in. */
		if (vm->life == KVM_HANDSHAKE || strncmp(why, "GenericError", 12) != 0) {
			refuse(vm, why);
		}
		break;
	case REQUEST_BALLOON:
		if (vm->life == KVM_QUIESCING || strncmp(why, "GenericError", 12) != 0) {
			refuse(vm, why);
		}
		break;
	case REQUEST_POLLING:
	case REQUEST_STATS:
		/* Not asked again on this connection: there was a QEMU that did not survive it. */
		vm->polling = false;
		vm->balloon[0] = '\0';
		break;
	case REQUEST_STATUS:
	case REQUEST_FIND:
	case REQUEST_FIND_ANON:
		break;
	}
}

static void on_answer(void *ctx, unsigned kind, const struct qmp_message *message)
{
	if (message->kind == QMP_RETURN) {
		take_return(ctx, (enum kvm_request)kind, message);
	} else {
		take_error(ctx, (enum kvm_request)kind, message->text);
	}
}

static void on_ready(void *ctx)
{
	struct kvm_vm *vm = ctx;

	vm->refused = false;
	vm->polling = false;
	vm->why[0] = '\0';
	snprintf(vm->balloon, sizeof(vm->balloon), "%s", vm->settings->balloon);
	kvm_talk_ask(vm, REQUEST_STATUS);
	kvm_talk_ask(vm, REQUEST_MEMORY);
	kvm_talk_ask(vm, REQUEST_ACTUAL);
	if (vm->balloon[0] == '\0') {
		kvm_talk_ask(vm, REQUEST_FIND);
		kvm_talk_ask(vm, REQUEST_FIND_ANON);
	}
	/* What was asked for over a connection that broke may never have arrived. */
	vm->unsent = vm->target_pages != 0;
	kvm_talk_send_target(vm);
}

static void on_reset(struct kvm_vm *vm)
{
	const struct backend_env *env = &vm->kvm->env;

	kvm_talk_ask(vm, REQUEST_STATUS);
	kvm_talk_ask(vm, REQUEST_ACTUAL);
	stats_stop(vm->stats);
	if (vm->life == KVM_RUNNING) {
		env->calls->restarted(env->daemon, vm->slot, kvm_life_size(vm));
	}
}

static void on_event(void *ctx, const struct qmp_message *message)
{
	static const char halts[] = "STOP,SHUTDOWN,SUSPEND,SUSPEND_DISK,GUEST_PANICKED";
	struct kvm_vm *vm = ctx;
	const struct backend_env *env = &vm->kvm->env;

	if (strcmp(message->text, "BALLOON_CHANGE") == 0) {
		kvm_talk_ask(vm,
			     REQUEST_ACTUAL); /* QEMU holds these back: the number may be old. */
	} else if (strcmp(message->text, "RESET") == 0) {
		on_reset(vm);
	} else if (text_find_word(halts, message->text) >= 0) {
		env->calls->paused(env->daemon, vm->slot, true);
	} else if (text_find_word("RESUME,WAKEUP", message->text) >= 0) {
		kvm_talk_ask(vm, REQUEST_STATUS);
		/* The device may have come with a size of its own. */
		vm->unsent = vm->target_pages != 0;
		kvm_talk_send_target(vm);
		kvm_talk_ask(vm, REQUEST_ACTUAL);
	}
}

static void on_down(void *ctx, const char *why)
{
	struct kvm_vm *vm = ctx;

	snprintf(vm->why, sizeof(vm->why), "%s", why);
	if (vm->life != KVM_RUNNING) {
		vm->life = KVM_AWAY;
		vm->actual_pages = 0;
		vm->ram_pages = 0;
		vm->failures++;
		if (vm->failures >= FAILURES_MAX && vm->pid != 0) {
			kvm_life_start_unheard(vm);
		}
	}
}

const struct link_calls kvm_talk_calls = {
	.ready = on_ready,
	.answer = on_answer,
	.event = on_event,
	.down = on_down,
};
