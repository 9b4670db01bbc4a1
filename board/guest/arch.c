/* SPDX-License-Identifier: MIT */
/*
 * What arch.h asks for and mmu.c does not have: kernel addresses, block requests and balloon calls
 * by hypercall. RAM is mapped where it is, so an address is its own IPA.
 */
#include "guest.h"
#include "../arch.h"
#include "hvc_call.h"

void string_page_zero(void *page);

void *arch_frame(uint32_t pfn)
{
	return (void *)(GUEST_RAM_BASE + (uintptr_t)pfn * GUEST_PAGE_BYTES);
}

static uint64_t ipa_of(uint32_t pfn)
{
	return GUEST_RAM_BASE + (uint64_t)pfn * GUEST_PAGE_BYTES;
}

void arch_frame_zero(uint32_t pfn)
{
	string_page_zero(arch_frame(pfn));
}

/* Result of a call that counts: as many as the monitor says, none on error, never more than asked.
 */
static uint32_t counted(struct hvc_result result, uint32_t count)
{
	if (result.status != HVC_OK) {
		return 0;
	}
	return result.value < count ? (uint32_t)result.value : count;
}

uint32_t arch_swap_read(uint64_t block, void *buffer, uint32_t count)
{
	return counted(hvc_call(HVC_BLK_READ, block, (uintptr_t)buffer, count), count);
}

uint32_t arch_swap_write(uint64_t block, const void *buffer, uint32_t count)
{
	return counted(hvc_call(HVC_BLK_WRITE, block, (uintptr_t)buffer, count), count);
}

uint32_t arch_file_read(uint64_t block, void *buffer, uint32_t count)
{
	return counted(hvc_call(HVC_BLK_READ, HVC_FILE_BLOCK + block, (uintptr_t)buffer, count),
		       count);
}

uint32_t arch_balloon_give(uint32_t pfn, uint32_t count)
{
	return counted(hvc_call(HVC_INFLATE, ipa_of(pfn), count, 0), count);
}

uint32_t arch_balloon_take(uint32_t pfn, uint32_t count)
{
	return counted(hvc_call(HVC_DEFLATE, ipa_of(pfn), count, 0), count);
}

void arch_balloon_settled(uint64_t epoch)
{
	hvc_call(HVC_SETTLED, epoch, 0, 0);
}

uint64_t arch_now_ms(void)
{
	return irq_ticks() / irq_ticks_per_ms();
}

void arch_corrupt(const char *what, uint64_t where, uint64_t found, uint64_t expected)
{
	console_print("corrupt: %s %l: found %x, expected %x", what, where, found, expected);
	guest_exit(1);
}
