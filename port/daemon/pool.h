/* SPDX-License-Identifier: MIT */
/* The pool: as configured, and as the host allows it at present. */
#ifndef DAEMON_POOL_H
#define DAEMON_POOL_H

#include "poised.h"

/* Above all reservations, so that there is always room to take another VM in with one page. */
#define POOL_LEAST_PAGES POISE_VM_MAX

/* Finds its size at the start: the configuration's, or the host's. Returns 0, or -1 after it has
 * said what is wrong. */
int pool_find(struct poised *d);
/* Bounds the pool: by what the host has free, and by what is charged as long as a VM that is there
 * has not been taken in. */
void pool_update(struct poised *d);
/* Reads the host's free memory and bounds the pool by it. */
void pool_check_host(struct poised *d);

#endif
