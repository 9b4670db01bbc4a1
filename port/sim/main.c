/* SPDX-License-Identifier: MIT */
/* poise-sim: which command. */
#include <errno.h>
#include <string.h>

#include "cli.h"

static const struct {
	const char *name, *text;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", "one scenario under one policy", cmd_run},
	{"compare", "scenarios under several policies, side by side", cmd_compare},
	{"predict", "demand against forecast on a recorded trace", cmd_predict},
	{"lru", "VMs that share frames, each with an LRU list", cmd_lru},
	{"replay", "make every decision of a recording again", cmd_replay},
	{"workloads", "one VM's workloads: static, best case, balanced", cmd_workloads},
	{"series", "what each VM had over time, from a recording", cmd_series},
	{"sigma", "how small the allowance for caches may be", cmd_sigma},
	{"estimate", "working sets from dirty and accessed pages against the truth", cmd_estimate},
	{"validate", "the guest model against what was measured", cmd_validate},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	puts("usage: poise-sim COMMAND [OPTION]... [FILE]\n"
	     "A simulated hypervisor, to judge memory policies by.\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		printf("  %-10s %s\n", commands[i].name, commands[i].text);
	}
	puts("  help       this list\n\nEach command has --help. --version says which one this "
	     "is.");
	return CLI_OK;
}

int main(int argc, char **argv)
{
	int code;

	if (argc < 2) {
		return cli_bad("no command; see poise-sim help");
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		return help();
	}
	if (strcmp(argv[1], "--version") == 0) {
		return cli_common(CLI_OPTION_VERSION, NULL);
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			/* getopt_long names argv[0] in its messages. */
			argv[1] = argv[0];
			code = commands[i].run(argc - 1, argv + 1);
			if (fflush(stdout) != 0 || ferror(stdout) != 0) {
				return cli_bad("standard output: %s", strerror(errno));
			}
			return code;
		}
	}
	return cli_bad("no such command: %s; see poise-sim help", argv[1]);
}
