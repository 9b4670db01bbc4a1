/* SPDX-License-Identifier: MIT */
/*
 * The board image's main: which scenario the arguments ask for.
 */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "board.h"
#include "scenario.h"

int board_main(void)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} scenarios[] = {
		{"boot", board_scenario_boot},
		{"tv", board_scenario_tv},
	};
	char name[16] = "";

	board_arg("scenario", name, sizeof(name));
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (strcmp(name, scenarios[i].name) == 0) {
			return scenarios[i].run();
		}
	}
	printf("board: scenario=%s is none of: boot tv\n", name);
	return 2;
}
