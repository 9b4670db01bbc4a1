/* SPDX-License-Identifier: MIT */
/* poise-sim run and poise-sim compare: a scenario under one policy, or under several. */
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

static const char compare_usage[] =
	"usage: poise-sim compare --scenario F --policies P,Q,...|all [--seed N] [--json]\n"
	"A scenario under several policies, with equal inputs.\n\n"
	"  --scenario F    the scenario file\n"
	"  --policies P,Q  NAME or NAME:KEY=NUMBER:..., with commas between; all: every one\n"
	"  --seed N        of all that is random (the scenario's)\n"
	"  --json          for machines\n"
	"  --vms           each VM's figures too\n";

#define POLICIES_MAX 256u

struct request {
	struct sim_scenario *scenario;
	uint64_t seed;
	bool seeded, json, vms;
	const char *policies;
	const char *record, *series;
};

enum { SCENARIO = 1, POLICY, POLICIES, SEED, JSON, RECORD, SERIES, VMS };

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

static const struct option compare_options[] = {
	{"scenario", required_argument, NULL, SCENARIO},
	{"policies", required_argument, NULL, POLICIES},
	{"seed", required_argument, NULL, SEED},
	{"json", no_argument, NULL, JSON},
	{"vms", no_argument, NULL, VMS},
	CLI_COMMON,
	{0},
};

static int print_help(const char *usage)
{
	const char *text;
	const char *name;

	fputs(usage, stdout);
	puts("\npolicies:");
	for (unsigned i = 0; (name = sim_run_policy(i, &text)) != NULL; i++) {
		printf("  %-16s %s\n", name, text);
	}
	return CLI_OK;
}

/* Reads the options. Returns -1 to go on, or an exit code. */
static int read_request(int argc, char **argv, const struct option *options, const char *usage,
			struct request *r)
{
	char error[SIM_ERROR_MAX];
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case SCENARIO:
			path = optarg;
			break;
		case POLICY:
		case POLICIES:
			r->policies = optarg;
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
		case VMS:
			r->vms = true;
			break;
		case RECORD:
			r->record = optarg;
			break;
		case SERIES:
			r->series = optarg;
			break;
		default:
			if (option == CLI_OPTION_HELP) {
				return print_help(usage);
			}
			return cli_common(option, usage);
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

static bool run_policy(const struct request *r, const char *policy, FILE *record, FILE *series,
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

	cli_progress_start(&progress, policy);
	ok = sim_run(r->scenario, policy, &options, result, error);
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

	ok = ok && run_policy(r, r->policies, record.out, series.out, result);
	ok = cli_close(&record, ok) && ok;
	ok = cli_close(&series, ok) && ok;
	return ok ? CLI_OK : CLI_BAD;
}

int cmd_run(int argc, char **argv)
{
	struct request r = {.policies = "poise"};
	struct sim_result *result = malloc(sizeof(*result));
	int code = result == NULL ? cli_bad("no memory")
				  : read_request(argc, argv, run_options, run_usage, &r);

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

/* Splits the list of policies in place. Returns how many there are; 0: too many or none. */
static unsigned split(char *list, const char *policy[POLICIES_MAX])
{
	unsigned count = 0;

	if (strcmp(list, "all") == 0) {
		const char *text;

		while (count < POLICIES_MAX &&
		       (policy[count] = sim_run_policy(count, &text)) != NULL) {
			count++;
		}
		return count;
	}
	for (char *name = strsep(&list, ","); name != NULL; name = strsep(&list, ",")) {
		if (count == POLICIES_MAX || name[0] == '\0') {
			return 0;
		}
		policy[count++] = name;
	}
	return count;
}

static int compare(const struct request *r, char *list)
{
	const char *policy[POLICIES_MAX];
	const unsigned count = split(list, policy);
	struct sim_result *result = calloc(count + 1u, sizeof(*result));
	int code = CLI_OK;

	if (count == 0 || result == NULL) {
		free(result);
		return cli_bad("--policies: a list of 1..%u names with commas between",
			       POLICIES_MAX);
	}
	for (unsigned i = 0; i < count && code == CLI_OK; i++) {
		code = run_policy(r, policy[i], NULL, NULL, &result[i]) ? CLI_OK : CLI_BAD;
	}
	if (code == CLI_OK && r->json) {
		cli_print_json(r->scenario->name, r->seed, result, count);
	} else if (code == CLI_OK) {
		printf("%s, %llu s, seed %llu\n", r->scenario->name,
		       (unsigned long long)r->scenario->end_ms / 1000u,
		       (unsigned long long)r->seed);
		cli_print_table(result, count, r->vms);
	}
	free(result);
	return code;
}

int cmd_compare(int argc, char **argv)
{
	struct request r = {0};
	int code = read_request(argc, argv, compare_options, compare_usage, &r);
	char *list = NULL;

	if (code == -1 && r.policies == NULL) {
		code = cli_bad("--policies is missing");
	} else if (code == -1) {
		list = strdup(r.policies);
		code = list == NULL ? cli_bad("no memory") : compare(&r, list);
	}
	if (r.scenario != NULL) {
		sim_scenario_free(r.scenario);
	}
	free(list);
	return code;
}
