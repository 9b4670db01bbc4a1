/* SPDX-License-Identifier: MIT */
/* Virtual nanoseconds since the start of the machine, and the monitor's one alarm. */
#ifndef BOARD_TIMER_H
#define BOARD_TIMER_H

#include <stdint.h>

void board_timer_init(void);
uint64_t board_time_ns(void);
/* Lets the monitor's timer interrupt fire at `ns`; UINT64_MAX switches it off. */
void board_timer_set(uint64_t ns);
/* Convert between nanoseconds and ticks of the counter. */
uint64_t board_timer_ticks_to_ns(uint64_t ticks);
uint64_t board_timer_ns_to_ticks(uint64_t ns);

#endif
