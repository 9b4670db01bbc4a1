/* SPDX-License-Identifier: MIT */
/* poise-sim run: a scenario under one policy. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "run.h"

static const char run_usage[] =
	"usage: poise-sim run --scenario F [--policy P] [--seed N] [--json] [--record F] "
	"[--series F]\n"
	"One scenario under one policy.\n\n"
	"  --scenario F    the scenario file\n"
	"  --policy P      NAME or NAME:KEY=NUMBER:... (poise)\n"
	"  --seed N        of all that is random (the scenario's)\n"
	"  --json          for machines\n"
	"  --record F      the core's events, for poise-sim replay\n"
	"  --series F      each VM's memory, once a second, as CSV\n";

struct request {
	struct sim_scenario *scenario;
	uint64_t seed;
	bool seeded, json;
	const char *policy;
	const char *record, *series;
};

enum { SCENARIO = 1, POLICY, SEED, JSON, RECORD, SERIES };

static const struct option run_options[] = {
	{"scenario", required_argument, NULL, SCENARIO},
	{"policy", required_argument, NULL, POLICY},
	{"seed", required_argument, NULL, SEED},
	{"json", no_argument, NULL, JSON},
	{"record", required_argument, NULL, RECORD},
	{"series", required_argument, NULL, SERIES},
	CLI_COMMON,
	{0},
};

/* Reads the options. Returns -1 to go on, or an exit code. */
static int read_request(int argc, char **argv, struct request *r)
{
	char error[SIM_ERROR_MAX];
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", run_options, NULL)) != -1) {
		switch (option) {
		case SCENARIO:
			path = optarg;
			break;
		case POLICY:
			r->policy = optarg;
			break;
		case SEED:
			if (!cli_whole("--seed", optarg, 0, INT64_MAX, &r->seed)) {
				return CLI_BAD;
			}
			r->seeded = true;
			break;
		case JSON:
			r->json = true;
			break;
		case RECORD:
			r->record = optarg;
			break;
		case SERIES:
			r->series = optarg;
			break;
		default:
			if (option == CLI_OPTION_HELP) {
				return cli_policies_help(run_usage);
			}
			return cli_common(option, run_usage);
		}
	}
	if (optind != argc) {
		return cli_bad("unexpected argument: %s", argv[optind]);
	}
	if (path == NULL) {
		return cli_bad("--scenario is missing");
	}
	r->scenario = sim_scenario_read(path, error);
	if (r->scenario == NULL) {
		return cli_bad("%s", error);
	}
	r->seed = r->seeded ? r->seed : r->scenario->seed;
	return -1;
}

static bool run_policy(const struct request *r, FILE *record, FILE *series,
		       struct sim_result *result)
{
	struct cli_progress progress;
	const struct sim_run_options options = {
		.seed = r->seed,
		.record = record,
		.series = series,
		.progress = cli_progress_show,
		.ctx = &progress,
	};
	char error[SIM_ERROR_MAX];
	bool ok;

	cli_progress_start(&progress, r->policy);
	ok = sim_run(r->scenario, r->policy, &options, result, error);
	cli_progress_stop(&progress);
	if (!ok) {
		cli_bad("%s", error);
	}
	return ok;
}

static int run_recorded(const struct request *r, struct sim_result *result)
{
	struct cli_file record = {0};
	struct cli_file series = {0};
	bool ok = (r->record == NULL || cli_create(&record, r->record)) &&
		  (r->series == NULL || cli_create(&series, r->series));

	ok = ok && run_policy(r, record.out, series.out, result);
	ok = cli_close(&record, ok) && ok;
	ok = cli_close(&series, ok) && ok;
	return ok ? CLI_OK : CLI_BAD;
}

int cmd_run(int argc, char **argv)
{
	struct request r = {.policy = "poise"};
	struct sim_result *result = malloc(sizeof(*result));
	int code = result == NULL ? cli_bad("no memory") : read_request(argc, argv, &r);

	if (code == -1) {
		code = run_recorded(&r, result);
		if (code == CLI_OK && r.json) {
			cli_print_json(r.scenario->name, r.seed, result, 1);
		} else if (code == CLI_OK) {
			cli_print_table(result, 1, true);
		}
	}
	if (r.scenario != NULL) {
		sim_scenario_free(r.scenario);
	}
	free(result);
	return code;
}
