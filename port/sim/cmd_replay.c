/* SPDX-License-Identifier: MIT */
/* poise-sim replay: every decision of a recording, made again. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cli.h"
#include "replay.h"

static const char usage[] =
	"usage: poise-sim replay FILE\n"
	"Feeds a recording of any port to the core again and compares every decision with the\n"
	"recorded one. Exit 0: all are the same, 1: the first difference, 2: no recording.\n";

int cmd_replay(int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON, {0}};
	struct replay_result result;
	const int option = getopt_long(argc, argv, "", options, NULL);
	FILE *in;
	int code;

	if (option != -1) {
		return cli_common(option, usage);
	}
	if (argc - optind != 1) {
		return cli_bad("replay needs one file");
	}
	in = fopen(argv[optind], "r");
	if (in == NULL) {
		return cli_bad("%s: %s", argv[optind], strerror(errno));
	}
	code = replay_run(in, &result);
	fclose(in);
	if (code == 2) {
		return cli_bad("%s:%lu: %s", argv[optind], result.line, result.reason);
	}
	if (code == 1) {
		printf("%s:%lu: %s\n  recorded: %s\n  now:      %s\n", argv[optind], result.line,
		       result.reason, result.expected, result.found);
		return CLI_FAIL;
	}
	printf("no difference: %lu events, %lu inputs, %lu violations\n", result.lines,
	       result.inputs, result.checks);
	return result.checks == 0 ? CLI_OK : CLI_FAIL;
}
