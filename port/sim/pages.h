/* SPDX-License-Identifier: MIT */
/*
 * Page lists: how many VMs there are, then for each VM how many accesses and the page numbers, all
 * as numbers with white space between, as in the tests of Wu, Wu and Zhang's simulation (2011).
 */
#ifndef SIM_PAGES_H
#define SIM_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_PAGES_ERROR_MAX 512
#define SIM_PAGES_VM_MAX    4096u
#define SIM_PAGES_MAX       100000000u /* accesses in all */

struct sim_pages_vm {
	uint32_t *access; /* page numbers, in order */
	uint32_t count;
	uint32_t pages; /* the largest number + 1, 0 for no access */
};

struct sim_pages {
	struct sim_pages_vm *vm;
	uint32_t vms;
};

/* Reads a list. Returns false with `error` = "file:line: reason" (or "file: reason"). */
bool sim_pages_read(struct sim_pages *pages, const char *path, char error[SIM_PAGES_ERROR_MAX]);
void sim_pages_free(struct sim_pages *pages);

#endif
