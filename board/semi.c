/* SPDX-License-Identifier: MIT */
/*
 * Arm semihosting: arguments come in, the exit status and recordings go out. Only the monitor uses
 * it; QEMU offers it to EL2 as well as to EL1, but a guest's HLT is trapped nowhere, so the run's
 * command line asks QEMU for semihosting only because every guest image is part of this project.
 *
 * Used before the MMU is on, so without a library; see panic.c.
 */
#include "semi.h"

#define SYS_OPEN        0x01u
#define SYS_CLOSE       0x02u
#define SYS_WRITE0      0x04u
#define SYS_WRITE       0x05u
#define SYS_READ        0x06u
#define SYS_SEEK        0x0au
#define SYS_FLEN        0x0cu
#define SYS_GET_CMDLINE 0x15u
#define SYS_EXIT        0x18u

#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

static int64_t call(uint32_t operation, const void *block)
{
	register uint64_t x0 __asm__("x0") = operation;
	register uint64_t x1 __asm__("x1") = (uint64_t)(uintptr_t)block;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	return (int64_t)x0;
}

void board_semi_say(const char *text)
{
	call(SYS_WRITE0, text);
}

_Noreturn void board_exit(int status)
{
	const uint64_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, (uint64_t)status};

	for (;;) {
		call(SYS_EXIT, block);
	}
}

bool board_semi_command_line(char *line, size_t size)
{
	const uint64_t block[2] = {(uint64_t)(uintptr_t)line, size};

	line[0] = '\0';
	return call(SYS_GET_CMDLINE, block) == 0;
}

int board_semi_open(const char *path, int mode)
{
	uint64_t length = 0;

	while (path[length] != '\0') {
		length++;
	}
	const uint64_t block[3] = {(uint64_t)(uintptr_t)path, (uint64_t)mode, length};
	return (int)call(SYS_OPEN, block);
}

int board_semi_close(int handle)
{
	const uint64_t block[1] = {(uint64_t)handle};

	return (int)call(SYS_CLOSE, block);
}

int64_t board_semi_write(int handle, const void *data, size_t bytes)
{
	const uint64_t block[3] = {(uint64_t)handle, (uint64_t)(uintptr_t)data, bytes};

	return call(SYS_WRITE, block);
}

int64_t board_semi_read(int handle, void *data, size_t bytes)
{
	const uint64_t block[3] = {(uint64_t)handle, (uint64_t)(uintptr_t)data, bytes};

	return call(SYS_READ, block);
}

int board_semi_seek(int handle, uint64_t offset)
{
	const uint64_t block[2] = {(uint64_t)handle, offset};

	return (int)call(SYS_SEEK, block);
}

int64_t board_semi_length(int handle)
{
	const uint64_t block[1] = {(uint64_t)handle};

	return call(SYS_FLEN, block);
}
