/* SPDX-License-Identifier: MIT */
/*
 * Runs one phase: builds the machine, ticks it through its time, adds up. All memory that it carves
 * is released at its end, and virtual time is the only clock, so that a phase is a function of its
 * configuration and of the time at which it starts.
 */
#include "phase.h"

#include <string.h>

#include "blk.h"
#include "carve.h"
#include "hypercall.h"
#include "monitor.h"
#include "picture.h"
#include "pool.h"
#include "timer.h"
#include "vm_table.h"

#define NS_PER_MS   UINT64_C(1000000)
#define TABLE_SPARE 64u /* pages of stage 2 beyond the leaves: level 2, roots, rounding */

/* What a guest has counted in its lives before the present one. */
struct past {
	uint64_t boot_id;
	uint64_t swap_out, swap_in, refaults; /* sums of former lives */
	uint64_t now_out, now_in, now_refaults;
};

static struct past pasts[BOARD_VM_MAX];

static uint32_t table_pages(const struct board_phase *phase)
{
	uint32_t pages = TABLE_SPARE;

	for (uint32_t i = 0; i < phase->vm_count; i++) {
		pages += phase->vms[i].ram_pages / 512u + 4u;
	}
	return pages;
}

static bool build(const struct board_phase *phase)
{
	if (phase->vm_count > BOARD_VM_MAX || phase->poise.pool_pages > UINT32_MAX ||
	    !board_vm_init(table_pages(phase)) ||
	    !board_pool_init((uint32_t)phase->poise.pool_pages)) {
		printf("board: %s: the pool does not fit into memory\n", phase->name);
		return false;
	}
	board_blk_init(&board_blk_emmc);
	if (!board_port_start(&phase->poise, phase->record)) {
		printf("board: %s: Poise refuses the configuration\n", phase->name);
		return false;
	}
	for (uint32_t i = 0; i < phase->vm_count; i++) {
		struct board_vm *vm = board_vm_create(i, &phase->vms[i]);
		if (vm == NULL || !board_port_add(vm)) {
			printf("board: %s: %s does not fit\n", phase->name, phase->vms[i].name);
			return false;
		}
	}
	return true;
}

/* Takes note of what a VM's last sample says; a new life starts its counters at zero. */
static void account(uint32_t slot)
{
	const struct poise_vm *vm = &board_port_poise()->vm[slot];
	struct past *past = &pasts[slot];

	if (vm->last.boot_id == 0) {
		return;
	}
	if (vm->last.boot_id != past->boot_id) {
		past->boot_id = vm->last.boot_id;
		past->swap_out += past->now_out;
		past->swap_in += past->now_in;
		past->refaults += past->now_refaults;
	}
	past->now_out = vm->last.body.swap_out_pages;
	past->now_in = vm->last.body.swap_in_pages;
	past->now_refaults = vm->last.body.refault_anon_pages + vm->last.body.refault_file_pages;
}

static void bury_or_restart(const struct board_phase *phase, struct board_vm *vm)
{
	if (vm->stats.deaths <= phase->restart_limit) {
		board_port_restart(vm);
	} else {
		board_port_remove(vm);
	}
}

static void add_up(const struct board_phase *phase, struct board_totals *totals)
{
	memset(totals, 0, sizeof(*totals));
	for (uint32_t i = 0; i < phase->vm_count; i++) {
		const struct board_vm *vm = board_vm_get(i);
		const struct past *past = &pasts[i];
		struct board_vm_totals *to = &totals->vm[i];
		*to = (struct board_vm_totals){
			.swap_out = past->swap_out + past->now_out,
			.swap_in = past->swap_in + past->now_in,
			.refaults = past->refaults + past->now_refaults,
			.given = vm->stats.inflated,
			.taken = vm->stats.deflated,
			.blocks_read = vm->stats.blocks_read,
			.blocks_written = vm->stats.blocks_written,
			.run_ns = vm->stats.run_ns,
			.deaths = vm->stats.deaths,
			.size_pages = board_vm_measure(vm),
			.state = board_port_poise()->vm[i].state,
			.alive = board_vm_alive(vm),
		};
		totals->sum.swap_out += to->swap_out;
		totals->sum.swap_in += to->swap_in;
		totals->sum.refaults += to->refaults;
		totals->sum.given += to->given;
		totals->sum.taken += to->taken;
		totals->sum.blocks_read += to->blocks_read;
		totals->sum.blocks_written += to->blocks_written;
		totals->sum.run_ns += to->run_ns;
		totals->sum.deaths += to->deaths;
		totals->sum.size_pages += to->size_pages;
	}
	totals->port = *board_port_stats();
	memcpy(totals->errors, board_port_poise()->errors, sizeof(totals->errors));
	totals->checks_ok = totals->port.checks_failed == 0;
}

bool board_phase_run(const struct board_phase *phase, struct board_totals *totals)
{
	uint64_t mark = board_carve_mark();
	memset(pasts, 0, sizeof(pasts));
	if (!build(phase)) {
		board_carve_release(mark);
		return false;
	}

	uint64_t interval_ms = board_port_poise()->config.interval_ms;
	if (phase->lines) {
		board_picture_legend(phase);
	}
	uint64_t start_ns = board_time_ns();
	for (uint64_t at_ms = interval_ms; at_ms <= phase->duration_ms; at_ms += interval_ms) {
		for (;;) {
			struct board_vm *dead = board_monitor_run(start_ns + at_ms * NS_PER_MS);
			if (dead == NULL) {
				break;
			}
			bury_or_restart(phase, dead);
		}
		board_port_tick();
		if (phase->updates) {
			board_port_update();
		}
		for (uint32_t i = 0; i < phase->vm_count; i++) {
			account(i);
		}
		if (phase->lines && at_ms % 1000u < interval_ms) {
			board_picture_line(phase, at_ms / 1000u);
		}
	}

	add_up(phase, totals);
	board_hvc_listen(NULL);
	for (uint32_t i = 0; i < phase->vm_count; i++) {
		board_vm_remove(board_vm_get(i));
	}
	board_carve_release(mark);
	return true;
}
