/* SPDX-License-Identifier: MIT */
/*
 * The guests: a table, and the way from a row of it to a VM's configuration.
 */
#include "guests.h"

#include <stdio.h>
#include <string.h>

#include "guest/blobs.h"

#define MIB         256u /* pages */
#define FILE_BLOCKS (UINT64_C(1) << 20)
/* A TV with 2 GiB of which three guests get 640 MiB each, at a quarter of its size. */
#define TV_STATIC_PAGES (160u * MIB)
#define TV_RAM_PAGES    (320u * MIB)
#define TV_MIN_PAGES    (40u * MIB)
#define TV_SWAP_BLOCKS  (96u * MIB)
#define TV_ARGS         "scale=4"

const struct board_guest board_tv_guests[BOARD_TV_COUNT] = {
	{"play", "play", TV_MIN_PAGES, TV_STATIC_PAGES, TV_RAM_PAGES, 0, TV_SWAP_BLOCKS, TV_ARGS},
	{"web", "web", TV_MIN_PAGES, TV_STATIC_PAGES, TV_RAM_PAGES, 0, TV_SWAP_BLOCKS, TV_ARGS},
	{"game", "game", TV_MIN_PAGES, TV_STATIC_PAGES, TV_RAM_PAGES, 0, TV_SWAP_BLOCKS, TV_ARGS},
};

static bool find_blob(const char *name, struct board_image *image)
{
	for (const struct board_blob *blob = board_blobs; blob->name != NULL; blob++) {
		if (strcmp(blob->name, name) == 0) {
			*image = (struct board_image){blob->start,
						      (size_t)(blob->end - blob->start)};
			return true;
		}
	}
	return false;
}

bool board_guest_config(const struct board_guest *guest, const char *extra,
			struct board_vm_config *config)
{
	*config = (struct board_vm_config){
		.name = guest->name,
		.ram_pages = guest->ram_pages,
		.boot_pages = guest->boot_pages,
		.swap_blocks = guest->swap_blocks,
		.file_blocks = FILE_BLOCKS,
		.poise = {.min_pages = guest->min_pages,
			  .boot_pages = guest->boot_pages,
			  .max_pages = guest->ram_pages,
			  .weight = guest->weight},
	};
	int length = snprintf(config->args, sizeof(config->args), "%s%s%s", guest->args,
			      extra[0] == '\0' ? "" : " ", extra);
	return length >= 0 && (size_t)length < sizeof(config->args) &&
	       find_blob("guest", &config->image) &&
	       (guest->trace == NULL || find_blob(guest->trace, &config->data));
}
