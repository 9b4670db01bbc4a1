/* SPDX-License-Identifier: MIT */
/*
 * The scenarios of the board image, one function each; they return the exit status.
 */
#ifndef BOARD_SCENARIO_H
#define BOARD_SCENARIO_H

/* One guest without Poise: `trace=`, `ram=`, `boot=`, `swap=`, `ms=`, `args=` (commas for blanks).
 */
int board_scenario_boot(void);
/* The Smart TV: `policy=static|poise|paper` for one phase, without it static, then poise. */
int board_scenario_tv(void);

#endif
