/* SPDX-License-Identifier: MIT */
/*
 * PL011 console, output only and polled. It needs no memory but its own code, so that the report of
 * an unexpected exception can use it whatever else is broken.
 */
#include "uart.h"

#include "arch.h"
#include "board.h"

#define UART_DR      0x00u
#define UART_FR      0x18u
#define UART_CR      0x30u
#define UART_FR_TXFF (1u << 5)
#define UART_CR_ON   0x301u /* receiver, transmitter, UART */

void board_uart_init(void)
{
	board_mmio_write32(BOARD_UART + UART_CR, UART_CR_ON);
}

void board_uart_put(char character)
{
	while ((board_mmio_read32(BOARD_UART + UART_FR) & UART_FR_TXFF) != 0) {
		continue;
	}
	board_mmio_write32(BOARD_UART + UART_DR, (uint8_t)character);
}

void board_uart_write(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		board_uart_put(text[i]);
	}
}
