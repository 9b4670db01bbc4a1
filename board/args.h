/* SPDX-License-Identifier: MIT */
/* The arguments of the run: words `name=value` on the command line that the host hands over. */
#ifndef BOARD_ARGS_H
#define BOARD_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fetches them from the host. */
void board_args_init(void);

/*
 * Finds `name=value` among the arguments. `value` receives at most `size` bytes, always terminated.
 * Returns: whether the argument is there.
 */
bool board_arg(const char *name, char *value, size_t size);

/* The same for an unsigned decimal number; `otherwise` if it is absent or malformed. */
uint64_t board_arg_number(const char *name, uint64_t otherwise);

#endif
