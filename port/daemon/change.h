/* SPDX-License-Identifier: MIT */
/* Changes of the configuration while the daemon runs. */
#ifndef DAEMON_CHANGE_H
#define DAEMON_CHANGE_H

#include "poised.h"

/* Reads the configuration file again, changes what can be changed, says what cannot. */
void change_reload(struct poised *d);
/*
 * Changes one setting of a VM: key and value as in the configuration file, value as text. Returns
 * NULL, or what is wrong; nothing has changed then.
 */
const char *change_set(struct poised *d, uint32_t vm, const char *key, const char *value);
/* Freezes a VM, or thaws it. Returns NULL, or what is wrong; nothing has changed then. */
const char *change_freeze(struct poised *d, uint32_t vm, bool frozen);

#endif
