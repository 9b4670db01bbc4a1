/* SPDX-License-Identifier: MIT */
/*
 * The run loop: one CPU, VMs take turns by the clock. The VM that has been served least runs next,
 * for a slice at most, and everything it makes the monitor do is on its account. A VM that wakes
 * may preempt; it is credited at most one slice for the time it slept.
 */
#include "vm.h"

#include "arch.h"
#include "frame.h"

int board_vm_enter(struct board_frame *frame);

/* The service that a VM which has always been ready would have had by now. */
static uint64_t served_floor;

void board_sched_admit(struct board_vm *vm)
{
	uint64_t least = served_floor > BOARD_SLICE_NS ? served_floor - BOARD_SLICE_NS : 0;

	if (vm->served_ns < least) {
		vm->served_ns = least;
	}
}

static void wake_sleepers(uint64_t now)
{
	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		struct board_vm *vm = board_vm_get(slot);
		if (vm != NULL && (vm->state == BOARD_VM_IDLE || vm->state == BOARD_VM_BLOCKED) &&
		    vm->wake_ns <= now) {
			vm->state = BOARD_VM_READY;
			board_sched_admit(vm);
		}
	}
}

static uint64_t earliest_wake(void)
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

static struct board_vm *least_served(void)
{
	struct board_vm *best = NULL;

	for (uint32_t slot = 0; slot < BOARD_VM_MAX; slot++) {
		struct board_vm *vm = board_vm_get(slot);
		if (vm != NULL && vm->state == BOARD_VM_READY &&
		    (best == NULL || vm->served_ns < best->served_ns)) {
			best = vm;
		}
	}
	return best;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Waits with no guest in the CPU; the alarm is the only thing that can end the wait. */
static void idle(uint64_t alarm)
{
	board_context_switch(NULL);
	board_timer_set(alarm);
	board_wfi();
	uint32_t irq = board_gic_take();
	if (irq != BOARD_IRQ_NONE) {
		board_timer_set(UINT64_MAX);
		board_gic_done(irq);
	}
}

/* Lets one VM run until its slice ends, it stops being ready, or `alarm` is due. */
static void run(struct board_vm *vm, uint64_t now, uint64_t alarm)
{
	uint64_t start = now;
	uint64_t slice_end = now + BOARD_SLICE_NS;

	vm->slice_doorbells = 0;
	board_timer_set(earlier(slice_end, alarm));
	do {
		board_context_switch(vm);
		int reason = board_vm_enter(&vm->frame);
		board_trap(vm, reason);
		now = board_time_ns();
	} while (vm->state == BOARD_VM_READY && now < slice_end && now < alarm);
	board_timer_set(UINT64_MAX);

	vm->served_ns += now - start;
	vm->stats.run_ns += now - start;
}

struct board_vm *board_sched_run(uint64_t until_ns)
{
	for (;;) {
		uint64_t now = board_time_ns();
		if (now >= until_ns) {
			return NULL;
		}
		wake_sleepers(now);
		uint64_t alarm = earlier(until_ns, earliest_wake());
		struct board_vm *vm = least_served();
		if (vm == NULL) {
			if (alarm == UINT64_MAX) {
				return NULL;
			}
			idle(alarm);
			continue;
		}
		if (vm->served_ns > served_floor) {
			served_floor = vm->served_ns;
		}
		run(vm, now, alarm);
		if (vm->state == BOARD_VM_DEAD) {
			return vm;
		}
	}
}
