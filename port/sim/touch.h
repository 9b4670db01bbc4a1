/* SPDX-License-Identifier: MIT */
/* What a guest's programs do to its memory, and its kernel beside them. */
#ifndef SIM_TOUCH_H
#define SIM_TOUCH_H

#include "vm.h"

/* Touches page `vpn` of the window, or block `block` of the files. `write`: it is changed. */
void sim_guest_touch(struct sim_guest *g, uint32_t vpn, bool write);
void sim_guest_read(struct sim_guest *g, uint32_t block, bool first);

/* Does the kernel's work beside the programs: a step of background reclaim. */
void sim_guest_housekeeping(struct sim_guest *g);

#endif
