/* SPDX-License-Identifier: MIT */
/* The daemon's clock and its backends': monotonic. */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stdint.h>

uint64_t clock_now_us(void);

static inline uint64_t clock_now_ms(void)
{
	return clock_now_us() / 1000u;
}

#endif
