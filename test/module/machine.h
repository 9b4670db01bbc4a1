/* SPDX-License-Identifier: MIT */
/*
 * The two virtual machines that the module is tested in. In both, this process maps the memory that
 * the guest publishes to, and plays the hypervisor with the core's own functions.
 *
 *	ivshmem		three ivshmem devices: somebody else's, one too large, ours; a disk;
 *			virtio-balloon
 *	device tree	two nodes, one with a page each, one with a region; time counts instructions
 */
#ifndef TEST_MODULE_MACHINE_H
#define TEST_MODULE_MACHINE_H

#include "console.h"
#include "poise.h"

#define MACHINE_FOREIGN_BYTES 65536u
#define MACHINE_FOREIGN_BYTE  0x5a

struct machine {
	struct console console;
	uint64_t total_pages; /* the machine's memory */
	struct poise_guest_page *guest;
	struct poise_host_page *host;
	struct poise_host_writer writer;
	const unsigned char *foreign; /* MACHINE_FOREIGN_BYTES; ivshmem only */
	int qmp;                      /* socket to QEMU's monitor; ivshmem only */
	char *memory;                 /* what is mapped, `mapped` bytes */
	size_t mapped;
};

/* Command line of the test program. */
struct machine_files {
	const char *qemu, *kernel, *initramfs, *work; /* work: a directory for files of this run */
};

/* Each starts a machine whose shell is ready and whose module is not loaded. Returns whether it is.
 */
bool machine_start_ivshmem(struct machine *m, const struct machine_files *files);
bool machine_start_device_tree(struct machine *m, const struct machine_files *files);

/* Tells the balloon how much memory the guest is to keep. */
void machine_balloon(struct machine *m, uint64_t pages);

/* Looks at the pages of the second node from now on, below /reserved-memory. */
void machine_tree_reserved(struct machine *m);

/* Ends it. Returns QEMU's exit status, -1 if it had to be killed. */
int machine_end(struct machine *m);

/* Where the module shows what it has published. */
#define MACHINE_STATUS "cat /sys/kernel/debug/poise_guest/status"

/* One number of it. */
uint64_t machine_status(struct machine *m, const char *name);
/* Waits until it is at least `least`. */
void machine_wait_status(struct machine *m, const char *name, uint64_t least);

/*
 * Takes the guest page as the hypervisor does. A page that makes no sense fails the test; one that
 * is being written is read again.
 */
struct poise_sample machine_sample(struct machine *m);

/* Waits for a sample of another boot generation than `boot_id`, or of the same with a number of at
 * least `number`. */
struct poise_sample machine_wait_boot(struct machine *m, uint64_t boot_id);
struct poise_sample machine_wait_sample(struct machine *m, uint64_t number);

/* Publishes an order that is fine but for what the caller changes in it. */
struct poise_notice machine_notice(struct machine *m);
void machine_order(struct machine *m, const struct poise_notice *notice);

/* Fails the test if the kernel has complained of anything. */
void machine_no_complaint(struct machine *m);

#endif
