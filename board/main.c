/* SPDX-License-Identifier: MIT */
/*
 * The board image's main: which scenario the arguments ask for.
 */
#include "board.h"

#include <stdio.h>
#include <string.h>

#include "vm.h"

extern const uint8_t board_guest_image[], board_guest_image_end[];

/* One VM without Poise, for as long as the arguments say: the guest's own bring-up. */
static int run_boot(void)
{
	static struct board_vm_config config;
	uint32_t ram_pages = (uint32_t)board_arg_number("ram", 16384);

	config = (struct board_vm_config){
		.name = "guest",
		.image = {board_guest_image, (size_t)(board_guest_image_end - board_guest_image)},
		.ram_pages = ram_pages,
		.boot_pages = (uint32_t)board_arg_number("boot", ram_pages),
		.swap_blocks = (uint32_t)board_arg_number("swap", 16384),
		.file_blocks = board_arg_number("file", 65536),
	};
	char args[150];
	if (board_arg("args", args, sizeof(args))) {
		/* Commas, because blanks separate the arguments of the board itself. */
		for (char *at = args; *at != '\0'; at++) {
			*at = *at == ',' ? ' ' : *at;
		}
		snprintf(config.args, sizeof(config.args), "%s", args);
	}

	struct board_vm *vm = NULL;
	board_blk_init(&board_blk_emmc);
	if (board_vm_init(2048) && board_pool_init(ram_pages)) {
		vm = board_vm_create(0, &config);
	}
	if (vm == NULL) {
		printf("board: ram=, boot= or swap= do not fit\n");
		return 2;
	}
	board_vm_start(vm);
	board_sched_run(board_time_ns() + board_arg_number("ms", 1000) * UINT64_C(1000000));
	const char *wrong = board_vm_check();
	printf("board: boot at %lu us, %lu calls, check=%s\n", (board_time_ns() / 1000u),
	       vm->stats.calls, wrong == NULL ? "ok" : wrong);
	return wrong == NULL && !vm->faulted ? (int)vm->exit_status : 1;
}

int board_main(void)
{
	char scenario[32];

	if (board_arg("scenario", scenario, sizeof(scenario)) && strcmp(scenario, "boot") == 0) {
		return run_boot();
	}
	printf("board: scenario= must be one of: boot\n");
	return 2;
}
