/* SPDX-License-Identifier: MIT */
/*
 * The run queue: the VM that has been served least runs next. A VM that wakes may preempt; it is
 * credited at most one slice for the time it slept.
 */
#include "sched.h"

#include <stddef.h>

#include "vm_table.h"

/* The service that a VM which has always been ready would have had by now. */
static uint64_t served_floor;

void board_sched_admit(struct board_vm *vm)
{
	uint64_t least = served_floor > BOARD_SLICE_NS ? served_floor - BOARD_SLICE_NS : 0;

	if (vm->served_ns < least) {
		vm->served_ns = least;
	}
}

void board_sched_wake(uint64_t now_ns)
{
	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		struct board_vm *vm = board_vm_get(slot);
		if (vm != NULL && (vm->state == BOARD_VM_IDLE || vm->state == BOARD_VM_BLOCKED) &&
		    vm->wake_ns <= now_ns) {
			vm->state = BOARD_VM_READY;
			board_sched_admit(vm);
		}
	}
}

uint64_t board_sched_alarm_ns(void)
{
	uint64_t earliest = UINT64_MAX;

	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		const struct board_vm *vm = board_vm_get(slot);
		if (vm != NULL && (vm->state == BOARD_VM_IDLE || vm->state == BOARD_VM_BLOCKED) &&
		    vm->wake_ns < earliest) {
			earliest = vm->wake_ns;
		}
	}
	return earliest;
}

struct board_vm *board_sched_next(void)
{
	struct board_vm *best = NULL;

	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		struct board_vm *vm = board_vm_get(slot);
		if (vm != NULL && vm->state == BOARD_VM_READY &&
		    (best == NULL || vm->served_ns < best->served_ns)) {
			best = vm;
		}
	}
	if (best != NULL && best->served_ns > served_floor) {
		served_floor = best->served_ns;
	}
	return best;
}

void board_sched_charge(struct board_vm *vm, uint64_t ns)
{
	vm->served_ns += ns;
	vm->stats.run_ns += ns;
}
