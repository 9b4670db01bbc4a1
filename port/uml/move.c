/* SPDX-License-Identifier: MIT */
/*
 * Meeting a guest and moving its memory; see move.h.
 *
 * `config mem=-N` takes free pages, one after the other, at once and without reclaiming any; it
 * says "OK" however many there were, and a guest from which the last free pages are taken panics
 * (README.md). So what is free is asked for first, no more is taken than stands above the guest's
 * own low mark, and after each step it is looked at again. Those last free pages wake the guest's
 * kswapd, which makes room for the next step.
 */
#include "move.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"

/* In one step: 16 MiB. The guest does nothing else meanwhile. */
#define STEP_PAGES 4096u
/* Between steps while the guest makes room. */
#define ROOM_MS 20
/* Looks at a guest that has not switched contexts before it counts as stopped. */
#define STILL_LOOKS 2u
#define KIB_A_PAGE  4u

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t uml_move_size(const struct uml_vm *vm)
{
	const uint64_t overhead = vm->uml->own->overhead_pages;
	const uint64_t held = vm->resident_pages > overhead ? vm->resident_pages - overhead : 1;
	const uint64_t left = vm->ram_pages - vm->taken_pages;

	return left > least(held, vm->ram_pages) ? left : least(held, vm->ram_pages);
}

static bool ask(struct uml_vm *vm, enum uml_request request, const char *command)
{
	if (!channel_send(&vm->channel, command)) {
		return false;
	}
	vm->request = request;
	vm->zones_fresh = vm->zones_fresh && request == UML_PLUG;
	return true;
}

static bool ask_mem(struct uml_vm *vm, enum uml_request request, char sign, uint64_t pages)
{
	char command[64];

	snprintf(command, sizeof(command), "config mem=%c%" PRIu64 "K", sign, pages * KIB_A_PAGE);
	return ask(vm, request, command);
}

static void again(struct uml_vm *vm, int ms)
{
	const struct timeval soon = {.tv_usec = ms * 1000};

	event_add(vm->step, &soon);
}

/* A give counts from the moment it is asked for, a take from the moment it is certain. */
static void give(struct uml_vm *vm, uint64_t pages)
{
	vm->taken_pages -= pages;
	/* Whatever else was ever taken comes back with the last page. */
	if (!ask_mem(vm, UML_GIVE, '+', vm->taken_pages == 0 ? vm->ram_pages : pages)) {
		vm->taken_pages += pages;
	}
}

static void take(struct uml_vm *vm, uint64_t pages)
{
	const struct mconsole_zones *z = &vm->zones;
	const uint64_t room = z->free > z->min ? z->free - z->min : 1;

	vm->zones_fresh = false;
	/* Below half of that mark even the kernel's emergencies fail. */
	if (z->free <= z->min / 2u + 1u) {
		again(vm, ROOM_MS);
		return;
	}
	pages = least(least(pages, room), STEP_PAGES);
	if (ask_mem(vm, UML_TAKE, '-', pages)) {
		vm->doubt_pages = pages;
	}
}

void uml_move_next(struct uml_vm *vm)
{
	const uint64_t size = vm->ram_pages - vm->taken_pages;

	if (vm->channel.fd < 0 || vm->channel.waiting) {
		return;
	}
	if (!vm->met) {
		if (evtimer_pending(vm->step, NULL)) {
			return;
		}
		if (vm->zones_fresh) {
			ask_mem(vm, UML_PLUG, '+', POISE_PAGES_MAX);
		} else {
			ask(vm, UML_ZONES, "proc zoneinfo");
		}
	} else if (vm->doubt_pages != 0) {
		ask(vm, UML_ZONES, "proc zoneinfo");
	} else if (!vm->refused && vm->target_pages > size && vm->taken_pages != 0) {
		give(vm, least(vm->target_pages - size, vm->taken_pages));
	} else if (vm->look) {
		vm->look = false;
		ask(vm, UML_SWITCHES, "proc stat");
	} else if (!vm->refused && !vm->paused && vm->target_pages != 0 &&
		   vm->target_pages < size && !evtimer_pending(vm->step, NULL)) {
		if (vm->zones_fresh) {
			take(vm, size - vm->target_pages);
		} else {
			ask(vm, UML_ZONES, "proc zoneinfo");
		}
	}
}

/* --- meeting it --- */

static void met(struct uml_vm *vm)
{
	const struct backend_env *env = &vm->uml->env;

	vm->met = true;
	vm->zones_fresh = false;
	vm->failures = 0;
	vm->taken_pages = 0;
	vm->doubt_pages = 0;
	vm->why[0] = '\0';
	if (vm->life != UML_RUNNING) {
		vm->life = UML_RUNNING;
		env->calls->started(env->daemon, vm->slot, uml_move_size(vm));
	}
}

void uml_move_start_unheard(struct uml_vm *vm)
{
	const struct backend_env *env = &vm->uml->env;

	if (vm->life != UML_RUNNING) {
		vm->life = UML_RUNNING;
		vm->ram_pages = vm->max_pages;
		env->calls->started(env->daemon, vm->slot, vm->max_pages);
	}
}

void uml_move_restart(struct uml_vm *vm)
{
	const struct backend_env *env = &vm->uml->env;

	vm->met = false;
	vm->zones_fresh = false;
	vm->taken_pages = 0;
	vm->doubt_pages = 0;
	vm->target_pages = 0;
	vm->unanswered = false;
	vm->refused = false;
	vm->still = 0;
	if (vm->life == UML_RUNNING) {
		env->calls->restarted(env->daemon, vm->slot, vm->ram_pages);
	}
}

/* --- answers --- */

/* Whether it has as much as its configuration says; the kernel keeps some for itself. */
static void take_size(struct uml_vm *vm)
{
	vm->ram_pages = vm->zones.managed > vm->max_pages ? vm->zones.managed : vm->max_pages;
	if (vm->life != UML_RUNNING && vm->zones.managed < vm->max_pages - vm->max_pages / 4u) {
		log_line(LOG_LEVEL_WARNING,
			 "%s: its kernel hands out %" PRIu64
			 " pages, much less than its max in the configuration",
			 vm->name, vm->zones.managed);
	}
}

static void tell(struct uml_vm *vm)
{
	const struct backend_env *env = &vm->uml->env;

	vm->unanswered = false;
	if (vm->epoch != 0) {
		env->calls->balloon_changed(env->daemon, vm->slot, vm->epoch, uml_move_size(vm));
	}
}

static void take_zones(struct uml_vm *vm, const struct mconsole_answer *answer)
{
	const uint64_t doubt = vm->doubt_pages;

	vm->doubt_pages = 0;
	if (answer->error || !mconsole_read_zones(answer->text, &vm->zones)) {
		vm->mistakes++;
		again(vm, ROOM_MS);
		return;
	}
	vm->zones_fresh = true;
	if (!vm->met) {
		take_size(vm);
	} else if (doubt != 0 && vm->zones.free > vm->zones.min / 2u) {
		/* It had more than that all the time: no page of the step can have been refused. */
		vm->taken_pages += doubt;
		tell(vm);
	}
	if (doubt != 0 && vm->zones.free < vm->zones.min + STEP_PAGES) {
		vm->zones_fresh = false;
		again(vm, ROOM_MS);
	}
}

static void take_switches(struct uml_vm *vm, const struct mconsole_answer *answer)
{
	const struct backend_env *env = &vm->uml->env;
	uint64_t switches;
	bool paused;

	if (answer->error || !mconsole_read_switches(answer->text, &switches)) {
		vm->mistakes++;
		return;
	}
	/* Each request is carried out by a kernel thread, which is a switch; but by the one that
	 * waits for `go` in a guest that has been stopped. */
	vm->still = switches == vm->switches ? vm->still + (vm->still < STILL_LOOKS) : 0;
	vm->switches = switches;
	paused = vm->still == STILL_LOOKS;
	if (paused != vm->paused) {
		vm->paused = paused;
		env->calls->paused(env->daemon, vm->slot, paused);
	}
}

static void take_mem(struct uml_vm *vm, enum uml_request request,
		     const struct mconsole_answer *answer)
{
	if (answer->error) {
		snprintf(vm->why, sizeof(vm->why), "config mem: %.80s", answer->text);
		vm->mistakes++;
	}
	switch (request) {
	case UML_PLUG:
		vm->refused = answer->error;
		met(vm);
		if (answer->error) {
			snprintf(vm->why, sizeof(vm->why), "config mem: %.80s", answer->text);
		}
		break;
	case UML_TAKE:
		/* The host does not let go of a page: what came before it is gone, uncounted. */
		if (answer->error) {
			vm->doubt_pages = 0;
			again(vm, ROOM_MS);
		}
		break;
	case UML_GIVE:
	default:
		tell(vm);
		break;
	}
}

static void on_answer(void *ctx, const struct mconsole_answer *answer)
{
	struct uml_vm *vm = ctx;
	const enum uml_request request = vm->request;

	vm->request = UML_NOTHING;
	if (vm->down) {
		vm->down = false;
		vm->why[0] = '\0';
	}
	switch (request) {
	case UML_ZONES:
		take_zones(vm, answer);
		break;
	case UML_SWITCHES:
		take_switches(vm, answer);
		break;
	case UML_PLUG:
	case UML_TAKE:
	case UML_GIVE:
		take_mem(vm, request, answer);
		break;
	case UML_NOTHING:
		break;
	}
	uml_move_next(vm);
}

static void on_down(void *ctx, const char *why)
{
	struct uml_vm *vm = ctx;

	/* Of a step without an answer nothing is counted: it may come yet, or never. */
	vm->doubt_pages = 0;
	vm->zones_fresh = false;
	vm->request = UML_NOTHING;
	vm->down = true;
	snprintf(vm->why, sizeof(vm->why), "%s", why);
	vm->failures += !vm->met;
}

const struct channel_calls uml_move_calls = {.answer = on_answer, .down = on_down};
