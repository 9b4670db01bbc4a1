/* SPDX-License-Identifier: MIT */
/*
 * How scripts are written. Sizes in MiB, times in ticks of one second. A row of `vm` is
 *	{min, boot, max, weight, flags, anonymous, cache, late}
 * one of `step` {tick, what, vm, a, b}, one of `expect` {tick, what, vm, value}; see scenario.h.
 */
#ifndef TEST_SCRIPT_H
#define TEST_SCRIPT_H

#include "scenario.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define SCENARIO(id, title, mib, length)                                                  \
	{                                                                                 \
		.name = (title), .pool = (mib), .ticks = (length), .vms = COUNT(id##_vm), \
		.steps = COUNT(id##_step), .expects = COUNT(id##_expect), .vm = id##_vm,  \
		.step = id##_step, .expect = id##_expect, .seed = 0x9e3779b97f4a7c15u     \
	}
#define MINUS(n) ((uint32_t) - (n))

#endif
