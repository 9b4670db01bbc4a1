/* SPDX-License-Identifier: MIT */
/* One guest of User-Mode Linux: whether it is there, and what the daemon sees of it. See vm.h. */
#include "vm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "move.h"
#include "proc.h"

#define RETRY_MS 1000u
/* Attempts to meet a guest whose process lives, before it is charged without its word. */
#define FAILURES_MAX 2u

/* --- whether it is there --- */

static void forget_process(struct uml_vm *vm)
{
	if (vm->ended != NULL) {
		event_free(vm->ended);
		vm->ended = NULL;
	}
	if (vm->pidfd >= 0) {
		close(vm->pidfd);
	}
	vm->pidfd = -1;
	vm->pid = 0;
	vm->resident_pages = 0;
}

static void end(struct uml_vm *vm)
{
	const struct backend_env *env = &vm->uml->env;
	const bool running = vm->life == UML_RUNNING;

	channel_close(&vm->channel);
	forget_process(vm);
	event_del(vm->step);
	vm->life = UML_AWAY;
	uml_move_restart(vm);
	vm->request = UML_NOTHING;
	vm->ram_pages = 0;
	vm->epoch = 0;
	vm->not_freed = 0;
	vm->failures = 0;
	vm->paused = false;
	vm->down = false;
	vm->console = 0;
	vm->why[0] = '\0';
	if (running) {
		env->calls->gone(env->daemon, vm->slot);
	}
}

static void process_ended(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	end(ctx);
}

/* Its end is the guest's. An old kernel, or a file that lies: its end shows at the socket. */
static void find_process(struct uml_vm *vm)
{
	const pid_t pid = proc_pid_file(vm->settings->pid_file);

	if (pid == 0 || !proc_lives(pid)) {
		return;
	}
	vm->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (vm->pidfd < 0) {
		return;
	}
	vm->pid = pid;
	vm->ended = event_new(vm->uml->env.base, vm->pidfd, EV_READ, process_ended, vm);
	if (vm->ended == NULL || event_add(vm->ended, NULL) != 0) {
		forget_process(vm);
	}
}

/* Its console is made anew at each boot, in the same process if that was a reboot. */
static void note_console(struct uml_vm *vm)
{
	struct stat st;
	int64_t made;

	if (stat(vm->settings->mconsole, &st) != 0) {
		return; /* Gone again: the next request is not answered. */
	}
	made = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	if (vm->console != 0 && (vm->console != st.st_ino || vm->console_ns != made)) {
		uml_move_restart(vm);
	}
	vm->console = st.st_ino;
	vm->console_ns = made;
}

static void open_channel(struct uml_vm *vm, uint64_t now)
{
	vm->retry_ms = now + RETRY_MS;
	if (channel_open(&vm->channel, vm->uml->env.base, vm->settings->mconsole) != 0) {
		if (errno != ENOENT && errno != ECONNREFUSED) {
			snprintf(vm->why, sizeof(vm->why), "%s", strerror(errno));
		} else if (vm->pid == 0 && vm->life != UML_AWAY) {
			/* Nobody listens, and no process is known that could still live. */
			end(vm);
		}
		return;
	}
	if (vm->life == UML_AWAY) {
		vm->life = UML_MEETING;
	}
	note_console(vm);
}

static void check_process(struct uml_vm *vm)
{
	const uint64_t overhead = vm->uml->own->overhead_pages;
	const uint64_t left = vm->ram_pages - vm->taken_pages;

	if (vm->pid == 0) {
		find_process(vm);
	}
	if (vm->pid == 0 || !proc_resident(vm->pid, &vm->resident_pages)) {
		vm->resident_pages = 0;
	}
	if (vm->taken_pages != 0 && vm->resident_pages > left + overhead) {
		vm->not_freed += vm->not_freed < UML_NOT_FREED_CHECKS;
	} else {
		vm->not_freed = 0;
	}
}

void uml_vm_check(struct uml_vm *vm)
{
	const uint64_t now = clock_now_ms();

	check_process(vm);
	channel_check(&vm->channel);
	if (vm->channel.fd < 0 && now >= vm->retry_ms) {
		open_channel(vm, now);
	}
	if (vm->failures >= FAILURES_MAX && vm->pid != 0) {
		uml_move_start_unheard(vm);
	}
	(void)pagefile_check(&vm->file);
	vm->look = true;
	uml_move_next(vm);
}

/* --- what the daemon asks --- */

static bool unheard(const struct uml_vm *vm)
{
	return vm->channel.fd < 0 || vm->down || !vm->met;
}

enum poise_err uml_vm_resize(struct uml_vm *vm, uint64_t target_pages, uint64_t epoch)
{
	const struct timeval now = {0};

	if (vm->refused) {
		return POISE_E_PORT;
	}
	if (unheard(vm)) {
		return POISE_E_BUSY;
	}
	vm->target_pages = target_pages;
	vm->epoch = epoch;
	vm->unanswered = true;
	/* From the event loop, as answers come at once if there is nothing to move. */
	event_add(vm->step, &now);
	return POISE_OK;
}

enum poise_err uml_vm_measure(const struct uml_vm *vm, uint64_t *pages)
{
	if (unheard(vm) || vm->doubt_pages != 0) {
		return POISE_E_BUSY;
	}
	*pages = uml_move_size(vm);
	return POISE_OK;
}

void uml_vm_pages(const struct uml_vm *vm, struct backend_pages *out)
{
	*out = (struct backend_pages){0};
	if (!vm->refused) {
		out->guest = vm->file.guest;
		out->host = vm->file.host;
	}
}

void uml_vm_status(const struct uml_vm *vm, struct backend_status *out)
{
	static const char *const lives[] = {
		[UML_AWAY] = "not running", [UML_MEETING] = "handshake", [UML_RUNNING] = "ready"};
	const bool down = vm->life == UML_RUNNING && unheard(vm);

	*out = (struct backend_status){.resident_pages = vm->resident_pages};
	out->mistakes = vm->channel.bad + vm->mistakes;
	out->adopting = vm->life == UML_MEETING;
	snprintf(out->state, sizeof(out->state), "%s",
		 down          ? "down"
		 : vm->refused ? "no balloon"
			       : lives[vm->life]);
	out->alarms |= down ? BACKEND_ALARM_DOWN : 0u;
	out->alarms |= vm->refused ? BACKEND_ALARM_REFUSED : 0u;
	out->alarms |= vm->file.why[0] != '\0' ? BACKEND_ALARM_PAGE : 0u;
	out->alarms |= vm->not_freed == UML_NOT_FREED_CHECKS ? BACKEND_ALARM_NOT_FREED : 0u;
	snprintf(out->detail, sizeof(out->detail), "%.60s%s%.60s", vm->why,
		 vm->why[0] != '\0' && vm->file.why[0] != '\0' ? "; " : "", vm->file.why);
	for (char *at = out->detail; *at != '\0'; at++) {
		*at = *at < ' ' || *at > '~' ? '?' : *at;
	}
}

bool uml_vm_identity(const struct uml_vm *vm, char text[BACKEND_NAME_MAX])
{
	uint64_t ticks;

	/* A reboot keeps the process, and its console is another one. */
	if (vm->pid == 0 || vm->console == 0 || !proc_started(vm->pid, &ticks)) {
		return false;
	}
	snprintf(text, BACKEND_NAME_MAX, "%ld:%llu:%lld", (long)vm->pid, (unsigned long long)ticks,
		 (long long)vm->console_ns);
	return true;
}

/* --- beginning and end --- */

static void step_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct uml_vm *vm = ctx;
	const struct backend_env *env = &vm->uml->env;

	(void)fd;
	(void)what;
	uml_move_next(vm);
	if (vm->unanswered && vm->request != UML_TAKE && vm->request != UML_GIVE &&
	    vm->target_pages == uml_move_size(vm)) {
		vm->unanswered = false;
		env->calls->balloon_changed(env->daemon, vm->slot, vm->epoch, uml_move_size(vm));
	}
}

struct uml_vm *uml_vm_new(struct uml *uml, uint32_t slot, const char *name,
			  const struct backend_vm_settings *settings, uint64_t max_pages)
{
	struct uml_vm *vm = calloc(1, sizeof(*vm));

	if (vm == NULL) {
		return NULL;
	}
	vm->uml = uml;
	vm->slot = slot;
	vm->name = name;
	vm->settings = settings;
	vm->max_pages = max_pages;
	vm->pidfd = -1;
	channel_init(&vm->channel, uml->own->deadline_ms, &uml_move_calls, vm);
	pagefile_init(&vm->file, settings->page_file);
	vm->step = evtimer_new(uml->env.base, step_timer, vm);
	if (vm->step == NULL) {
		uml_vm_free(vm);
		return NULL;
	}
	return vm;
}

void uml_vm_free(struct uml_vm *vm)
{
	channel_close(&vm->channel);
	forget_process(vm);
	pagefile_close(&vm->file);
	if (vm->step != NULL) {
		event_free(vm->step);
	}
	free(vm);
}
