/* SPDX-License-Identifier: MIT */
/*
 * The machine of this guest, as kernel/machine.h asks for it, but for what mmu.c has (the window)
 * and main.c (Poise): kernel addresses, block requests and balloon calls by hypercall. RAM is
 * mapped where it is, so an address is its own IPA. The guest is the only one of its machine.
 */
#include "guest.h"
#include "../arch.h"
#include "hvc_call.h"

void string_page_zero(void *page);

void *machine_frame(void *machine, uint32_t pfn)
{
	(void)machine;
	return (void *)(GUEST_RAM_BASE + (uintptr_t)pfn * GUEST_PAGE_BYTES);
}

static uint64_t ipa_of(uint32_t pfn)
{
	return GUEST_RAM_BASE + (uint64_t)pfn * GUEST_PAGE_BYTES;
}

void machine_frame_zero(void *machine, uint32_t pfn)
{
	string_page_zero(machine_frame(machine, pfn));
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

uint32_t machine_swap_read(void *machine, uint64_t block, void *buffer, uint32_t count)
{
	(void)machine;
	return counted(hvc_call(HVC_BLK_READ, block, (uintptr_t)buffer, count), count);
}

uint32_t machine_swap_write(void *machine, uint64_t block, const void *buffer, uint32_t count)
{
	(void)machine;
	return counted(hvc_call(HVC_BLK_WRITE, block, (uintptr_t)buffer, count), count);
}

uint32_t machine_file_read(void *machine, uint64_t block, void *buffer, uint32_t count)
{
	(void)machine;
	return counted(hvc_call(HVC_BLK_READ, HVC_FILE_BLOCK + block, (uintptr_t)buffer, count),
		       count);
}

uint32_t machine_inflate(void *machine, uint32_t pfn, uint32_t count)
{
	(void)machine;
	return counted(hvc_call(HVC_INFLATE, ipa_of(pfn), count, 0), count);
}

uint32_t machine_deflate(void *machine, uint32_t pfn, uint32_t count)
{
	(void)machine;
	return counted(hvc_call(HVC_DEFLATE, ipa_of(pfn), count, 0), count);
}

void machine_settled(void *machine, uint64_t epoch)
{
	(void)machine;
	hvc_call(HVC_SETTLED, epoch, 0, 0);
}

uint64_t machine_now_ms(void *machine)
{
	(void)machine;
	return irq_ticks() / irq_ticks_per_ms();
}

void machine_corrupt(void *machine, const char *what, uint64_t where, uint64_t found,
		     uint64_t expected)
{
	(void)machine;
	console_print("corrupt: %s %l: found %x, expected %x", what, where, found, expected);
	guest_exit(1);
}
