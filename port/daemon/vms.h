/* SPDX-License-Identifier: MIT */
/* The configured VMs: who is who, and what the core is told of each. */
#ifndef DAEMON_VMS_H
#define DAEMON_VMS_H

#include "poised.h"

/* Returns the slot of a VM by its name, POISE_VM_MAX if there is none. */
uint32_t vms_find(const struct poised *d, const char *name);

/* Takes a VM into the slot, and starts to look for it. Moves `vm`'s settings. Returns 0 or -1. */
int vms_open(struct poised *d, uint32_t slot, struct config_vm *vm);
/* Forgets a VM that the core does not have: its slot is free again. */
void vms_close(struct poised *d, uint32_t slot);

/*
 * Takes a VM into the core. It is charged before the pool is made larger by what it has: in the
 * other order somebody who waits would be given its memory. Until then there is room for a
 * reservation of one page (POOL_LEAST_PAGES); the caller applies the real one.
 */
enum poise_err vms_add(struct poised *d, uint32_t slot, uint64_t pages);
/* Tells the core a running VM's configuration, as far as the pool allows. */
enum poise_err vms_apply(struct poised *d, uint32_t slot);
/* The same for all that run. */
void vms_apply_all(struct poised *d);

#endif
