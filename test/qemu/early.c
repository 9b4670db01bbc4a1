/* SPDX-License-Identifier: MIT */
/*
 * An image of its own, of the monitor's first instructions and its ways to fail only: it goes wrong
 * where the MMU would be switched on, in the way that the argument `fault=` names. What has to come
 * out then is in qemu.list; `hang` and `talk` are for the test of guard.sh.
 */
#include "../../board/arch.h"
#include "../../board/board.h"
#include "../../board/mmu.h"
#include "../../board/panic.h"
#include "../../board/semi.h"
#include "../../board/uart.h"

/* An address that no CPU has: beyond 48 bits. */
#define WILD UINT64_C(0xdead000000000000)

static bool asked_for(const char *line, const char *word)
{
	for (; *line != '\0'; line++) {
		uint32_t i = 0;
		while (word[i] != '\0' && line[i] == word[i]) {
			i++;
		}
		if (word[i] == '\0') {
			return true;
		}
	}
	return false;
}

void board_mmu_init(void)
{
	static char line[512];

	if (!board_semi_command_line(line, sizeof(line))) {
		board_refuse("early: no command line\n");
	}
	board_uart_init();
	if (asked_for(line, "fault=exception")) {
		__asm__ volatile(".inst 0"); /* permanently undefined */
	} else if (asked_for(line, "fault=panic")) {
		board_panic("%s %d %u %x %lu %lx", "early", -5, 7u, 0xffu, UINT64_MAX,
			    (uint64_t)0xbeef);
	} else if (asked_for(line, "fault=twice")) {
		board_panic("twice %s", (const char *)(uintptr_t)WILD);
	} else if (asked_for(line, "fault=hang")) {
		board_uart_write("hangs\n", 6);
		for (;;) {
			board_wfi();
		}
	} else if (asked_for(line, "fault=talk")) {
		for (;;) {
			board_uart_write("talk\n", 5);
		}
	}
	board_refuse("early: fault= names none\n");
}

_Noreturn void board_start(void)
{
	board_refuse("early: board_mmu_init came back\n");
}
