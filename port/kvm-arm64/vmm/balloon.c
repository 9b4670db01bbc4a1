/* SPDX-License-Identifier: MIT */
/*
 * The balloon of one VM: which pages of its RAM it has given, and that it cannot have them back
 * unasked. A page in the balloon is thrown away and out of reach: a guest that touches it all the
 * same makes KVM_RUN fail, and that is the end of the VM. So the count here is the size that the VM
 * can use, whatever its guest says or does. First page and count are the guest's.
 */
#include "vmm.h"

#include <sys/mman.h>

static bool in_balloon(const struct vmm *vm, uint64_t page)
{
	return (vm->given[page / 64] >> (page % 64) & 1) != 0;
}

/* Returns how many of the pages from `first` on, at most `count`, are all in the balloon, or all
 * not. 0 when the range is not RAM. */
static uint64_t run_length(const struct vmm *vm, uint64_t first, uint64_t count, bool given)
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

/* Changes the protection, then the count. A guest that gives every second page makes so many
 * mappings that the kernel refuses the next: then nothing has happened. */
static uint64_t move(struct vmm *vm, uint64_t first, uint64_t count, bool given)
{
	void *const at = vm->ram + first * PAGE_BYTES;
	if (count == 0 ||
	    mprotect(at, count * PAGE_BYTES, given ? PROT_NONE : PROT_READ | PROT_WRITE) != 0) {
		return 0;
	}
	for (uint64_t i = first; i < first + count; i++) {
		vm->given[i / 64] ^= UINT64_C(1) << (i % 64);
	}
	vm->given_pages = given ? vm->given_pages + count : vm->given_pages - count;
	return count;
}

uint64_t vmm_inflate(struct vmm *vm, uint64_t first, uint64_t count)
{
	const uint64_t length = run_length(vm, first, count, false);
	/* Thrown away first: memory that is out of reach and still there would free nothing. */
	if (length == 0 ||
	    madvise(vm->ram + first * PAGE_BYTES, length * PAGE_BYTES, MADV_DONTNEED) != 0) {
		return 0;
	}
	return move(vm, first, length, true);
}

uint64_t vmm_deflate(struct vmm *vm, uint64_t first, uint64_t count)
{
	const uint64_t size = vmm_size(vm);
	const uint64_t room = vm->allowed_pages > size ? vm->allowed_pages - size : 0;
	const uint64_t length = run_length(vm, first, count, true);
	return move(vm, first, length < room ? length : room, false);
}
