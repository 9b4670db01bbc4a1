/* SPDX-License-Identifier: MIT */
/*
 * The block device: for each VM a swap area in RAM (swap.c), and a read-only file area whose
 * contents are computed (blkpattern.h), so that a guest can verify what it reads. The cost is
 * modelled: one queue for all VMs, as on the one eMMC chip of a set; a request takes a latency and
 * its bytes, and its sender sleeps until virtual time has passed that point.
 */
#include "blk.h"

#include "blkpattern.h"
#include "memory.h"
#include "timer.h"

#define NS_PER_S UINT64_C(1000000000)

/* A middling eMMC 5.1 part, 4 KiB random access; writes are slower and have a longer start. */
const struct board_blk_model board_blk_emmc = {
	.read_latency_ns = 150000,
	.read_bytes_per_s = 100000000,
	.write_latency_ns = 250000,
	.write_bytes_per_s = 40000000,
};

static const struct board_blk_model *model = &board_blk_emmc;
static uint64_t free_at_ns;

void board_blk_init(const struct board_blk_model *chosen)
{
	model = chosen;
	free_at_ns = 0;
}

/* Returns: how many of `count` blocks from `block` on lie within one area of this VM. */
static uint64_t within(const struct board_vm *vm, bool write, uint64_t block, uint64_t count)
{
	uint64_t first = block;
	uint64_t size = vm->config->swap_blocks;

	if (block >= HVC_FILE_BLOCK) {
		first = block - HVC_FILE_BLOCK;
		size = write ? 0 : vm->config->file_blocks;
	}
	if (first >= size) {
		return 0;
	}
	return count < size - first ? count : size - first;
}

static void read_file(const struct board_vm *vm, uint64_t block, uint64_t page)
{
	uint64_t *words = (uint64_t *)(uintptr_t)page;
	uint64_t word = board_block_word(vm->slot, block, 0);

	for (uint32_t i = 0; i < BOARD_PAGE_BYTES / sizeof(uint64_t); i++) {
		words[i] = word;
		word += BOARD_BLOCK_STEP;
	}
}

static uint64_t cost_ns(bool write, uint64_t blocks)
{
	uint64_t latency = write ? model->write_latency_ns : model->read_latency_ns;
	uint64_t rate = write ? model->write_bytes_per_s : model->read_bytes_per_s;

	return latency + blocks * BOARD_PAGE_BYTES * NS_PER_S / rate;
}

int64_t board_blk_request(struct board_vm *vm, bool write, uint64_t block, uint64_t ipa,
			  uint64_t count, uint64_t *done)
{
	*done = 0;
	if (count == 0 || count > HVC_BLK_MAX || !board_memory_range(vm, ipa, count)) {
		return HVC_INVALID;
	}
	count = within(vm, write, block, count);
	if (count == 0) {
		return HVC_DENIED;
	}

	/* The request ends at the first page that is not the guest's to use, or when swap is full.
	 */
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = ipa + i * BOARD_PAGE_BYTES;
		if (!write && vm->host_page != 0 && at == vm->host_page_ipa) {
			break;
		}
		uint64_t page = board_memory_page(vm, at);
		if (page == 0) {
			break;
		}
		board_cache_flush(page, BOARD_PAGE_BYTES);
		if (write) {
			if (!board_swap_write(&vm->swap, block + i, page)) {
				break;
			}
		} else if (block >= HVC_FILE_BLOCK) {
			read_file(vm, block - HVC_FILE_BLOCK + i, page);
		} else {
			board_swap_read(&vm->swap, block + i, page);
		}
		board_cache_flush(page, BOARD_PAGE_BYTES);
		(*done)++;
	}
	if (*done == 0) {
		return HVC_DENIED;
	}

	uint64_t now = board_time_ns();
	free_at_ns = (free_at_ns > now ? free_at_ns : now) + cost_ns(write, *done);
	vm->wake_ns = free_at_ns;
	vm->state = BOARD_VM_BLOCKED;
	if (write) {
		vm->stats.blocks_written += *done;
	} else {
		vm->stats.blocks_read += *done;
	}
	return HVC_OK;
}
