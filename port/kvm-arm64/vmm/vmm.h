/* SPDX-License-Identifier: MIT */
/*
 * poise-vmm: one VM by /dev/kvm: its memory slots, its one vCPU, its balloon, and the calls that
 * its guest makes (calls.h). No interrupt controller, no device: what the guest loads and stores
 * outside memory comes here.
 *
 * Set-up goes right or ends the program with one line and exit status 2; what a guest does wrong
 * ends its VM only.
 */
#ifndef VMM_H
#define VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../dirtylog/dirty.h"
#include "calls.h"
#include "poise.h"

#define PAGE_BYTES     4096u
#define VMM_RAM_MIN    UINT64_C(0x100000)
#define VMM_RAM_MAX    UINT64_C(0x40000000)
#define VMM_TURN_MS    60000u /* a guest that makes no call for so long is stopped */
#define VMM_EXIT_INPUT 2

struct vmm_config {
	const char *name;
	uint64_t ram_pages;
	uint64_t boot_pages; /* the first ones; the rest starts in the balloon */
	uint64_t boot_id;
	bool publish; /* the guest is to publish in its own page */
	enum kvm_dirty_mode mode;
};

struct vmm {
	struct vmm_config config;
	int fd, vcpu_fd;
	struct kvm_run *run; /* shared with the kernel, run_bytes long */
	size_t run_bytes;
	uint8_t *ram;
	struct poise_guest_page *guest_page; /* shared with the guest */
	struct poise_host_page *host_page;   /* likewise, read-only for it */
	struct kvm_dirty dirty;
	uint64_t arg[2];        /* of the guest's last call */
	uint64_t allowed_pages; /* a TAKE gets no further than this size */
	uint64_t given_pages;   /* bits set in `given` */
	uint64_t *given;        /* a bit a page of RAM: in the balloon */
	uint64_t ring_exits;
	char error[160]; /* why the VM was ended; empty as long as it was not */
};

/* Prints "poise-vmm: " and one line to stderr and ends the program with VMM_EXIT_INPUT. */
_Noreturn void vmm_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens the device and checks that it is a KVM that this program can use, or ends the program.
 * Returns its file descriptor. */
int vmm_kvm_open(const char *path);

/* Returns whether this kernel has a mode of dirty logging. */
bool vmm_mode_there(int kvm_fd, enum kvm_dirty_mode mode);

/* Ends the program if it has not. AUTO is always there. */
void vmm_mode_must(int kvm_fd, enum kvm_dirty_mode mode);

/* Makes a VM and loads its guest, or ends the program. */
void vmm_open(struct vmm *vm, int kvm_fd, const struct vmm_config *config);
void vmm_close(struct vmm *vm);

/*
 * Answers the guest's last call and lets it run until it makes one that concerns more than this
 * VM. `answer`: ignored at the start. Returns VMM_CALL_NEXT, _SETTLED or _DOORBELL, arguments in
 * vm->arg; VMM_CALL_FAULT when the VM is at its end: vm->error says why.
 */
enum vmm_call vmm_run(struct vmm *vm, uint64_t answer);

/* --- balloon.c --- */

/* Returns the pages that the VM can use, by this program's own count. */
static inline uint64_t vmm_size(const struct vmm *vm)
{
	return vm->config.ram_pages - vm->given_pages;
}

/*
 * Puts pages of RAM into the balloon: those from `first` on, up to `count` and no further than the
 * first one that is in it already; any numbers. Returns how many it was: 0 when they are not RAM or
 * the kernel refuses.
 */
uint64_t vmm_inflate(struct vmm *vm, uint64_t first, uint64_t count);

/* The other way: up to the first one that is not in it, and no more than the VM is allowed to
 * have. */
uint64_t vmm_deflate(struct vmm *vm, uint64_t first, uint64_t count);

/* --- calls.c: the calls that concern this VM alone --- */

/* Handles a load or store outside memory. Returns the call that vmm_run has to return,
 * VMM_CALL_COUNT when the guest can go on at once. */
enum vmm_call vmm_mmio(struct vmm *vm);

/* Ends the VM: sets vm->error. Returns VMM_CALL_FAULT. */
enum vmm_call vmm_fail(struct vmm *vm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- the two things to do with VMs --- */

/* The seed's experiment on each size of RAM (0 ends the list) and each mode. `mode`: AUTO for all
 * that the kernel has. Returns the exit status. */
int vmm_experiment(int kvm_fd, const uint64_t *ram_pages, enum kvm_dirty_mode mode);

struct vmm_balance_options {
	enum kvm_dirty_mode mode;
	bool guest_source;  /* the core hears the guests' own pages instead of the dirty log */
	bool cheat;         /* the second guest takes what is in its balloon, once */
	const char *record; /* file for the balanced run's recording, or NULL */
};

/* Two VMs, static, then balanced by the core; with cheating only the latter. Returns the exit
 * status. */
int vmm_balance(int kvm_fd, const struct vmm_balance_options *options);

#endif
