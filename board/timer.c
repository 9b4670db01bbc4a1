/* SPDX-License-Identifier: MIT */
/*
 * Time: the physical counter in nanoseconds, and CNTHP as the monitor's one alarm. Under -icount
 * the counter is a function of executed instructions, so everything that is derived from it
 * repeats.
 */
#include "timer.h"

#include "arch.h"
#include "panic.h"

#define NS_PER_S UINT64_C(1000000000)

static uint64_t frequency;

void board_timer_init(void)
{
	frequency = board_sysreg_read(cntfrq_el0);
	if (frequency == 0) {
		board_panic("the counter has no frequency");
	}
	board_sysreg_write(cnthp_ctl_el2, 0u);
	board_isb();
}

uint64_t board_timer_ticks_to_ns(uint64_t ticks)
{
	/* Split, so that the product cannot overflow before the counter itself does. */
	return ticks / frequency * NS_PER_S + ticks % frequency * NS_PER_S / frequency;
}

uint64_t board_timer_ns_to_ticks(uint64_t ns)
{
	/* Rounded up: an alarm may be late by a tick, never early. */
	return ns / NS_PER_S * frequency + (ns % NS_PER_S * frequency + NS_PER_S - 1u) / NS_PER_S;
}

uint64_t board_time_ns(void)
{
	board_isb();
	return board_timer_ticks_to_ns(board_sysreg_read(cntpct_el0));
}

void board_timer_set(uint64_t ns)
{
	if (ns == UINT64_MAX) {
		board_sysreg_write(cnthp_ctl_el2, 0u);
	} else {
		board_sysreg_write(cnthp_cval_el2, board_timer_ns_to_ticks(ns));
		board_sysreg_write(cnthp_ctl_el2, 1u);
	}
	board_isb();
}
