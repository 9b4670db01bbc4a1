/* SPDX-License-Identifier: MIT */
/* The daemon's clock, in a file of its own: tests put theirs in its place. */
#include "clock.h"

#include <time.h>

uint64_t clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}
