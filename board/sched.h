/* SPDX-License-Identifier: MIT */
/* Who runs next: VMs take turns by what they have been served. */
#ifndef BOARD_SCHED_H
#define BOARD_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

#define BOARD_SLICE_NS UINT64_C(2000000)

/* A VM that starts or wakes gets no credit for the time that it was away. */
void board_sched_admit(struct board_vm *vm);
/* Makes READY who has slept until `now_ns` or earlier. */
void board_sched_wake(uint64_t now_ns);
/* Returns: when the next sleeper has to be woken; UINT64_MAX: never. */
uint64_t board_sched_alarm_ns(void);
/* Returns: the READY VM that has been served least, or NULL. */
struct board_vm *board_sched_next(void);
/* Notes that a VM has been served for `ns`. */
void board_sched_charge(struct board_vm *vm, uint64_t ns);

#endif
