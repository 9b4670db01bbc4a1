/* SPDX-License-Identifier: MIT */
/* What core.c, interval.c and daemon.c share; nobody else includes this. */
#ifndef DAEMON_INSIDE_H
#define DAEMON_INSIDE_H

#include "daemon.h"

uint64_t daemon_now_us(void);

/* core.c: logs an error of the core that the daemon did not expect. */
void daemon_expect(enum poise_err err, const char *what);
/* Makes the core anew, empty, with the whole pool. */
enum poise_err daemon_core_start(struct poised *d);
/* Takes a VM into the core, with a reservation of one page; daemon_vm_apply has to follow. */
enum poise_err daemon_vm_add(struct poised *d, uint32_t slot, uint64_t pages);
/* daemon_vm_apply for all that run. */
void daemon_apply_all(struct poised *d);
/* Reads the host's free memory and bounds the pool by it. */
void daemon_look_at_host(struct poised *d);
/* Writes a VM's last notice into its host page, if both are there. */
void daemon_tell(struct poised *d, uint32_t vm);
/* Opens the recording that the configuration asks for. Returns 0 or -1, after it has said why. */
int daemon_record_open(struct poised *d);

/* interval.c: for the backend. */
extern const struct backend_calls daemon_calls;

#endif
