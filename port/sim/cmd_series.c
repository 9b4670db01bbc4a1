/* SPDX-License-Identifier: MIT */
/* poise-sim series: what each VM had over time, from a recording of any port. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "series.h"

static const char usage[] =
	"usage: poise-sim series FILE\n"
	"Each VM's memory over time, from a recording of any port, as CSV: a line for each tick "
	"and\n"
	"VM. Sizes are pages of 4 KiB, swap is what the guest said last, t_ms counts from the "
	"run's\n"
	"first tick. A recording may hold several runs.\n";

int cmd_series(int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON, {0}};
	const int option = getopt_long(argc, argv, "", options, NULL);
	const char *path;
	const char *reason;
	unsigned long line = 0;
	FILE *in;
	FILE *out;
	char *text = NULL;
	size_t size = 0;

	if (option != -1) {
		return cli_common(option, usage);
	}
	if (argc - optind != 1) {
		return cli_bad("series needs one file");
	}
	path = argv[optind];
	in = fopen(path, "r");
	if (in == NULL) {
		return cli_bad("%s: %s", path, strerror(errno));
	}
	/* Held back until all is read: a bad recording gives nothing. */
	out = open_memstream(&text, &size);
	reason = out == NULL ? "no memory" : sim_series_write(in, out, &line);
	if (out != NULL && fclose(out) != 0 && reason == NULL) {
		reason = "no memory";
	}
	fclose(in);
	if (reason == NULL) {
		fwrite(text, 1, size, stdout);
	} else {
		cli_bad("%s:%lu: %s", path, line, reason);
	}
	free(text);
	return reason == NULL ? CLI_OK : CLI_BAD;
}
