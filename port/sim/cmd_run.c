/* SPDX-License-Identifier: MIT */
/* poise-sim run: a scenario under one policy. */
#include <getopt.h>
#include <stdlib.h>

#include "cli.h"

static const char run_usage[] =
	"usage: poise-sim run --scenario F [--workload W] [--policy P] [--seed N] [--json]\n"
	"                     [--record F] [--series F]\n"
	"One scenario under one policy.\n\n"
	"  --scenario F    the scenario file\n"
	"  --workload W    one of the scenario's workloads, in its first VM\n"
	"  --policy P      NAME or NAME:KEY=NUMBER:... (poise)\n"
	"  --seed N        of all that is random (the scenario's)\n"
	"  --json          for machines\n"
	"  --record F      the core's events, for poise-sim replay\n"
	"  --series F      each VM's memory, once a second, as CSV\n";

struct request {
	struct cli_study study;
	const char *workload, *policy, *record, *series;
};

static int run_recorded(const struct request *r, struct sim_result *result)
{
	struct cli_file record = {0};
	struct cli_file series = {0};
	bool ok = (r->record == NULL || cli_create(&record, r->record)) &&
		  (r->series == NULL || cli_create(&series, r->series));

	ok = ok &&
	     cli_run(r->study.scenario, r->policy, r->study.seed, record.out, series.out, result);
	ok = cli_close(&record, ok) && ok;
	ok = cli_close(&series, ok) && ok;
	return ok ? CLI_OK : CLI_BAD;
}

static int run(const struct request *r)
{
	const struct cli_study *study = &r->study;
	struct sim_result *result = malloc(sizeof(*result));
	int code = CLI_OK;

	if (result == NULL) {
		code = cli_bad("no memory");
	} else if (r->workload != NULL && !sim_scenario_choose(study->scenario, r->workload)) {
		code = cli_bad("%s: no workload %s", study->path, r->workload);
	}
	code = code == CLI_OK ? run_recorded(r, result) : code;
	if (code == CLI_OK && study->json) {
		cli_print_json(study->scenario->name, study->seed, result, 1);
	} else if (code == CLI_OK) {
		cli_print_table(result, 1, true);
	}
	free(result);
	return code;
}

int cmd_run(int argc, char **argv)
{
	enum { WORKLOAD = 1, POLICY, RECORD, SERIES };
	static const struct option options[] = {{"workload", required_argument, NULL, WORKLOAD},
						{"policy", required_argument, NULL, POLICY},
						{"record", required_argument, NULL, RECORD},
						{"series", required_argument, NULL, SERIES},
						CLI_STUDY};
	struct request r = {.policy = "poise"};
	int code = -1;
	int option;

	while (code == -1 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case WORKLOAD:
			r.workload = optarg;
			break;
		case POLICY:
			r.policy = optarg;
			break;
		case RECORD:
			r.record = optarg;
			break;
		case SERIES:
			r.series = optarg;
			break;
		case CLI_OPTION_HELP:
			return cli_policies_help(run_usage);
		default:
			code = cli_study_option(option, run_usage, &r.study);
		}
	}
	code = code == -1 ? cli_study_read(argc, argv, &r.study) : code;
	code = code == -1 ? run(&r) : code;
	sim_scenario_free(r.study.scenario);
	return code;
}
