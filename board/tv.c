/* SPDX-License-Identifier: MIT */
/*
 * The scenarios: the Smart TV under static partitions and balanced, and a single guest for
 * bring-up.
 */
#include <stdio.h>
#include <string.h>

#include "../port/record/record.h"
#include "args.h"
#include "blk.h"
#include "guests.h"
#include "monitor.h"
#include "phase.h"
#include "poise_names.h"
#include "pool.h"
#include "scenario.h"
#include "timer.h"
#include "vm_check.h"
#include "vm_table.h"

static struct board_vm_config configs[BOARD_VM_MAX];

static bool policy_of(const char *name, uint32_t *policy)
{
	for (uint32_t i = 0; i < POISE_POLICY_COUNT; i++) {
		if (strcmp(name, poise_policy_name(i)) == 0) {
			*policy = i;
			return true;
		}
	}
	return false;
}

/* The run's own `args=`: commas stand for blanks, which separate the arguments of the board. */
static void guest_arguments(char *args, size_t size)
{
	args[0] = '\0';
	board_arg("args", args, size);
	for (char *at = args; *at != '\0'; at++) {
		*at = *at == ',' ? ' ' : *at;
	}
}

static bool tv_phase(const char *name, uint32_t policy, FILE *record, struct board_totals *totals)
{
	char extra[100];
	uint64_t pool_pages = 0;

	guest_arguments(extra, sizeof(extra));
	for (uint32_t i = 0; i < BOARD_TV_COUNT; i++) {
		if (!board_guest_config(&board_tv_guests[i], extra, &configs[i])) {
			printf("board: the arguments of %s do not fit\n", board_tv_guests[i].name);
			return false;
		}
		pool_pages += configs[i].boot_pages;
	}
	const struct board_phase phase = {
		.name = name,
		.vms = configs,
		.vm_count = BOARD_TV_COUNT,
		.poise = {.pool_pages = pool_pages, .policy = policy},
		.duration_ms = board_arg_number("ms", 120000),
		.restart_limit = 2,
		.record = record,
		.lines = true,
	};
	return board_phase_run(&phase, totals);
}

static void print_row(const char *what, uint64_t before, uint64_t after)
{
	printf("%-24s %12lu %12lu\n", what, before, after);
}

static void print_table(const struct board_totals *before, const struct board_totals *after)
{
	printf("\n%-24s %12s %12s\n", "pages", "static", "balanced");
	print_row("swapped out", before->sum.swap_out, after->sum.swap_out);
	print_row("swapped in", before->sum.swap_in, after->sum.swap_in);
	print_row("refaulted", before->sum.refaults, after->sum.refaults);
	print_row("given by guests", before->sum.given, after->sum.given);
	print_row("taken by guests", before->sum.taken, after->sum.taken);
	print_row("decisions", before->port.plans, after->port.plans);
	print_row("emergency reliefs", before->port.relief_count, after->port.relief_count);
	print_row("  slowest, us", before->port.relief_max_ns / 1000u,
		  after->port.relief_max_ns / 1000u);
	print_row("CPU time, ms", before->sum.run_ns / 1000000u, after->sum.run_ns / 1000000u);
	printf("\n");
}

/* Opens the recording that `record=` names. Returns: false if that is not possible. */
static bool open_record(FILE **record)
{
	char path[200];

	*record = NULL;
	if (!board_arg("record", path, sizeof(path))) {
		return true;
	}
	*record = fopen(path, "w");
	if (*record == NULL) {
		printf("board: %s: cannot be written\n", path);
		return false;
	}
	fprintf(*record, "%s\n", RECORD_HEADER);
	return true;
}

int board_scenario_tv(void)
{
	static struct board_totals before, after;
	char name[16];
	uint32_t policy;
	FILE *record;

	if (!open_record(&record)) {
		return 2;
	}
	bool ran;
	bool one = board_arg("policy", name, sizeof(name));
	if (one) {
		if (!policy_of(name, &policy)) {
			printf("board: policy=%s is none of: static poise paper\n", name);
			return 2;
		}
		ran = tv_phase(name, policy, record, &after);
		before = after;
	} else {
		ran = tv_phase("static", POISE_POLICY_STATIC, record, &before) &&
		      tv_phase("balanced", POISE_POLICY_POISE, record, &after);
	}
	if (record != NULL && fclose(record) != 0) {
		printf("board: the recording is not complete\n");
		return 1;
	}
	if (!ran) {
		return 2;
	}
	print_table(&before, &after);

	/* Hundredths of a percent; a static phase without swapping leaves nothing to reduce. */
	uint64_t base = before.sum.swap_out;
	int64_t reduction =
		base == 0 ? 0
			  : ((int64_t)base - (int64_t)after.sum.swap_out) * 10000 / (int64_t)base;
	bool ok = before.checks_ok && after.checks_ok;
	printf("poise: swap-out static=%lu balanced=%lu reduction=%s%ld.%02ld%% check=%s\n", base,
	       after.sum.swap_out, reduction < 0 ? "-" : "",
	       (long)(reduction < 0 ? -reduction : reduction) / 100,
	       (long)(reduction < 0 ? -reduction : reduction) % 100, ok ? "ok" : "failed");
	return ok ? 0 : 1;
}

int board_scenario_boot(void)
{
	static char trace[16];
	char extra[100];
	uint32_t ram_pages = (uint32_t)board_arg_number("ram", 16384);
	const struct board_guest guest = {
		.name = "guest",
		.trace = board_arg("trace", trace, sizeof(trace)) ? trace : NULL,
		.min_pages = 1,
		.boot_pages = (uint32_t)board_arg_number("boot", ram_pages),
		.ram_pages = ram_pages,
		.swap_blocks = (uint32_t)board_arg_number("swap", 16384),
		.args = "",
	};
	struct board_vm *vm = NULL;

	guest_arguments(extra, sizeof(extra));
	board_blk_init(&board_blk_emmc);
	if (board_guest_config(&guest, extra, &configs[0]) &&
	    board_vm_init(ram_pages / 512u + 64u) && board_pool_init(ram_pages)) {
		vm = board_vm_create(0, &configs[0]);
	}
	if (vm == NULL) {
		printf("board: trace=, ram=, boot=, swap= or args= do not fit\n");
		return 2;
	}
	board_vm_start(vm);
	board_monitor_run(board_time_ns() + board_arg_number("ms", 1000) * UINT64_C(1000000));
	const char *wrong = board_vm_check();
	printf("board: %lu ms, CPU %lu us, %lu calls, %lu blocks read, %lu written, check=%s\n",
	       board_time_ns() / 1000000u, vm->stats.run_ns / 1000u, vm->stats.calls,
	       vm->stats.blocks_read, vm->stats.blocks_written, wrong == NULL ? "ok" : wrong);
	return wrong == NULL && !vm->faulted ? (int)vm->exit_status : 1;
}
