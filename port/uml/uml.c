/* SPDX-License-Identifier: MIT */
/*
 * The UML backend: guests of User-Mode Linux by their management console and a shared page file.
 * Settings, the host's memory, and the table of functions; a guest is in vm.c and move.c.
 */
#include "uml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "vm.h"

#define DEADLINE_MS 5000u
/* What is resident besides the memory that the guest's kernel hands out: that kernel itself and its
 * tables. Debian 12's holds 12 MiB. */
#define OVERHEAD_PAGES (24u * 256u)

static struct backend_vm_settings *vm_read(struct setting_reader *r, config_setting_t *group,
					   const char *name)
{
	struct backend_vm_settings *s = calloc(1, sizeof(*s));

	(void)name;
	if (s == NULL) {
		return NULL;
	}
	setting_path(r, group, "umid_dir", s->umid_dir, sizeof(s->umid_dir), NULL);
	setting_path(r, group, "page_file", s->page_file, sizeof(s->page_file), "");
	snprintf(s->mconsole, sizeof(s->mconsole), "%s/mconsole", s->umid_dir);
	snprintf(s->pid_file, sizeof(s->pid_file), "%s/pid", s->umid_dir);
	if (strlen(s->mconsole) >= UML_PATH_MAX) {
		setting_error(r, config_setting_get_member(group, "umid_dir"),
			      "umid_dir has to be shorter: a socket in it can have %u characters",
			      UML_PATH_MAX - 1u);
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
	return strcmp(a->umid_dir, b->umid_dir) == 0 && strcmp(a->page_file, b->page_file) == 0;
}

static bool own_settings_equal(const struct backend_own_settings *a,
			       const struct backend_own_settings *b)
{
	return a->deadline_ms == b->deadline_ms && a->overhead_pages == b->overhead_pages;
}

static void *uml_open(const struct backend_env *env, const struct backend_own_settings *own,
		      char error[BACKEND_ERROR_MAX])
{
	struct uml *uml = calloc(1, sizeof(*uml));

	if (uml == NULL || pagefile_guard() != 0) {
		snprintf(error, BACKEND_ERROR_MAX, "no memory");
		free(uml);
		return NULL;
	}
	uml->env = *env;
	uml->own = own;
	return uml;
}

static void uml_close(void *ctx)
{
	free(ctx);
}

static int vm_open(void *ctx, uint32_t vm, const char *name,
		   const struct backend_vm_settings *settings, uint64_t max_pages)
{
	struct uml *uml = ctx;

	uml->vm[vm] = uml_vm_new(uml, vm, name, settings, max_pages);
	return uml->vm[vm] != NULL ? 0 : -1;
}

static void vm_close(void *ctx, uint32_t vm)
{
	struct uml *uml = ctx;

	uml_vm_free(uml->vm[vm]);
	uml->vm[vm] = NULL;
}

static enum poise_err resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct uml *uml = ctx;

	return uml_vm_resize(uml->vm[vm], target_pages, epoch);
}

static enum poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	const struct uml *uml = ctx;

	return uml_vm_measure(uml->vm[vm], pages);
}

static void poll(void *ctx, uint32_t vm, bool want_stats)
{
	const struct uml *uml = ctx;

	(void)want_stats; /* There is no other way than the page. */
	uml_vm_check(uml->vm[vm]);
}

static void pages(void *ctx, uint32_t vm, struct backend_pages *out)
{
	const struct uml *uml = ctx;

	uml_vm_pages(uml->vm[vm], out);
}

static void status(void *ctx, uint32_t vm, struct backend_status *out)
{
	const struct uml *uml = ctx;

	uml_vm_status(uml->vm[vm], out);
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
	const struct uml *uml = ctx;
	uint64_t total;
	uint64_t available;
	uint64_t promised = reserve_pages;

	if (!proc_host(&total, &available)) {
		return POISE_E_PORT;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct uml_vm *vm = uml->vm[i];

		if (vm != NULL && vm->resident_pages != 0 && vm->life == UML_RUNNING) {
			const uint64_t left = vm->ram_pages - vm->taken_pages;
			const uint64_t size = vm->target_pages > left ? vm->target_pages : left;

			promised += size > vm->resident_pages ? size - vm->resident_pages : 0;
		}
	}
	*free_pages = available > promised ? available - promised : 0;
	return POISE_OK;
}

static bool identity(void *ctx, uint32_t vm, char text[BACKEND_NAME_MAX])
{
	const struct uml *uml = ctx;

	return uml_vm_identity(uml->vm[vm], text);
}

extern const struct backend uml_backend;
const struct backend uml_backend = {
	.name = "uml",
	.vm_keys = "umid_dir,page_file",
	.own_keys = "deadline_ms,overhead",
	.vm_read = vm_read,
	.own_read = own_read,
	.vm_settings_free = vm_settings_free,
	.own_settings_free = own_settings_free,
	.vm_settings_equal = vm_settings_equal,
	.own_settings_equal = own_settings_equal,
	.open = uml_open,
	.close = uml_close,
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
