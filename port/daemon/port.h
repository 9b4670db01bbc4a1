/* SPDX-License-Identifier: MIT */
/* The core's port to the backend: what the core asks goes there, what it decides is recorded. */
#ifndef DAEMON_PORT_H
#define DAEMON_PORT_H

#include "poised.h"

/* Makes the core anew, empty, with the whole pool. */
enum poise_err port_start(struct poised *d);
/* Writes a VM's last notice into its host page, if both are there: also when the page is a new one
 * or somebody else has written to it. */
void port_tell(struct poised *d, uint32_t vm);

#endif
