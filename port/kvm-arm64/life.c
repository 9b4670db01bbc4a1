/* SPDX-License-Identifier: MIT */
/* Whether a VM is there; see life.h. */
#include "life.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

uint64_t kvm_life_size(const struct kvm_vm *vm)
{
	const uint64_t overhead = vm->kvm->own->overhead_pages;
	uint64_t held = vm->resident_pages > overhead ? vm->resident_pages - overhead : 1;

	if (vm->ram_pages != 0 && held > vm->ram_pages) {
		held = vm->ram_pages;
	}
	return vm->actual_pages > held ? vm->actual_pages : held;
}

void kvm_life_start_unheard(struct kvm_vm *vm)
{
	const struct backend_env *env = &vm->kvm->env;

	if (vm->life != KVM_RUNNING && !vm->incoming) {
		vm->life = KVM_RUNNING;
		env->calls->started(env->daemon, vm->slot, vm->max_pages);
	}
}

void kvm_life_forget(struct kvm_vm *vm)
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

void kvm_life_end(struct kvm_vm *vm)
{
	const struct backend_env *env = &vm->kvm->env;
	const bool running = vm->life == KVM_RUNNING;

	link_close(&vm->link);
	kvm_life_forget(vm);
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
	kvm_life_end(ctx);
}

bool kvm_life_is_away(const struct kvm_vm *vm)
{
	return vm->settings->pid_file[0] != '\0' && vm->pid == 0 &&
	       !proc_lives(proc_pid_file(vm->settings->pid_file));
}

void kvm_life_adopt(struct kvm_vm *vm, pid_t peer)
{
	const pid_t pid =
		vm->settings->pid_file[0] != '\0' ? proc_pid_file(vm->settings->pid_file) : peer;

	if (pid == vm->pid && (pid == 0 || vm->pidfd >= 0)) {
		return;
	}
	if (vm->pid != 0 || vm->life == KVM_RUNNING) {
		/* Somebody else listens there now: that VM is no more. */
		struct link keep = vm->link;

		vm->link = (struct link){0};
		kvm_life_end(vm);
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
		kvm_life_forget(vm);
	}
}

void kvm_life_check(struct kvm_vm *vm)
{
	const uint64_t overhead = vm->kvm->own->overhead_pages;

	if (vm->pid == 0 || !proc_resident(vm->pid, &vm->resident_pages)) {
		vm->resident_pages = 0;
	}
	if (vm->actual_pages != 0 && vm->actual_pages < vm->ram_pages &&
	    vm->resident_pages > vm->actual_pages + overhead) {
		vm->not_freed += vm->not_freed < KVM_NOT_FREED_CHECKS;
	} else {
		vm->not_freed = 0;
	}
}
