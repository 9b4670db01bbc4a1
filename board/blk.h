/* SPDX-License-Identifier: MIT */
/* The one block device of all VMs. */
#ifndef BOARD_BLK_H
#define BOARD_BLK_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

struct board_blk_model {
	uint64_t read_latency_ns, read_bytes_per_s;
	uint64_t write_latency_ns, write_bytes_per_s;
};
extern const struct board_blk_model board_blk_emmc;

void board_blk_init(const struct board_blk_model *model);
/* HVC_BLK_READ, HVC_BLK_WRITE: arguments straight from the guest; puts the VM to sleep. */
int64_t board_blk_request(struct board_vm *vm, bool write, uint64_t block, uint64_t ipa,
			  uint64_t count, uint64_t *done);

#endif
