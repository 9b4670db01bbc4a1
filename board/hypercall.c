/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: the border at which guest numbers come in. The table is indexed by the identifier
 * after it has been checked; each handler gets the three arguments as they are, checks all of them
 * before it changes anything, and costs a bounded amount of work.
 */
#include "hypercall.h"

#include <stdio.h>
#include <string.h>

#include "blk.h"
#include "memory.h"
#include "timer.h"

/* Console lines: a burst, then so many a second. What is more is counted and left out. */
#define CONSOLE_LINE_NS  UINT64_C(20000000)
#define CONSOLE_BURST_NS (UINT64_C(256) * CONSOLE_LINE_NS)

struct call {
	uint64_t arguments[3];
	uint64_t second; /* x1 on return, if `has_second` */
	bool has_second;
};

static const struct board_poise_ops *listener;

void board_hvc_listen(const struct board_poise_ops *ops)
{
	listener = ops;
}

static int64_t call_version(struct board_vm *vm, struct call *call)
{
	(void)vm;
	(void)call;
	return HVC_ABI_VERSION;
}

static int64_t call_features(struct board_vm *vm, struct call *call)
{
	(void)vm;
	(void)call;
	return HVC_FEATURE_POISE | HVC_FEATURE_BLOCK;
}

static int64_t call_pages(struct board_vm *vm, struct call *call)
{
	int64_t result = board_memory_share(vm, call->arguments[0], call->arguments[1]);

	if (result == HVC_OK && listener != NULL) {
		listener->registered(vm);
	}
	return result;
}

/* The guest has moved; when it has arrived, the core need not wait for HVC_SETTLED. */
static void moved(struct board_vm *vm, uint64_t pages)
{
	if (pages != 0 && vm->epoch != 0 && board_vm_measure(vm) == vm->target_pages &&
	    listener != NULL) {
		listener->settled(vm, vm->epoch);
	}
}

static int64_t call_inflate(struct board_vm *vm, struct call *call)
{
	int64_t result =
		board_memory_inflate(vm, call->arguments[0], call->arguments[1], &call->second);

	call->has_second = true;
	moved(vm, call->second);
	return result;
}

static int64_t call_deflate(struct board_vm *vm, struct call *call)
{
	int64_t result =
		board_memory_deflate(vm, call->arguments[0], call->arguments[1], &call->second);

	call->has_second = true;
	moved(vm, call->second);
	return result;
}

static int64_t call_settled(struct board_vm *vm, struct call *call)
{
	if (listener != NULL) {
		listener->settled(vm, call->arguments[0]);
	}
	return HVC_OK;
}

static int64_t call_urgent(struct board_vm *vm, struct call *call)
{
	(void)call;
	vm->stats.doorbells++;
	/* A storm costs its sender: beyond the bound nothing is looked at before its next slice. */
	if (vm->slice_doorbells >= BOARD_DOORBELLS_PER_SLICE || vm->guest_page == 0) {
		vm->stats.doorbells_ignored++;
		return HVC_OK;
	}
	vm->slice_doorbells++;
	if (listener != NULL) {
		listener->urgent(vm);
	}
	return HVC_OK;
}

static int64_t call_block(struct board_vm *vm, struct call *call, bool write)
{
	call->has_second = true;
	return board_blk_request(vm, write, call->arguments[0], call->arguments[1],
				 call->arguments[2], &call->second);
}

static int64_t call_blk_read(struct board_vm *vm, struct call *call)
{
	return call_block(vm, call, false);
}

static int64_t call_blk_write(struct board_vm *vm, struct call *call)
{
	return call_block(vm, call, true);
}

/* Returns: whether a line is paid for. */
static bool console_allowed(struct board_vm *vm)
{
	uint64_t now = board_time_ns();

	if (vm->console_ns + CONSOLE_BURST_NS < now + CONSOLE_BURST_NS) {
		vm->console_ns = now;
	}
	if (vm->console_ns + CONSOLE_LINE_NS > now + CONSOLE_BURST_NS) {
		vm->stats.lines_dropped++;
		vm->console_dropped++;
		return false;
	}
	vm->console_ns += CONSOLE_LINE_NS;
	return true;
}

static int64_t call_console(struct board_vm *vm, struct call *call)
{
	char line[HVC_CONSOLE_MAX + 1];
	uint64_t bytes = call->arguments[1];

	if (bytes > HVC_CONSOLE_MAX || !board_memory_read(vm, call->arguments[0], line, bytes)) {
		return HVC_INVALID;
	}
	if (!console_allowed(vm)) {
		return HVC_OK;
	}
	while (bytes > 0 && line[bytes - 1u] == '\n') {
		bytes--;
	}
	for (uint64_t i = 0; i < bytes; i++) {
		/* A guest may not write escape sequences, or lines that look like another's. */
		if (line[i] < ' ' || line[i] > '~') {
			line[i] = '.';
		}
	}
	line[bytes] = '\0';
	if (vm->console_dropped != 0) {
		printf("[%s] (%lu lines dropped)\n", vm->config->name, vm->console_dropped);
		vm->console_dropped = 0;
	}
	printf("[%s] %s\n", vm->config->name, line);
	return HVC_OK;
}

static int64_t call_exit(struct board_vm *vm, struct call *call)
{
	board_vm_exit(vm, call->arguments[0]);
	return HVC_OK;
}

static int64_t (*const table[HVC_CALLS])(struct board_vm *, struct call *) = {
	[HVC_VERSION - HVC_BASE] = call_version,     [HVC_FEATURES - HVC_BASE] = call_features,
	[HVC_PAGES - HVC_BASE] = call_pages,         [HVC_INFLATE - HVC_BASE] = call_inflate,
	[HVC_DEFLATE - HVC_BASE] = call_deflate,     [HVC_SETTLED - HVC_BASE] = call_settled,
	[HVC_URGENT - HVC_BASE] = call_urgent,       [HVC_BLK_READ - HVC_BASE] = call_blk_read,
	[HVC_BLK_WRITE - HVC_BASE] = call_blk_write, [HVC_CONSOLE - HVC_BASE] = call_console,
	[HVC_EXIT - HVC_BASE] = call_exit,
};

void board_hvc(struct board_vm *vm, uint32_t immediate)
{
	struct call call = {{vm->frame.x[1], vm->frame.x[2], vm->frame.x[3]}, 0, false};
	uint64_t index = (uint64_t)(uint32_t)vm->frame.x[0] - HVC_BASE;
	int64_t result = HVC_NOT_SUPPORTED;

	/* ELR_EL2 is past the HVC already. The calling convention knows `hvc #0` only. */
	vm->stats.calls++;
	if (immediate == 0 && index < HVC_CALLS) {
		result = table[index](vm, &call);
	}
	if (result < 0) {
		vm->stats.calls_refused++;
	}
	vm->frame.x[0] = (uint64_t)result;
	if (call.has_second) {
		vm->frame.x[1] = call.second;
	}
}
