/* SPDX-License-Identifier: MIT */
/* One simulated guest from its start to its end, and its turn at the processor. */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include "vm.h"

/*
 * Makes a VM, and if it is not absent at first, boots it. Returns false without memory.
 * sim_guest_stop has to be called in any case.
 */
bool sim_guest_start(struct sim_guest *g, struct sim_books *books, uint32_t index);
/* Boots a guest that has its boot size and has done nothing, in place of the one before. */
bool sim_guest_boot(struct sim_guest *g);
/* The guest is no more; the VM's pages in the host are for the caller to free. */
void sim_guest_leave(struct sim_guest *g);
void sim_guest_stop(struct sim_guest *g);

/* Lets kernel and work go on until the host's clock says `until_us`. */
void sim_guest_run(struct sim_guest *g, uint64_t now_us, uint64_t until_us);

#endif
