/* SPDX-License-Identifier: MIT */
/*
 * The ways in which a run ends badly. All of them work at any point, with the MMU on or off: they
 * use no library, aligned accesses only, and nothing that has to be set up before. A fault on the
 * way ends the run as well.
 */
#ifndef BOARD_PANIC_H
#define BOARD_PANIC_H

#include <stdint.h>

/*
 * Ends the run with status 1 after one line on the console: the monitor found itself wrong. Knows
 * %s %d %u %x %lu %lx; prints any other directive as it stands and ends there.
 */
_Noreturn void board_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Ends the run with status 1 because the machine is not one that the board supports. `text` is the
 * whole line. Goes through semihosting: where the console would be may be unknown.
 */
_Noreturn void board_refuse(const char *text);

/* Reports an exception that must not happen and leaves with status 1. Called by vectors.S only. */
_Noreturn void board_unexpected(const char *slot, uint64_t esr, uint64_t elr, uint64_t far,
				uint64_t spsr);

#endif
