/* SPDX-License-Identifier: MIT */
/* The hypercalls of hvc.h, and who listens to them. */
#ifndef BOARD_HYPERCALL_H
#define BOARD_HYPERCALL_H

#include <stdint.h>

#include "vm.h"

/* What Poise does when a guest has something to tell; port.c, or a test's own. */
struct board_poise_ops {
	/* The guest has registered its pages. */
	void (*registered)(struct board_vm *vm);
	/* The guest's balloon has arrived, or has done what it can, for this epoch. */
	void (*settled)(struct board_vm *vm, uint64_t epoch);
	/* The doorbell; called at most BOARD_DOORBELLS_PER_SLICE times a slice and VM. */
	void (*urgent)(struct board_vm *vm);
};
#define BOARD_DOORBELLS_PER_SLICE 4u

/* Who listens; NULL: nobody. */
void board_hvc_listen(const struct board_poise_ops *ops);

/* Answers `hvc #immediate`. */
void board_hvc(struct board_vm *vm, uint32_t immediate);

#endif
