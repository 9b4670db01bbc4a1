/* SPDX-License-Identifier: MIT */
/*
 * The file with a VM's two shared pages: what backs QEMU's ivshmem device or UML's mmapper. Guest
 * page at 0, host page at 4096. It belongs to the VM: it may be missing, too short, something else,
 * cut off while it is mapped, or replaced; none of that may hurt.
 *
 * A file that is cut off makes loads and stores of its pages raise SIGBUS. A handler then puts an
 * empty page in that place, so that the access goes on, and the file is let go at the next look.
 */
#ifndef PORT_PAGEFILE_H
#define PORT_PAGEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "poise_abi.h"

#define PAGEFILE_BYTES (2u * POISE_ABI_PAGE_BYTES)

struct pagefile {
	const char *path; /* outlives it */
	int fd;           /* -1: not open */
	dev_t device;
	ino_t inode;
	size_t mapped; /* bytes of each of the two mappings */
	const struct poise_guest_page *guest;
	struct poise_host_page *host;
	char why[96]; /* it is not open; "" when it is, or when there is no such file yet */
};

/* Installs the handler; once. Returns 0 or -1. */
int pagefile_guard(void);

void pagefile_init(struct pagefile *file, const char *path);

/* Opens the file if it is there and right, lets it go if it is not any more. Returns whether it is
 * mapped now. Takes a lock on it: no other poised writes to the same VM. */
bool pagefile_check(struct pagefile *file);

void pagefile_close(struct pagefile *file);

#endif
