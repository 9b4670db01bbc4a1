/* SPDX-License-Identifier: MIT */
/*
 * The run loop: one CPU, on which VMs take turns by the clock. The VM that sched.c names runs for a
 * slice at most, and everything it makes the monitor do is on its account.
 */
#include "monitor.h"

#include "context.h"
#include "frame.h"
#include "sched.h"
#include "timer.h"
#include "trap.h"

int board_vm_enter(struct board_frame *frame);

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

	board_sched_charge(vm, now - start);
}

struct board_vm *board_monitor_run(uint64_t until_ns)
{
	for (;;) {
		uint64_t now = board_time_ns();
		if (now >= until_ns) {
			return NULL;
		}
		board_sched_wake(now);
		uint64_t alarm = earlier(until_ns, board_sched_alarm_ns());
		struct board_vm *vm = board_sched_next();
		if (vm == NULL) {
			if (alarm == UINT64_MAX) {
				return NULL;
			}
			idle(alarm);
			continue;
		}
		run(vm, now, alarm);
		if (vm->state == BOARD_VM_DEAD) {
			return vm;
		}
	}
}
