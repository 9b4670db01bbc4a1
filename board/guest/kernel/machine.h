/* SPDX-License-Identifier: MIT */
/*
 * What a guest kernel needs from its machine. The kernel in this folder calls nothing else; it runs
 * on the board over stage 1 and hypercalls (../machine.c), in the simulator (port/sim/machine.c),
 * and in unit tests over malloc: the code that is tested is the code that ships.
 *
 * `machine`: what mm_init was given, which says to a machine with several guests whose call it is.
 * A frame number (`pfn`) counts pages from the start of the guest's RAM. A `vpn` counts pages from
 * the start of the workload window, the one demand-paged range of virtual addresses.
 */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_PAGE_BYTES 4096u
#define GUEST_PAGE_WORDS (GUEST_PAGE_BYTES / 8u)

/* Returns the kernel's address of a frame, always mapped. */
void *machine_frame(void *machine, uint32_t pfn);

/* Fills a frame with zeroes. */
void machine_frame_zero(void *machine, uint32_t pfn);

/* Copies one page between kernel addresses; they do not overlap. */
void machine_page_copy(void *machine, void *to, const void *from);

/* Maps a frame at a page of the window, accessed, so that the touch that asked for it succeeds. */
void machine_map(void *machine, uint32_t vpn, uint32_t pfn);

/* Takes a page out of the window; the translation is gone when this returns. */
void machine_unmap(void *machine, uint32_t vpn);

/* Clears the access flag of a mapped page. Returns whether it was set. */
bool machine_test_clear_young(void *machine, uint32_t vpn);

/* Returns the window's address of a page; touching it may fault into mm_anon_fault. */
volatile uint64_t *machine_window(void *machine, uint32_t vpn);

/*
 * Reads or writes blocks of the VM's device; sleeps for as long as the device takes.
 * `block`: number from the start of the swap area or, for files, from the start of the file area.
 * `buffer`: kernel address, page aligned, `count` contiguous pages.
 * Return how many blocks were done, from the first on.
 */
uint32_t machine_swap_read(void *machine, uint64_t block, void *buffer, uint32_t count);
uint32_t machine_swap_write(void *machine, uint64_t block, const void *buffer, uint32_t count);
uint32_t machine_file_read(void *machine, uint64_t block, void *buffer, uint32_t count);

/* Puts frames into the balloon, or gets them out of it. Return how many moved, from the first on.
 */
uint32_t machine_inflate(void *machine, uint32_t pfn, uint32_t count);
uint32_t machine_deflate(void *machine, uint32_t pfn, uint32_t count);

/* Tells the hypervisor that the guest has done what it can for this epoch. */
void machine_settled(void *machine, uint64_t epoch);

/* Tells the hypervisor, at once, that memory is about to be taken from where it hurts. */
void machine_pressure(void *machine);

/* Lets pending interrupts have their effect, such as a new target of the host. */
void machine_poll(void *machine);

/* Returns the milliseconds since some fixed moment. */
uint64_t machine_now_ms(void *machine);

/* Reports a wrong memory content, the one thing that must never happen, and ends the guest. */
void machine_corrupt(void *machine, const char *what, uint64_t where, uint64_t found,
		     uint64_t expected);

#endif
