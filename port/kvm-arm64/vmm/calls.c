/* SPDX-License-Identifier: MIT */
/*
 * What a guest's loads and stores outside memory mean: console, arguments, calls. Every number here
 * is the guest's and is taken for hostile: checked once, on the way in.
 */
#include "vmm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum vmm_call vmm_fail(struct vmm *vm, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vsnprintf(vm->error, sizeof(vm->error), format, list);
	va_end(list);
	return VMM_CALL_FAULT;
}

static enum vmm_call call(struct vmm *vm, uint64_t number)
{
	uint64_t answer = 0;
	switch (number) {
	case VMM_CALL_INFLATE:
		answer = vmm_inflate(vm, vm->arg[0], vm->arg[1]);
		break;
	case VMM_CALL_DEFLATE:
		answer = vmm_deflate(vm, vm->arg[0], vm->arg[1]);
		break;
	case VMM_CALL_NEXT:
	case VMM_CALL_SETTLED:
	case VMM_CALL_DOORBELL:
		return (enum vmm_call)number;
	case VMM_CALL_FAULT:
		return vmm_fail(vm, "the guest met exception ESR %#llx FAR %#llx",
				(unsigned long long)vm->arg[0], (unsigned long long)vm->arg[1]);
	default:
		return vmm_fail(vm, "there is no call %llu", (unsigned long long)number);
	}
	memcpy(vm->run->mmio.data, &answer, sizeof(answer));
	return VMM_CALL_COUNT;
}

enum vmm_call vmm_mmio(struct vmm *vm)
{
	/* A private copy: struct kvm_run is shared with the kernel. */
	const uint64_t at = vm->run->mmio.phys_addr;
	const uint32_t length = vm->run->mmio.len;
	const bool store = vm->run->mmio.is_write != 0;
	const uint64_t offset = at - VMM_IO_BASE;
	uint64_t value = 0;
	memcpy(&value, vm->run->mmio.data, sizeof(value));
	if (store && offset == VMM_IO_CONSOLE && length == 1) {
		/* Nothing that could steer a terminal. */
		const int byte = (int)(value & 0x7fu);
		putchar(byte == '\n' || (byte >= ' ' && byte < 0x7f) ? byte : '?');
		return VMM_CALL_COUNT;
	}
	if (store && length == 8 && (offset == VMM_IO_ARG0 || offset == VMM_IO_ARG1)) {
		vm->arg[offset == VMM_IO_ARG1] = value;
		return VMM_CALL_COUNT;
	}
	if (!store && length == 8 && offset % 8 == 0 && offset >= VMM_IO_CALL &&
	    offset < VMM_IO_CALL + 8u * VMM_CALL_COUNT) {
		return call(vm, (offset - VMM_IO_CALL) / 8);
	}
	return vmm_fail(vm, "%s of %u bytes at %#llx, where nothing is", store ? "store" : "load",
			length, (unsigned long long)at);
}
