/* SPDX-License-Identifier: MIT */
/*
 * What poise-vmm and its guest say to each other: the memory map, the registers behind which a
 * guest's loads and stores end up in the VMM, and the calls made through them.
 *
 * A call: store the arguments to VMM_IO_ARG0 and _ARG1, then load 8 bytes from VMM_IO_CALL + 8 *
 * number; the loaded value is the answer. Each access is one exit KVM_EXIT_MMIO. Any other access
 * outside memory ends the VM.
 *
 * At the start: EL1, MMU off, PC at VMM_RAM_BASE, x0 = pages of RAM, x1 = pages of them that are
 * not in the balloon (the first ones), x2 = boot generation, x3 = 1 when the guest is to publish.
 */
#ifndef VMM_CALLS_H
#define VMM_CALLS_H

#define VMM_IO_BASE    0x09000000u
#define VMM_GUEST_PAGE 0x40000000u /* struct poise_guest_page; a memory slot without log */
#define VMM_HOST_PAGE  0x40001000u /* struct poise_host_page; a read-only memory slot */
#define VMM_RAM_BASE   0x80000000u /* the memory slot that is logged; up to 1 GiB */

/* Offsets from VMM_IO_BASE. */
#define VMM_IO_CONSOLE 0x000u /* store of 1 byte */
#define VMM_IO_ARG0    0x008u /* store of 8 bytes */
#define VMM_IO_ARG1    0x010u /* store of 8 bytes */
#define VMM_IO_CALL    0x100u /* load of 8 bytes */

enum vmm_call {
	VMM_CALL_NEXT,     /* job done: (pages written, see the job); answers the next job */
	VMM_CALL_INFLATE,  /* (first page of RAM, count) to the balloon; answers how many went */
	VMM_CALL_DEFLATE,  /* (first page of RAM, count) out of it; answers how many it got */
	VMM_CALL_SETTLED,  /* (epoch) the balloon has done what it can; answers 0 */
	VMM_CALL_DOORBELL, /* the guest page's urgent word was raised; answers 0 */
	VMM_CALL_FAULT,    /* (ESR, FAR) an exception that nobody expected; does not return */
	VMM_CALL_COUNT
};

/* A job: what to do in the upper half, how much in the lower. The second argument of the call NEXT
 * that follows is in brackets. */
enum vmm_job {
	VMM_JOB_IDLE,    /* nothing [pages touched] */
	VMM_JOB_A,       /* one pass over array a, which reads b [pages touched] */
	VMM_JOB_B,       /* one pass over array b, which reads a [pages touched] */
	VMM_JOB_SPREAD,  /* one write to each of so many pages all over the RAM [pages touched] */
	VMM_JOB_BALLOON, /* the balloon goes where the host page says [0] */
	VMM_JOB_WORK,    /* needs so many pages, uses those it has [pages it lacked] */
	VMM_JOB_CHEAT,   /* touches what is in the balloon, without asking for it */
	VMM_JOB_COUNT
};
#define VMM_JOB(job, amount) ((unsigned long long)(job) << 32 | (amount))

/* The seed's arrays, in ints. Array a begins in the middle of RAM, b ends where RAM ends. */
#define VMM_ARRAY_A (1u << 17)
#define VMM_ARRAY_B (1u << 16)

/* Pages of RAM that the guest's image has, from the first on. */
#define VMM_IMAGE_PAGES 16u
/* One of those is written: data and stack. */
#define VMM_OWN_PAGES 1u

#endif
