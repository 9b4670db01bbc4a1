/* SPDX-License-Identifier: MIT */
/* What the commands that study a scenario share. */
#include <getopt.h>
#include <jansson.h>

#include "cli.h"
#include "run.h"

int cli_study_option(int option, const char *usage, struct cli_study *study)
{
	switch (option) {
	case CLI_SCENARIO:
		study->path = optarg;
		return -1;
	case CLI_SEED:
		study->seeded = true;
		return cli_whole("--seed", optarg, 0, INT64_MAX, &study->seed) ? -1 : CLI_BAD;
	case CLI_JSON:
		study->json = true;
		return -1;
	default:
		return cli_common(option, usage);
	}
}

int cli_study_read(int argc, char **argv, struct cli_study *study)
{
	char error[SIM_ERROR_MAX];

	if (optind != argc) {
		return cli_bad("unexpected argument: %s", argv[optind]);
	}
	if (study->path == NULL) {
		return cli_bad("--scenario is missing");
	}
	study->scenario = sim_scenario_read(study->path, error);
	if (study->scenario == NULL) {
		return cli_bad("%s", error);
	}
	study->seed = study->seeded ? study->seed : study->scenario->seed;
	return -1;
}

bool cli_run(const struct sim_scenario *scenario, const char *policy, uint64_t seed, FILE *record,
	     FILE *series, struct sim_result *result)
{
	struct cli_progress progress;
	const struct sim_run_options options = {
		.seed = seed,
		.record = record,
		.series = series,
		.progress = cli_progress_show,
		.ctx = &progress,
	};
	char error[SIM_ERROR_MAX];
	bool ok;

	cli_progress_start(&progress, policy);
	ok = sim_run(scenario, policy, &options, result, error);
	cli_progress_stop(&progress);
	if (!ok) {
		cli_bad("%s", error);
	}
	return ok;
}

int cli_put_json(json_t *all)
{
	const bool ok = all != NULL && json_dumpf(all, stdout, JSON_INDENT(1)) == 0;

	json_decref(all);
	if (!ok) {
		return cli_bad("the result cannot be written as JSON");
	}
	putchar('\n');
	return CLI_OK;
}
