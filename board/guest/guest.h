/* SPDX-License-Identifier: MIT */
/*
 * The guest kernel around the memory management: one section a file. Everything here knows that it
 * runs at EL1 on the board; nothing in it decides about memory.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "../hvc.h"
#include "frame.h"
#include "kernel/mm.h"

#define GUEST_TICK_NONE UINT64_MAX

/* Linker script symbols: addresses, never read. */
extern char guest_image_start[], guest_rodata_start[], guest_data_start[], guest_bss_start[];
extern char guest_stack_guard[], guest_end[], guest_vectors[];

/* --- main.c --- */

/* Runs the guest. Called by start.S with stage 1 and caches on and interrupts masked. */
_Noreturn void guest_main(const struct board_boot *boot);

/* The guest's one struct mm, for the fault handler. */
extern struct mm guest_mm;

/* Called by the timer's interrupt: publishes when it is time. Returns the next tick wanted. */
uint64_t guest_timer(uint64_t now_ticks);

/* --- hvc calls (hvc_call.h) that end the guest --- */

_Noreturn void guest_exit(uint64_t status);

/* --- mmu.c --- */

/* Builds the kernel's tables: image by section, RAM linearly. Called with the MMU off. */
void mmu_build(void);
void mmu_enable(void);

/* Bytes of page tables for a window of so many pages. */
size_t mmu_window_bytes(uint32_t pages);
/* Hangs the window's tables, zeroed and page aligned, into the tree. */
void mmu_window_init(uint64_t *tables, uint32_t pages);
/* Resolves a fault at `address` of the window; returns false when it is none of the window's. */
bool mmu_window_fault(uint64_t address, uint64_t esr);

/* --- irq.c --- */

/* Virtual CPU interface on, timer off; the interrupts stay masked. */
void irq_init(void);
void irq_mask(void);
void irq_unmask(void);
/* Returns whether the host page has changed since the last call, and forgets it. */
bool irq_poise_pending(void);
/* Counter ticks since boot, and how many a millisecond has. */
uint64_t irq_ticks(void);
uint64_t irq_ticks_per_ms(void);
/* Sets the next timer interrupt; GUEST_TICK_NONE: none. */
void irq_set_timer(uint64_t ticks);
/* Sleeps until `ticks` or an interrupt, whichever is first. Interrupts unmasked before and after.
 */
void irq_idle(uint64_t ticks);

/* --- console.c --- */

/* Prints one line. Knows %u (uint32_t), %l (uint64_t), %x (uint64_t in hexadecimal) and %s. */
void console_print(const char *format, ...);

/* --- args.c: the "key=value key=value" line --- */

/* Returns the value of a key, not terminated, and its length; NULL when it is not there. */
const char *args_find(const char *args, const char *key, uint32_t *length);
/* Returns the number behind a key, or `otherwise` when it is absent or no number. */
uint32_t args_number(const char *args, const char *key, uint32_t otherwise);
bool args_is(const char *args, const char *key, const char *value);

#endif
