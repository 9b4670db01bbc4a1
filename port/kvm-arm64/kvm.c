/* SPDX-License-Identifier: MIT */
/*
 * The KVM backend: QEMU's virtual machines by QMP, virtio-balloon and a shared page file. Settings,
 * the host's memory, and the table of functions; a VM is in vm.c, talk.c and life.c.
 */
#include "kvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "vm.h"

#define DEADLINE_MS 5000u
/* What a QEMU holds for itself: devices, threads, buffers, and the files it has loaded the guest
 * from, which it keeps for the next boot. Debian 12's holds 70 MiB with a kernel and initramfs
 * of 32. */
#define OVERHEAD_PAGES (80u * 256u)

static struct backend_vm_settings *vm_read(struct setting_reader *r, config_setting_t *group,
					   const char *name)
{
	struct backend_vm_settings *s = calloc(1, sizeof(*s));

	(void)name;
	if (s == NULL) {
		return NULL;
	}
	setting_path(r, group, "qmp", s->qmp, sizeof(s->qmp), NULL);
	setting_path(r, group, "page_file", s->page_file, sizeof(s->page_file), "");
	setting_path(r, group, "pid_file", s->pid_file, sizeof(s->pid_file), "");
	setting_path(r, group, "balloon", s->balloon, sizeof(s->balloon), "");
	if (strpbrk(s->balloon, "\"\\") != NULL) {
		setting_error(r, config_setting_get_member(group, "balloon"),
			      "balloon has to be a QOM path, as \"/machine/peripheral/balloon0\"");
	}
	return s;
}

static struct backend_own_settings *own_read(struct setting_reader *r, config_setting_t *group)
{
	struct backend_own_settings *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		return NULL;
	}
	s->deadline_ms = (uint32_t)setting_whole(r, group, "deadline_ms", 100, 600000, DEADLINE_MS);
	s->overhead_pages = setting_pages(r, group, "overhead", POISE_PAGES_MAX, OVERHEAD_PAGES);
	return s;
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
	return strcmp(a->qmp, b->qmp) == 0 && strcmp(a->page_file, b->page_file) == 0 &&
	       strcmp(a->pid_file, b->pid_file) == 0 && strcmp(a->balloon, b->balloon) == 0;
}

static bool own_settings_equal(const struct backend_own_settings *a,
			       const struct backend_own_settings *b)
{
	return a->deadline_ms == b->deadline_ms && a->overhead_pages == b->overhead_pages;
}

static void *kvm_open(const struct backend_env *env, const struct backend_own_settings *own,
		      char error[BACKEND_ERROR_MAX])
{
	struct kvm *kvm = calloc(1, sizeof(*kvm));

	if (kvm == NULL || pagefile_guard() != 0) {
		snprintf(error, BACKEND_ERROR_MAX, "no memory");
		free(kvm);
		return NULL;
	}
	kvm->env = *env;
	kvm->own = own;
	return kvm;
}

static void kvm_close(void *ctx)
{
	free(ctx);
}

static int vm_open(void *ctx, uint32_t vm, const char *name,
		   const struct backend_vm_settings *settings, uint64_t max_pages)
{
	struct kvm *kvm = ctx;

	kvm->vm[vm] = kvm_vm_new(kvm, vm, name, settings, max_pages);
	return kvm->vm[vm] != NULL ? 0 : -1;
}

static void vm_close(void *ctx, uint32_t vm)
{
	struct kvm *kvm = ctx;

	kvm_vm_free(kvm->vm[vm]);
	kvm->vm[vm] = NULL;
}

static enum poise_err resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct kvm *kvm = ctx;

	return kvm_vm_resize(kvm->vm[vm], target_pages, epoch);
}

static enum poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	const struct kvm *kvm = ctx;

	return kvm_vm_measure(kvm->vm[vm], pages);
}

static void poll(void *ctx, uint32_t vm, bool want_stats)
{
	const struct kvm *kvm = ctx;

	kvm_vm_check(kvm->vm[vm], want_stats);
}

static void pages(void *ctx, uint32_t vm, struct backend_pages *out)
{
	const struct kvm *kvm = ctx;

	kvm_vm_pages(kvm->vm[vm], out);
}

static void status(void *ctx, uint32_t vm, struct backend_status *out)
{
	const struct kvm *kvm = ctx;

	kvm_vm_status(kvm->vm[vm], out);
}

static enum poise_err host_total(void *ctx, uint64_t *total_pages)
{
	uint64_t available;

	(void)ctx;
	return proc_host(total_pages, &available) ? POISE_OK : POISE_E_PORT;
}

/* What a guest has not touched yet is available by the host's count, but is promised. */
static enum poise_err host_free(void *ctx, uint64_t reserve_pages, uint64_t *free_pages)
{
	const struct kvm *kvm = ctx;
	uint64_t total;
	uint64_t available;
	uint64_t promised = reserve_pages;

	if (!proc_host(&total, &available)) {
		return POISE_E_PORT;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct kvm_vm *vm = kvm->vm[i];

		if (vm != NULL && vm->resident_pages != 0 && vm->life == KVM_RUNNING) {
			const uint64_t size = vm->target_pages > vm->actual_pages
						      ? vm->target_pages
						      : vm->actual_pages;

			promised += size > vm->resident_pages ? size - vm->resident_pages : 0;
		}
	}
	*free_pages = available > promised ? available - promised : 0;
	return POISE_OK;
}

static bool identity(void *ctx, uint32_t vm, char text[BACKEND_NAME_MAX])
{
	const struct kvm *kvm = ctx;
	uint64_t ticks;

	/* A process is another one if it was started at another time, whatever its number. */
	if (kvm->vm[vm]->pid == 0 || !proc_started(kvm->vm[vm]->pid, &ticks)) {
		return false;
	}
	snprintf(text, BACKEND_NAME_MAX, "%ld:%llu", (long)kvm->vm[vm]->pid,
		 (unsigned long long)ticks);
	return true;
}

extern const struct backend kvm_backend;
const struct backend kvm_backend = {
	.name = "kvm",
	.vm_keys = "qmp,page_file,pid_file,balloon",
	.own_keys = "deadline_ms,overhead",
	.vm_read = vm_read,
	.own_read = own_read,
	.vm_settings_free = vm_settings_free,
	.own_settings_free = own_settings_free,
	.vm_settings_equal = vm_settings_equal,
	.own_settings_equal = own_settings_equal,
	.open = kvm_open,
	.close = kvm_close,
	.vm_open = vm_open,
	.vm_close = vm_close,
	.resize = resize,
	.measure = measure,
	.poll = poll,
	.pages = pages,
	.host_total = host_total,
	.host_free = host_free,
	.status = status,
	.identity = identity,
};
