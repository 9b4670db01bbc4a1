/* SPDX-License-Identifier: MIT */
/*
 * The one storage device that all VMs share: swap and files. It has a latency for each request and
 * a bandwidth for each direction. What it could not do in one step of the simulation is queued, and
 * whoever comes in the next step waits for it; within a step the order of the VMs makes no
 * difference.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include <stdint.h>

struct sim_device {
	/* Configuration. */
	uint32_t latency_us;              /* a request, before its first byte */
	uint32_t read_mib_s, write_mib_s; /* 1 and more */
	uint32_t readahead_pages;         /* 4 KiB pages that one request of a file read brings */

	uint64_t now_us;     /* start of this step */
	uint64_t backlog_ns; /* work that was not done by then */
	uint64_t work_ns;    /* asked for in this step */
};

enum sim_io { SIM_IO_SWAP_READ, SIM_IO_SWAP_WRITE, SIM_IO_FILE_READ };

/* Begins the next step. */
void sim_device_advance(struct sim_device *d, uint64_t now_us);

/*
 * Asks for `pages` 4 KiB pages at `at_us`, not before this step. Swap is read page by page, as
 * faults ask for it; writes and file reads go in runs. Returns when it is done.
 */
uint64_t sim_device_submit(struct sim_device *d, uint64_t at_us, enum sim_io kind, uint64_t pages);

#endif
