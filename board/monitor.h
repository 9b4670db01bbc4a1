/* SPDX-License-Identifier: MIT */
/* The run loop: lets VMs run, and deals with what takes the CPU from them. */
#ifndef BOARD_MONITOR_H
#define BOARD_MONITOR_H

#include <stdint.h>

#include "vm.h"

/* Runs the VMs until virtual time `until_ns`, or until one dies. Returns: the dead one or NULL. */
struct board_vm *board_monitor_run(uint64_t until_ns);

#endif
