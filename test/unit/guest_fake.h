/* SPDX-License-Identifier: MIT */
/*
 * A machine for the board guest's memory management on the host: frames are heap memory, the window
 * is a table, the device is two arrays. Faults are played by machine_window.
 */
#ifndef GUEST_FAKE_H
#define GUEST_FAKE_H

#include "../../board/guest/kernel/mm.h"

struct guest_fake {
	struct mm *m;
	uint32_t target;      /* the host lets it deflate up to this size */
	uint32_t write_limit; /* blocks a write request does at most */
	uint64_t now_us;
	uint32_t request_us, block_us; /* what a device request costs */
	bool dirty_takes;              /* frames that are taken are not zero: a broken host */
	/* What happened. */
	uint32_t pressures, settled, corrupt, reads, writes, takes, gives;
	uint64_t settled_epoch;
	const char *corrupt_what;
};

extern struct guest_fake guest_fake;

/* Builds a machine and a struct mm on it; frames [0, reserved) stay reserved. */
void guest_fake_start(struct mm *m, const struct mm_config *config, uint32_t reserved);
void guest_fake_stop(void);

#endif
