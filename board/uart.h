/* SPDX-License-Identifier: MIT */
/* PL011, output only, polled; works with the MMU off. */
#ifndef BOARD_UART_H
#define BOARD_UART_H

#include <stddef.h>

void board_uart_init(void);
void board_uart_put(char character);
void board_uart_write(const char *text, size_t bytes);

#endif
