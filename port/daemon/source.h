/* SPDX-License-Identifier: MIT */
/* Where a VM's statistics come from: its own page, or the backend's statistics of it. Here, and
 * nowhere else outside the core, is decided whether a page is fresh. */
#ifndef DAEMON_SOURCE_H
#define DAEMON_SOURCE_H

#include "poised.h"

/* Once an interval for a VM that runs: chooses the source, reads it, looks after the host page. */
void source_sample(struct poised *d, uint32_t vm, uint64_t now_ms);
/* Serves the urgent word in a VM's page, if it has a new one. As often as you like. */
void source_doorbell(struct poised *d, uint32_t vm);

#endif
