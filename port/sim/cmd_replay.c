/* SPDX-License-Identifier: MIT */
/* poise-sim replay: every decision of a recording, made again. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cli.h"
#include "poise_names.h"
#include "replay.h"

static const char usage[] =
	"usage: poise-sim replay [--sizes | --inputs] [--record OUT] FILE\n"
	"Feeds a recording of any port to the core again and compares every decision with the\n"
	"recorded one. Exit 0: all are the same, 1: the first difference, 2: no recording.\n"
	"  --sizes       a plan may name another rule, as those of other cores do\n"
	"  --inputs      takes the inputs alone, from a recording or from another hypervisor's "
	"log;\n"
	"                each VM does at once what it is asked, and nothing is compared\n"
	"  --record OUT  writes down what the core does now, as a recording\n"
	"The format is stated in port/record/README.md.\n";

enum { OPTION_SIZES = 1, OPTION_INPUTS, OPTION_RECORD };

#define Q16(value) ((double)(int64_t)(value) / 65536.0)

/* One side of a difference, in words if it is a plan. */
static void tell_side(const char *side, const struct poise_event *e, const char *line)
{
	if (line[0] == '\0') {
		printf("  %s nothing\n", side);
		return;
	}
	printf("  %s %s\n", side, line);
	if (e->code == POISE_EVENT_PLAN) {
		printf("    VM %u goes from %llu to %llu pages by rule %s; it is expected to need "
		       "%+.1f pages more and can reclaim %.1f itself\n",
		       e->vm, (unsigned long long)e->a, (unsigned long long)e->d,
		       poise_rule_name(e->rule), Q16(e->b), Q16(e->c));
	}
}

static void tell_difference(const char *path, const struct replay_result *r)
{
	static const struct poise_event none = {.code = POISE_EVENT_COUNT};
	const char *event = poise_event_name(r->recorded.code);

	if (r->key == NULL) {
		printf("%s:%lu: %s\n", path, r->line, r->reason);
	} else if (strcmp(r->key, "event") == 0) {
		printf("%s:%lu: differs: recorded was %s, now comes %s\n", path, r->line, event,
		       poise_event_name(r->now.code));
	} else {
		printf("%s:%lu: differs: %s of %s\n", path, r->line, r->key, event);
	}
	tell_side("recorded:", r->key != NULL ? &r->recorded : &none, r->expected);
	tell_side("now:     ", r->key != NULL ? &r->now : &none, r->found);
}

/* Another core may decide otherwise: that is said before anything else. */
static void tell_core(const char *path, const struct replay_result *r)
{
	if (r->format == 1) {
		printf("%s: recorded by a core before 0.2.0, replayed by " POISE_VERSION "\n",
		       path);
	} else if (strcmp(r->core, POISE_VERSION) != 0) {
		printf("%s: recorded by core %s, replayed by " POISE_VERSION "\n", path, r->core);
	}
}

static int replay(const char *path, const struct replay_options *options)
{
	static struct replay_result r;
	FILE *in = fopen(path, "r");
	int code;

	if (in == NULL) {
		return cli_bad("%s: %s", path, strerror(errno));
	}
	code = replay_run(in, options, &r);
	fclose(in);
	if (code == 2) {
		return cli_bad("%s:%lu: %s", path, r.line, r.reason);
	}
	tell_core(path, &r);
	if (code == 1) {
		tell_difference(path, &r);
		return CLI_FAIL;
	}
	if (r.rules != 0) {
		printf("%lu plans name another rule\n", r.rules);
	}
	printf("%s: %lu events, %lu inputs, %lu violations\n",
	       options->mode == REPLAY_INPUTS ? "done" : "no difference", r.lines, r.inputs,
	       r.checks);
	return r.checks == 0 ? CLI_OK : CLI_FAIL;
}

int cmd_replay(int argc, char **argv)
{
	static const struct option known[] = {{"sizes", no_argument, NULL, OPTION_SIZES},
					      {"inputs", no_argument, NULL, OPTION_INPUTS},
					      {"record", required_argument, NULL, OPTION_RECORD},
					      CLI_COMMON,
					      {0}};
	struct replay_options options = {.mode = REPLAY_ALL};
	const char *out_path = NULL;
	struct cli_file out;
	int option, code;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case OPTION_SIZES:
		case OPTION_INPUTS:
			if (options.mode != REPLAY_ALL) {
				return cli_bad("--sizes or --inputs, and once");
			}
			options.mode = option == OPTION_SIZES ? REPLAY_SIZES : REPLAY_INPUTS;
			break;
		case OPTION_RECORD:
			out_path = optarg;
			break;
		default:
			return cli_common(option, usage);
		}
	}
	if (argc - optind != 1) {
		return cli_bad("replay needs one file");
	}
	if (out_path == NULL) {
		return replay(argv[optind], &options);
	}
	if (!cli_create(&out, out_path)) {
		return CLI_BAD;
	}
	options.out = out.out;
	code = replay(argv[optind], &options);
	return cli_close(&out, code == CLI_OK) ? code : CLI_BAD;
}
