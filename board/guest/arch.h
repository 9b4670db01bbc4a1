/* SPDX-License-Identifier: MIT */
/*
 * The seam under the guest's memory management: everything that mm, lru, reclaim, swap, cache,
 * balloon and workload need from the machine. The board implements it in arch.c over stage 1 and
 * hypercalls; the host's unit tests implement it over malloc, so that they run the code that ships.
 *
 * A frame number (`pfn`) counts 4 KiB pages from the start of the guest's RAM. A `vpn` counts pages
 * from the start of the workload window, the one demand-paged range of virtual addresses.
 */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_PAGE_BYTES 4096u
#define GUEST_PAGE_WORDS (GUEST_PAGE_BYTES / 8u)

struct mm;

/* Returns the kernel's address of a frame, always mapped. */
void *arch_frame(uint32_t pfn);

/* Fills a frame with zeroes. */
void arch_frame_zero(uint32_t pfn);

/* Copies one page between kernel addresses; they do not overlap. */
void arch_page_copy(void *to, const void *from);

/* Maps a frame at a page of the window, accessed, so that the touch that asked for it succeeds. */
void arch_map(uint32_t vpn, uint32_t pfn);

/* Takes a page out of the window; the translation is gone when this returns. */
void arch_unmap(uint32_t vpn);

/* Clears the access flag of a mapped page. Returns whether it was set. */
bool arch_test_clear_young(uint32_t vpn);

/* Returns the window's address of a page; touching it may fault into mm_anon_fault. */
volatile uint64_t *arch_window(uint32_t vpn);

/*
 * Reads or writes blocks of the VM's device; sleeps for as long as the device takes.
 * `block`: number from the start of the swap area or, for files, from the start of the file area.
 * `buffer`: kernel address, page aligned, `count` contiguous pages.
 * Return how many blocks were done, from the first on.
 */
uint32_t arch_swap_read(uint64_t block, void *buffer, uint32_t count);
uint32_t arch_swap_write(uint64_t block, const void *buffer, uint32_t count);
uint32_t arch_file_read(uint64_t block, void *buffer, uint32_t count);

/* Offers frames to the hypervisor, or asks for given frames back. Return how many it was. */
uint32_t arch_balloon_give(uint32_t pfn, uint32_t count);
uint32_t arch_balloon_take(uint32_t pfn, uint32_t count);

/* Tells the hypervisor that the guest has done what it can for this epoch. */
void arch_balloon_settled(uint64_t epoch);

/* Tells the hypervisor, at once, that memory is about to be taken from where it hurts. */
void arch_pressure(struct mm *m);

/* Lets pending interrupts have their effect, such as a new target of the host. */
void arch_poll(struct mm *m);

/* Returns the milliseconds since some fixed moment. */
uint64_t arch_now_ms(void);

/* Reports a wrong memory content, the one thing that must never happen, and ends the guest. */
void arch_corrupt(const char *what, uint64_t where, uint64_t found, uint64_t expected);

#endif
