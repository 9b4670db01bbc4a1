/* SPDX-License-Identifier: MIT */
/*
 * The shared storage device; device.h says what it models. The part of a request's latency that a
 * page bears does not depend on how many pages are asked for at once, so that runs with coarse
 * frames wait as long as runs with fine ones.
 */
#include "device.h"

/* What one write request carries: 128 KiB, a batch of reclaim. */
#define WRITE_RUN_PAGES 32u

void sim_device_advance(struct sim_device *d, uint64_t now_us)
{
	const uint64_t passed_ns = (now_us - d->now_us) * 1000u;
	const uint64_t sum_ns = d->backlog_ns + d->work_ns;

	d->backlog_ns = sum_ns > passed_ns ? sum_ns - passed_ns : 0;
	d->work_ns = 0;
	d->now_us = now_us;
}

uint64_t sim_device_submit(struct sim_device *d, uint64_t at_us, enum sim_io kind, uint64_t pages)
{
	const uint64_t run = kind == SIM_IO_SWAP_READ    ? 1u
			     : kind == SIM_IO_SWAP_WRITE ? WRITE_RUN_PAGES
							 : d->readahead_pages;
	const uint64_t mib_s = kind == SIM_IO_SWAP_WRITE ? d->write_mib_s : d->read_mib_s;
	const uint64_t service_ns = pages * d->latency_us * 1000u / run +
				    pages * 4096u * UINT64_C(1000000000) / (mib_s * 1048576u);
	const uint64_t ahead_ns = (at_us - d->now_us) * 1000u;
	const uint64_t start_ns = d->backlog_ns > ahead_ns ? d->backlog_ns - ahead_ns : 0;

	d->work_ns += service_ns;
	return at_us + (start_ns + service_ns + 999u) / 1000u;
}
