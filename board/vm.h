/* SPDX-License-Identifier: MIT */
/*
 * Virtual machines: what one is, its life and its death.
 *
 * Trust: everything below `frame` in struct board_vm is the monitor's; what a guest can choose are
 * its registers, its memory and the arguments of its hypercalls, and each of them is checked where
 * it comes in (trap.c, hypercall.c).
 */
#ifndef BOARD_VM_H
#define BOARD_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../core/poise.h"
#include "arch.h"
#include "gic.h"
#include "hvc.h"
#include "stage2.h"
#include "swap.h"

#define BOARD_VM_MAX   16u
#define BOARD_VMID(vm) ((uint8_t)((vm)->slot + 1u)) /* 0 is the pool */

/* Returns: how many pages so many bytes need. */
static inline uint64_t board_pages_of(uint64_t bytes)
{
	return (bytes + BOARD_PAGE_BYTES - 1u) / BOARD_PAGE_BYTES;
}

/* A raw guest binary inside the monitor's image. */
struct board_image {
	const uint8_t *start;
	size_t bytes;
};

/* What a VM is. Owned by the caller, who keeps it as long as the VM is there. */
struct board_vm_config {
	const char *name;
	struct board_image image;
	struct board_image data; /* copied below the boot record; no bytes: none */
	uint32_t ram_pages;      /* RAM window; the most it can ever have */
	uint32_t boot_pages;     /* of them usable at the start; image, data and record must fit */
	uint32_t swap_blocks;
	uint64_t file_blocks;
	char args[200]; /* "key=value key=value" for the guest */
	struct poise_vm_config poise;
};

/*
 *	OFF      -> READY    board_vm_start
 *	READY    -> IDLE     WFI without anything pending
 *	READY    -> BLOCKED  block request; not woken by interrupts
 *	IDLE     -> READY    its timer expires, or an interrupt is injected
 *	BLOCKED  -> READY    the device is done
 *	any live -> DEAD     fault, HVC_EXIT; its pages are back in the pool by then
 *	DEAD     -> READY    board_vm_start
 *	any      -> OFF      board_vm_remove
 */
enum board_vm_state {
	BOARD_VM_OFF,
	BOARD_VM_READY,
	BOARD_VM_IDLE,
	BOARD_VM_BLOCKED,
	BOARD_VM_DEAD
};

/* General registers of a stopped guest; vectors.S knows the layout through frame.h. */
struct board_frame {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate;
};

/* EL1 state that is switched only when another VM gets the CPU. */
struct board_el1 {
	uint64_t sctlr, ttbr0, ttbr1, tcr, mair, amair, vbar, contextidr;
	uint64_t esr, far, afsr0, afsr1, par, elr, spsr, sp_el0, sp_el1;
	uint64_t tpidr_el0, tpidrro_el0, tpidr_el1, cpacr, csselr, cntkctl;
	uint64_t cntv_ctl, cntv_cval;
};

/* What happened to a VM, for tables at the end and for tests. Counts are since board_vm_create. */
struct board_vm_stats {
	uint64_t run_ns;
	uint64_t starts, deaths;
	uint64_t calls, calls_refused;
	uint64_t populated;          /* pages filled on demand */
	uint64_t inflated, deflated; /* pages by HVC_INFLATE, HVC_DEFLATE */
	uint64_t doorbells, doorbells_ignored;
	uint64_t blocks_read, blocks_written;
	uint64_t lines_dropped;
	uint64_t undefined; /* undefined instruction exceptions injected */
};

struct board_vm {
	struct board_frame frame; /* first: vectors.S gets its address */
	struct board_el1 el1;
	struct board_vgic vgic;

	uint32_t slot;
	enum board_vm_state state;
	const struct board_vm_config *config;

	/* Memory. Size: ram_pages less balloon_pages; what is populated is not in the balloon. */
	struct board_stage2 space;
	/* One bit a page of the RAM window: in the balloon. */
	uint64_t *balloon_map;
	uint32_t balloon_pages;
	uint32_t populated_pages;
	/* Of the core's last resize, with its epoch; HVC_DEFLATE stops here. */
	uint32_t target_pages;
	uint64_t epoch;

	/* The pages shared with Poise, as physical addresses; 0 before HVC_PAGES. */
	uint64_t guest_page, host_page;
	uint64_t guest_page_ipa, host_page_ipa;
	struct poise_host_writer writer;

	/* Time. */
	uint64_t offset_ticks; /* CNTVOFF: virtual time starts at 0 with each boot */
	uint64_t served_ns;    /* the scheduler's measure of fairness */
	uint64_t wake_ns;      /* IDLE, BLOCKED: when to become READY; UINT64_MAX: never */
	uint32_t slice_doorbells;
	uint64_t console_ns; /* rate limit: the time up to which lines are paid for */
	uint64_t console_dropped;

	struct board_swap swap;

	uint64_t boot_id;
	uint64_t exit_status; /* of HVC_EXIT */
	bool faulted;         /* DEAD by a fault, not by HVC_EXIT */
	struct board_fault {
		const char *why;
		uint64_t esr, far, ipa, pc;
	} fault;
	struct board_vm_stats stats;
};

/* Loads the image and makes the VM READY. Context: OFF or DEAD; the pool has boot_pages for it. */
void board_vm_start(struct board_vm *vm);
/* Common to all ends: registers out of the CPU, pages back to the pool; DEAD or OFF afterwards. */
void board_vm_stop(struct board_vm *vm, enum board_vm_state state);
/* Ends a VM by its own request or for its own fault, reports it, frees its pages. */
void board_vm_exit(struct board_vm *vm, uint64_t status);
void board_vm_fault(struct board_vm *vm, const char *why, uint64_t esr, uint64_t far, uint64_t ipa);
/* Returns: the VM's size in pages, RAM window minus balloon; 0 for one that is not alive. */
uint32_t board_vm_measure(const struct board_vm *vm);
bool board_vm_alive(const struct board_vm *vm);
/* Makes the Poise interrupt pending and wakes the VM. */
void board_vm_interrupt(struct board_vm *vm);
/* Silences the report lines of deaths: for tests that kill by the hundred. */
void board_vm_quiet(bool quiet);

#endif
