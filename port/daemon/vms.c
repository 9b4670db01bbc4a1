/* SPDX-License-Identifier: MIT */
/* The configured VMs; see vms.h. */
#include "vms.h"

#include <string.h>

uint32_t vms_find(const struct poised *d, const char *name)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].configured && strcmp(d->vm[i].conf.name, name) == 0) {
			return i;
		}
	}
	return POISE_VM_MAX;
}

int vms_open(struct poised *d, uint32_t slot, struct config_vm *vm)
{
	struct daemon_vm *v = &d->vm[slot];

	*v = (struct daemon_vm){.conf = *vm, .configured = true, .adopting = true};
	vm->settings = NULL;
	if (d->backend->vm_open(d->ctx, slot, v->conf.name, v->conf.settings,
				v->conf.core.max_pages) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s: no memory", v->conf.name);
		d->backend->vm_settings_free(v->conf.settings);
		*v = (struct daemon_vm){0};
		return -1;
	}
	return 0;
}

void vms_close(struct poised *d, uint32_t slot)
{
	d->backend->vm_close(d->ctx, slot);
	d->backend->vm_settings_free(d->vm[slot].conf.settings);
	d->vm[slot] = (struct daemon_vm){0};
}

/* A VM's configuration as the core can take it now: no limit above the pool, which the host may
 * have bound. */
static struct poise_vm_config config_now(const struct poised *d, uint32_t slot)
{
	const struct daemon_vm *v = &d->vm[slot];
	struct poise_vm_config config = v->conf.core;

	config.flags |= v->frozen || v->paused ? POISE_VM_FREEZE : 0u;
	config.flags |= d->leaving ? POISE_VM_STATIC : 0u;
	if (config.max_pages > d->core.config.pool_pages) {
		config.max_pages = d->core.config.pool_pages;
	}
	if (config.boot_pages > config.max_pages) {
		config.boot_pages = config.max_pages;
	}
	return config;
}

enum poise_err vms_apply(struct poised *d, uint32_t slot)
{
	const struct poise_vm_config config = config_now(d, slot);

	return memcmp(&d->core.vm[slot].config, &config, sizeof(config)) == 0
		       ? POISE_OK
		       : poise_vm_set(&d->core, slot, &config);
}

void vms_apply_all(struct poised *d)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (d->vm[i].running) {
			log_unexpected(vms_apply(d, i), d->vm[i].conf.name);
		}
	}
}

enum poise_err vms_add(struct poised *d, uint32_t slot, uint64_t pages)
{
	struct poise_vm_config config = config_now(d, slot);
	enum poise_err err;

	config.min_pages = 1;
	err = state_vm_add(d, slot, &config, pages);
	if (err == POISE_E_NOT_FOUND) {
		err = poise_vm_add(&d->core, slot, &config, pages);
	}
	d->vm[slot].running = err == POISE_OK;
	return err;
}
