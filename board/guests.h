/* SPDX-License-Identifier: MIT */
/*
 * The table of guests that scenarios are made of.
 */
#ifndef BOARD_GUESTS_H
#define BOARD_GUESTS_H

#include "vm.h"

/* One row of the table: what differs between guests. Sizes in pages. */
struct board_guest {
	const char *name;
	const char *trace; /* of the blobs; NULL: no workload */
	uint32_t min_pages, boot_pages, ram_pages;
	uint32_t weight; /* 0: default */
	uint32_t swap_blocks;
	const char *args;
};

/* The Smart TV: video playback, web browsing, game. Boot sizes are the equal static partitions. */
#define BOARD_TV_COUNT 3u
extern const struct board_guest board_tv_guests[BOARD_TV_COUNT];

/*
 * Makes a VM's configuration of a row; `extra` is appended to its arguments, "" for nothing.
 * Returns: false if the image has no such blob.
 */
bool board_guest_config(const struct board_guest *guest, const char *extra,
			struct board_vm_config *config);

#endif
