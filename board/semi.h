/* SPDX-License-Identifier: MIT */
/* Arm semihosting, the run's connection to the host; works with the MMU off. */
#ifndef BOARD_SEMI_H
#define BOARD_SEMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_SEMI_READ  0 /* open modes of the semihosting specification: "r" */
#define BOARD_SEMI_WRITE 4 /* "w" */

_Noreturn void board_exit(int status);
/* Writes to the console of the host, which is there whatever the machine is. */
void board_semi_say(const char *text);
/* Copies the command line into `line`. Returns: whether there is one that fits. */
bool board_semi_command_line(char *line, size_t size);
/* Returns: a handle, or a negative number. */
int board_semi_open(const char *path, int mode);
int board_semi_close(int handle);
/* Return: bytes NOT transferred; negative on failure. */
int64_t board_semi_write(int handle, const void *data, size_t bytes);
int64_t board_semi_read(int handle, void *data, size_t bytes);
/* Returns: 0, or negative on failure. */
int board_semi_seek(int handle, uint64_t offset);
/* Returns: bytes in the file, or negative on failure. */
int64_t board_semi_length(int handle);

#endif
