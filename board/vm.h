/* SPDX-License-Identifier: MIT */
/*
 * Virtual machines: what one is, and the parts of the monitor that work on it. One section a file.
 *
 * Trust: everything below `frame` in struct board_vm is the monitor's; what a guest can choose are
 * its registers, its memory and the arguments of its hypercalls, and each of them is checked where
 * it comes in (trap.c, hvc.c).
 */
#ifndef BOARD_VM_H
#define BOARD_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../core/poise.h"
#include "board.h"
#include "hvc.h"

#define BOARD_VM_MAX   16u
#define BOARD_VMID(vm) ((uint8_t)((vm)->slot + 1u)) /* 0 is the pool */

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
	uint64_t populated; /* pages filled on demand */
	uint64_t given, taken;
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

	/* Memory. measured = ram_pages - given; populated pages are a subset of what is not given.
	 */
	uint64_t stage2_root;
	uint64_t *given_map; /* one bit a page of the RAM window */
	uint32_t given_pages;
	uint32_t populated_pages;
	uint32_t target_pages; /* of the core's last resize; TAKE stops here */
	uint64_t epoch;        /* of that resize */

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

	/* Swap area: contents, and which blocks have been written since the VM started. */
	uint64_t swap_base;
	uint64_t *swap_map;

	uint64_t boot_id;
	uint64_t exit_status; /* of HVC_EXIT */
	bool faulted;         /* DEAD by a fault, not by HVC_EXIT */
	struct board_fault {
		const char *why;
		uint64_t esr, far, ipa, pc;
	} fault;
	struct board_vm_stats stats;
};

/* --- vm.c: life and death --- */

/* Forgets all VMs and carves the tables of stage 2. Returns: false without memory for them. */
bool board_vm_init(uint32_t table_pages);
/*
 * Gives slot `slot` its tables and swap area; the VM is OFF. Returns: NULL if the configuration
 * contradicts itself, the slot is in use or there is no memory for it.
 */
struct board_vm *board_vm_create(uint32_t slot, const struct board_vm_config *config);
/* Loads the image and makes the VM READY. Context: OFF or DEAD; the pool has boot_pages for it. */
void board_vm_start(struct board_vm *vm);
/* Ends a VM by its own request or for its own fault, reports it, frees its pages. */
void board_vm_exit(struct board_vm *vm, uint64_t status);
void board_vm_fault(struct board_vm *vm, const char *why, uint64_t esr, uint64_t far, uint64_t ipa);
/* Stops a VM at any time and empties its slot; its pages are back in the pool. */
void board_vm_remove(struct board_vm *vm);
/* Returns: the VM in a slot, or NULL. */
struct board_vm *board_vm_get(uint32_t slot);
/* Returns: the VM's size in pages, RAM window minus balloon; 0 for one that is not alive. */
uint32_t board_vm_measure(const struct board_vm *vm);
bool board_vm_alive(const struct board_vm *vm);
/* Makes the Poise interrupt pending and wakes the VM. */
void board_vm_interrupt(struct board_vm *vm);
/* Checks that pool, tables and counts agree. Returns: NULL, or what does not. */
const char *board_vm_check(void);
/* Silences the report lines of deaths: for tests that kill by the hundred. */
void board_vm_quiet(bool quiet);

/* --- context.c: switching the CPU between VMs --- */

void board_context_reset(struct board_vm *vm, uint64_t entry, uint64_t argument);
/* Makes `vm` the one whose registers are in the CPU; NULL: none. */
void board_context_switch(struct board_vm *vm);
/* The state of the last VM is written back, so that its struct is complete. */
void board_context_save(void);
/* Makes the guest take an undefined instruction exception at its own EL1. */
void board_context_undefined(struct board_vm *vm);

/* --- stage2.c: the guest physical address space --- */

bool board_stage2_init(uint32_t table_pages);
/* Builds empty tables for the whole RAM window, so that mapping cannot fail later. */
bool board_stage2_create(struct board_vm *vm);
/* Gives the tables back. Context: nothing is mapped. */
void board_stage2_destroy(struct board_vm *vm);
/* Returns: the page behind an IPA of the RAM window, or 0. */
uint64_t board_stage2_lookup(const struct board_vm *vm, uint64_t ipa);
/* Maps a page where nothing is mapped. */
void board_stage2_map(struct board_vm *vm, uint64_t ipa, uint64_t page, bool writable);
/* Changes the permission of a mapped page: break, invalidate, make. */
void board_stage2_protect(struct board_vm *vm, uint64_t ipa, bool writable);
/*
 * Takes a mapping away and returns the page, or 0. The VM may still reach it through the TLB until
 * board_stage2_flush.
 */
uint64_t board_stage2_unmap(struct board_vm *vm, uint64_t ipa);
/* Drops TLB entries of `pages` pages from `ipa` on; when it returns, no access is under way. */
void board_stage2_flush(const struct board_vm *vm, uint64_t ipa, uint64_t pages);
/* Drops all TLB entries of the VM, both stages. */
void board_stage2_flush_all(const struct board_vm *vm);
/* VTTBR_EL2 of a VM. */
uint64_t board_stage2_vttbr(const struct board_vm *vm);
uint32_t board_stage2_tables_free(void);
/* Whether HCR_EL2.FWB is there and used. */
bool board_stage2_forces_write_back(void);

/* --- memory.c: demand population, balloon, access to guest memory --- */

/* Whether [ipa, ipa + pages) is aligned and inside the RAM window; no argument is too wild. */
bool board_memory_range(const struct board_vm *vm, uint64_t ipa, uint64_t pages);
bool board_memory_given(const struct board_vm *vm, uint64_t ipa);
/* Returns: the page behind an IPA inside the window, filled if need be; 0 if it is given away. */
uint64_t board_memory_page(struct board_vm *vm, uint64_t ipa);
/* HVC_GIVE, HVC_TAKE, HVC_PAGES: arguments straight from the guest. Return: HVC_*. */
int64_t board_memory_give(struct board_vm *vm, uint64_t ipa, uint64_t pages, uint64_t *given);
int64_t board_memory_take(struct board_vm *vm, uint64_t ipa, uint64_t pages, uint64_t *taken);
int64_t board_memory_share(struct board_vm *vm, uint64_t guest_ipa, uint64_t host_ipa);
/* Copy between the monitor and usable guest memory. Return: false if any of it is not. */
bool board_memory_write(struct board_vm *vm, uint64_t ipa, const void *from, size_t bytes);
bool board_memory_read(struct board_vm *vm, uint64_t ipa, void *to, size_t bytes);
/* Whether `pages` more pages can become usable: Poise's promise, checked where it matters. */
bool board_memory_available(uint64_t pages);
/* Frees every page of the VM. */
void board_memory_release(struct board_vm *vm);

/* --- sched.c --- */

#define BOARD_SLICE_NS UINT64_C(2000000)

/* Runs the VMs until virtual time `until_ns`, or until one of them dies. Returns: the dead one or
 * NULL. */
struct board_vm *board_sched_run(uint64_t until_ns);
/* A VM that starts or wakes gets no credit for the time that it was away. */
void board_sched_admit(struct board_vm *vm);

/* --- trap.c --- */

/* Deals with what took the CPU away from `vm`; `reason` is EXIT_* of frame.h. */
void board_trap(struct board_vm *vm, int reason);

/* --- hvc.c --- */

/* What Poise does when a guest has something to tell; port.c, or a test's own. */
struct board_poise_ops {
	/* The guest has registered its pages. */
	void (*registered)(struct board_vm *vm);
	/* The guest's balloon has arrived, or has done what it can, for this epoch. */
	void (*settled)(struct board_vm *vm, uint64_t epoch);
	/* The doorbell; called at most BOARD_DOORBELLS_PER_SLICE times a slice and VM. */
	void (*urgent)(struct board_vm *vm);
};
#define BOARD_DOORBELLS_PER_SLICE 4u

/* Who listens; NULL: nobody. */
void board_hvc_listen(const struct board_poise_ops *ops);

/* Answers `hvc #immediate`. */
void board_hvc(struct board_vm *vm, uint32_t immediate);

/* --- blk.c: the one block device --- */

struct board_blk_model {
	uint64_t read_latency_ns, read_bytes_per_s;
	uint64_t write_latency_ns, write_bytes_per_s;
};
extern const struct board_blk_model board_blk_emmc;

void board_blk_init(const struct board_blk_model *model);
/* HVC_BLK_READ, HVC_BLK_WRITE: arguments straight from the guest; puts the VM to sleep. */
int64_t board_blk_request(struct board_vm *vm, bool write, uint64_t block, uint64_t ipa,
			  uint64_t count, uint64_t *done);

#endif
