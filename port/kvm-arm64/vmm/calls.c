/* SPDX-License-Identifier: MIT */
/*
 * What a guest's loads and stores outside memory mean: console, arguments, calls; and its balloon.
 * Every number here is the guest's and is taken for hostile: checked once, on the way in.
 */
#include "vmm.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static bool in_balloon(const struct vm *vm, uint64_t page)
{
	return (vm->given[page / 64] >> (page % 64) & 1) != 0;
}

/* Returns how many of the pages from `first` on, at most `count`, are all in the balloon, or all
 * not. 0 when the range is not RAM. */
static uint64_t run_length(const struct vm *vm, uint64_t first, uint64_t count, bool given)
{
	uint64_t length = 0;
	if (first >= vm->config.ram_pages || count > vm->config.ram_pages - first) {
		return 0;
	}
	while (length < count && in_balloon(vm, first + length) == given) {
		length++;
	}
	return length;
}

static void flip(struct vm *vm, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		vm->given[i / 64] ^= UINT64_C(1) << (i % 64);
	}
}

/* The memory goes back to the host's kernel; a later touch would find a zeroed page. */
static uint64_t give(struct vm *vm, uint64_t first, uint64_t count)
{
	const uint64_t length = run_length(vm, first, count, false);
	if (length == 0 ||
	    madvise(vm->ram + first * PAGE_BYTES, length * PAGE_BYTES, MADV_DONTNEED) != 0) {
		return 0;
	}
	flip(vm, first, length);
	vm->given_pages += length;
	return length;
}

static uint64_t take(struct vm *vm, uint64_t first, uint64_t count)
{
	const uint64_t size = vm->config.ram_pages - vm->given_pages;
	const uint64_t room = vm->allowed_pages > size ? vm->allowed_pages - size : 0;
	uint64_t length = run_length(vm, first, count, true);
	length = length < room ? length : room;
	flip(vm, first, length);
	vm->given_pages -= length;
	return length;
}

static enum vmm_call call(struct vm *vm, uint64_t number)
{
	uint64_t answer = 0;
	switch (number) {
	case VMM_CALL_GIVE:
		answer = give(vm, vm->arg[0], vm->arg[1]);
		break;
	case VMM_CALL_TAKE:
		answer = take(vm, vm->arg[0], vm->arg[1]);
		break;
	case VMM_CALL_NEXT:
	case VMM_CALL_SETTLED:
	case VMM_CALL_DOORBELL:
		return (enum vmm_call)number;
	case VMM_CALL_FAULT:
		return vm_fail(vm, "the guest met exception ESR %#llx FAR %#llx",
			       (unsigned long long)vm->arg[0], (unsigned long long)vm->arg[1]);
	default:
		return vm_fail(vm, "there is no call %llu", (unsigned long long)number);
	}
	memcpy(vm->run->mmio.data, &answer, sizeof(answer));
	return VMM_CALL_COUNT;
}

enum vmm_call vm_mmio(struct vm *vm)
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
	return vm_fail(vm, "%s of %u bytes at %#llx, where nothing is", store ? "store" : "load",
		       length, (unsigned long long)at);
}
