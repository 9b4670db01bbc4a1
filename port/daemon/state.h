/* SPDX-License-Identifier: MIT */
/*
 * The state file: what the core knows of each VM, for the daemon that comes after this one. It is
 * written every ten seconds and at the end, and read at the start. It counts only in the same boot
 * of the host, and for a VM only in the same start of that. What a VM has is never taken from it:
 * that is the host's to say.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include <stdbool.h>

#include "backend.h"

struct poised;

struct state {
	unsigned char blob[POISE_EXPORT_BYTES];
	size_t bytes; /* 0: there is none */
	struct {
		char name[BACKEND_NAME_MAX]; /* "": nobody's, or taken up already */
		char identity[BACKEND_NAME_MAX];
	} vm[POISE_VM_MAX]; /* by the slot that each had */
	uint64_t written_ms;
	bool failed; /* said that it cannot be written */
};

/* Reads the file. One that does not fit is not used, and one line says so. */
void state_load(struct poised *d);
/*
 * Takes a VM into the core, with the history that an earlier daemon had of it. Returns POISE_OK, or
 * POISE_E_NOT_FOUND if there is none that could be used.
 */
enum poise_err state_vm_add(struct poised *d, uint32_t slot, const struct poise_vm_config *config,
			    uint64_t pages);
/* Writes the file, if that is due. `at_once`: it is. Not while VMs are still being taken in. */
void state_save(struct poised *d, bool at_once);

#endif
