/* SPDX-License-Identifier: MIT */
/* One VM of QEMU: whether it is there, and what the daemon sees of it. See kvm.h. */
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "poise_seq.h"
#include "proc.h"

/* Looks in a row before a page counts as left by its driver, and freed memory as not freed. */
#define STILL_LOOKS     5u
#define NOT_FREED_LOOKS 3u
/* A connection on which nothing is answered for so many deadlines is made anew. */
#define GIVE_UP_DEADLINES 6u
#define RETRY_MS          1000u

uint64_t kvm_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* --- the process --- */

static void forget_process(struct kvm_vm *vm)
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

static void gone(struct kvm_vm *vm)
{
	const struct backend_env *env = &vm->kvm->env;
	const bool running = vm->life == KVM_RUNNING;

	link_close(&vm->link);
	forget_process(vm);
	event_del(vm->watch);
	stats_stop(vm->stats);
	vm->life = KVM_AWAY;
	vm->ram_pages = 0;
	vm->actual_pages = 0;
	vm->fresh = false;
	vm->target_pages = 0;
	vm->epoch = 0;
	vm->sent_epoch = 0;
	vm->asked_epoch = 0;
	vm->unsent = false;
	vm->refused = false;
	vm->silent = false;
	vm->not_freed = 0;
	vm->failures = 0;
	vm->why[0] = '\0';
	if (running) {
		env->calls->gone(env->daemon, vm->slot);
	}
}

static void process_ended(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	gone(ctx);
}

static pid_t read_pid_file(const char *path)
{
	char text[32];
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1u);
	long pid;

	if (fd >= 0) {
		close(fd);
	}
	if (size <= 0) {
		return 0;
	}
	text[size] = '\0';
	pid = strtol(text, NULL, 10);
	return pid > 0 && pid < INT32_MAX ? (pid_t)pid : 0;
}

/* Whether there is such a process: one that has ended and only waits for its parent is none. */
static bool process_lives(pid_t pid)
{
	struct pollfd ended = {.events = POLLIN};
	bool lives;

	if (pid <= 0) {
		return false;
	}
	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ended.fd < 0) {
		return errno != ESRCH;
	}
	lives = poll(&ended, 1, 0) == 0;
	close(ended.fd);
	return lives;
}

/* A relay may listen where there is no VM: the file that names the VM's process knows better. */
static bool known_to_be_away(const struct kvm_vm *vm)
{
	return vm->settings->pid_file[0] != '\0' && vm->pid == 0 &&
	       !process_lives(read_pid_file(vm->settings->pid_file));
}

/* The process whose end is the VM's, and whose memory is the VM's. */
static void meet_process(struct kvm_vm *vm, pid_t peer)
{
	const pid_t pid =
		vm->settings->pid_file[0] != '\0' ? read_pid_file(vm->settings->pid_file) : peer;

	if (pid == vm->pid && (pid == 0 || vm->pidfd >= 0)) {
		return;
	}
	if (vm->pid != 0 || vm->life == KVM_RUNNING) {
		/* Somebody else listens there now: that VM is no more. */
		struct link keep = vm->link;

		vm->link = (struct link){0};
		gone(vm);
		vm->link = keep;
	}
	if (pid <= 0) {
		return;
	}
	vm->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (vm->pidfd < 0) {
		return; /* An old kernel, or not our process: its end shows at the socket. */
	}
	vm->pid = pid;
	vm->ended = event_new(vm->kvm->env.base, vm->pidfd, EV_READ, process_ended, vm);
	if (vm->ended == NULL || event_add(vm->ended, NULL) != 0) {
		forget_process(vm);
	}
}

static void look_at_process(struct kvm_vm *vm)
{
	const uint64_t overhead = vm->kvm->own->overhead_pages;

	if (vm->pid == 0 || !proc_resident(vm->pid, &vm->resident_pages)) {
		vm->resident_pages = 0;
	}
	if (vm->actual_pages != 0 && vm->actual_pages < vm->ram_pages &&
	    vm->resident_pages > vm->actual_pages + overhead) {
		vm->not_freed += vm->not_freed < NOT_FREED_LOOKS;
	} else {
		vm->not_freed = 0;
	}
}

/* --- the connection --- */

static void open_link(struct kvm_vm *vm, uint64_t now)
{
	pid_t peer = 0;

	vm->retry_ms = now + RETRY_MS;
	if (known_to_be_away(vm)) {
		if (vm->life != KVM_AWAY) {
			gone(vm);
		}
		return;
	}
	/* link_open overwrites the link only when it has one: `link` may be in use by gone(). */
	if (link_open(&vm->link, vm->kvm->env.base, vm->settings->qmp, &kvm_link_calls, vm, now,
		      &peer) != 0) {
		if (errno != ENOENT && errno != ECONNREFUSED) {
			snprintf(vm->why, sizeof(vm->why), "%s", strerror(errno));
		} else if (vm->pid == 0 && vm->life != KVM_AWAY) {
			gone(vm); /* Nobody listens, and no process is known that could still live.
				   */
		}
		return;
	}
	meet_process(vm, peer);
	if (vm->life == KVM_AWAY) {
		vm->life = KVM_MEETING;
		vm->changed_ms = now;
	}
}

void kvm_vm_start_unheard(struct kvm_vm *vm)
{
	const struct backend_env *env = &vm->kvm->env;

	if (vm->life != KVM_RUNNING && !vm->incoming) {
		vm->life = KVM_RUNNING;
		env->calls->started(env->daemon, vm->slot, vm->max_pages);
	}
}

static void look_at_link(struct kvm_vm *vm, uint64_t now)
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
	waited = link_look(&vm->link, now);
	if (vm->silent && waited <= deadline) {
		vm->why[0] = '\0';
	}
	vm->silent = waited > deadline;
	if (vm->silent) {
		snprintf(vm->why, sizeof(vm->why), "%s",
			 vm->link.state == LINK_GREETING
				 ? "no greeting: stopped, or in use by another client"
				 : "no answer: stopped, or hanging");
		kvm_vm_start_unheard(vm);
	}
	if (waited > deadline * GIVE_UP_DEADLINES) {
		link_close(&vm->link);
		kvm_link_calls.down(vm, "no answer");
		vm->retry_ms = now + RETRY_MS;
	}
}

/* --- the guest's statistics --- */

/* Whether the balloon's statistics are wanted: there is no page, or its driver has left it. */
static bool want_stats(struct kvm_vm *vm)
{
	const bool mapped = pagefile_look(&vm->file);
	const uint32_t seq = mapped ? POISE_SEQ_LOAD(&vm->file.guest->head.seq) : 0;

	vm->still = seq != vm->seen_seq ? 0 : vm->still + (vm->still < STILL_LOOKS);
	vm->seen_seq = seq;
	return !mapped || seq == 0 || vm->still >= STILL_LOOKS;
}

static void look_at_stats(struct kvm_vm *vm)
{
	const bool want = want_stats(vm) && vm->balloon[0] != '\0' && !vm->refused &&
			  vm->life == KVM_RUNNING && vm->link.state == LINK_READY;

	if (want && vm->stats->ram_pages == 0 && vm->ram_pages != 0) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		stats_start(vm->stats, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
			    vm->ram_pages);
	}
	if (want != vm->polling && vm->link.state == LINK_READY && vm->balloon[0] != '\0') {
		vm->polling = want;
		kvm_ask(vm, REQUEST_POLLING);
	}
	if (want && !vm->silent) {
		kvm_ask(vm, REQUEST_STATS);
	} else if (!want) {
		stats_stop(vm->stats);
	}
}

void kvm_vm_look(struct kvm_vm *vm)
{
	look_at_process(vm);
	look_at_link(vm, kvm_now_ms());
	look_at_stats(vm);
	if (vm->link.state == LINK_READY && !vm->silent && !vm->refused) {
		kvm_ask(vm, REQUEST_ACTUAL);
		kvm_ask_target(vm);
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
	kvm_ask_target(vm);
	return POISE_OK;
}

enum poise_err kvm_vm_measure(const struct kvm_vm *vm, uint64_t *pages)
{
	if (!vm->fresh || vm->unsent || vm->link.state != LINK_READY || vm->silent) {
		return POISE_E_BUSY;
	}
	*pages = kvm_size(vm);
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
					    [KVM_MEETING] = "meeting",
					    [KVM_PARKING] = "meeting",
					    [KVM_RUNNING] = "ready"};
	const bool down = vm->life != KVM_AWAY &&
			  (vm->silent || (vm->life == KVM_RUNNING && vm->link.state != LINK_READY));

	*out = (struct backend_status){.resident_pages = vm->resident_pages};
	out->mistakes = vm->link.bad + vm->link.unknown;
	out->meeting = (vm->life == KVM_MEETING || vm->life == KVM_PARKING) && !vm->incoming;
	snprintf(out->state, sizeof(out->state), "%s",
		 down           ? "down"
		 : vm->refused  ? "no balloon"
		 : vm->incoming ? "incoming"
				: lives[vm->life]);
	out->alarms |= down ? BACKEND_ALARM_DOWN : 0u;
	out->alarms |= vm->refused ? BACKEND_ALARM_REFUSED : 0u;
	out->alarms |= vm->file.why[0] != '\0' ? BACKEND_ALARM_PAGE : 0u;
	out->alarms |= vm->not_freed == NOT_FREED_LOOKS ? BACKEND_ALARM_NOT_FREED : 0u;
	snprintf(out->detail, sizeof(out->detail), "%.60s%s%.60s", vm->why,
		 vm->why[0] != '\0' && vm->file.why[0] != '\0' ? "; " : "", vm->file.why);
	if (out->detail[0] == '\0' && vm->not_freed == NOT_FREED_LOOKS) {
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
		kvm_ask(vm, REQUEST_ACTUAL);
	}
}

struct kvm_vm *kvm_vm_new(struct kvm *kvm, uint32_t slot, const char *name,
			  const struct backend_settings *settings, uint64_t max_pages)
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
	forget_process(vm);
	pagefile_close(&vm->file);
	if (vm->watch != NULL) {
		event_free(vm->watch);
	}
	free(vm->stats);
	free(vm);
}
