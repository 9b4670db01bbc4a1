/* SPDX-License-Identifier: MIT */
/* poise-sim compare: scenarios under several policies, side by side, and the set as a whole. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "cli.h"

static const char usage[] =
	"usage: poise-sim compare --scenario F... --policies P,Q,...|all [--seed N] [--json]\n"
	"                         [--each] [--vms] [--jobs N]\n"
	"Scenarios under several policies, with equal inputs. Several scenarios: what each policy "
	"makes\n"
	"of all of them, the least stall first.\n\n"
	"  --scenario F    a scenario file, or a folder: all *.cfg in it; as often as you like\n"
	"  --policies P,Q  NAME or NAME:KEY=NUMBER:..., with commas between; all: every one\n"
	"  --seed N        of all that is random (each scenario's own)\n"
	"  --json          for machines\n"
	"  --each          several scenarios: each one's figures too\n"
	"  --vms           each VM's figures too\n"
	"  --jobs N        processes (as many as there are processors)\n";

#define POLICIES_MAX  256u
#define SCENARIOS_MAX 256u
#define JOBS_MAX      256u

struct request {
	struct sim_scenario *scenario[SCENARIOS_MAX];
	uint64_t seed[SCENARIOS_MAX];
	unsigned scenarios;
	uint64_t seed_given, jobs;
	bool seeded, json, each, vms;
	const char *policy[POLICIES_MAX];
	unsigned policies;
};

static int add_scenario(struct request *r, const char *path)
{
	char error[SIM_ERROR_MAX];

	if (r->scenarios == SCENARIOS_MAX) {
		return cli_bad("--scenario: more than %u", SCENARIOS_MAX);
	}
	r->scenario[r->scenarios] = sim_scenario_read(path, error);
	if (r->scenario[r->scenarios] == NULL) {
		return cli_bad("%s", error);
	}
	r->seed[r->scenarios] = r->scenario[r->scenarios]->seed;
	r->scenarios++;
	return CLI_OK;
}

static int is_scenario(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".cfg") == 0;
}

static int add_folder(struct request *r, const char *folder)
{
	struct dirent **entry;
	const int found = scandir(folder, &entry, is_scenario, alphasort);
	int code = CLI_OK;

	if (found < 0) {
		return cli_bad("%s: %s", folder, strerror(errno));
	}
	for (int i = 0; i < found; i++) {
		char path[1200];

		if (code == CLI_OK) {
			snprintf(path, sizeof(path), "%.900s/%s", folder, entry[i]->d_name);
			code = add_scenario(r, path);
		}
		free(entry[i]);
	}
	free(entry);
	return found == 0 ? cli_bad("%s: no scenario *.cfg in it", folder) : code;
}

static int add(struct request *r, const char *path)
{
	struct stat s;

	return stat(path, &s) == 0 && S_ISDIR(s.st_mode) ? add_folder(r, path)
							 : add_scenario(r, path);
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

enum { SCENARIO = 1, POLICIES, SEED, JSON, EACH, VMS, JOBS };

static const struct option options[] = {
	{"scenario", required_argument, NULL, SCENARIO},
	{"policies", required_argument, NULL, POLICIES},
	{"seed", required_argument, NULL, SEED},
	{"json", no_argument, NULL, JSON},
	{"each", no_argument, NULL, EACH},
	{"vms", no_argument, NULL, VMS},
	{"jobs", required_argument, NULL, JOBS},
	CLI_COMMON,
	{0},
};

/* Reads the options. Returns -1 to go on, or an exit code. */
static int read_request(int argc, char **argv, struct request *r)
{
	int code = CLI_OK;
	int option;

	while (code == CLI_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case SCENARIO:
			code = add(r, optarg);
			break;
		case POLICIES:
			r->policies = split(optarg, r->policy);
			if (r->policies == 0) {
				code = cli_bad("--policies: a list of 1..%u names with commas "
					       "between",
					       POLICIES_MAX);
			}
			break;
		case SEED:
			r->seeded = true;
			code = cli_whole("--seed", optarg, 0, INT64_MAX, &r->seed_given) ? CLI_OK
											 : CLI_BAD;
			break;
		case JSON:
			r->json = true;
			break;
		case EACH:
			r->each = true;
			break;
		case VMS:
			r->vms = true;
			break;
		case JOBS:
			code = cli_whole("--jobs", optarg, 1, JOBS_MAX, &r->jobs) ? CLI_OK
										  : CLI_BAD;
			break;
		default:
			if (option == CLI_OPTION_HELP) {
				return cli_policies_help(usage);
			}
			return cli_common(option, usage);
		}
	}
	if (code != CLI_OK) {
		return code;
	}
	if (optind != argc) {
		return cli_bad("unexpected argument: %s", argv[optind]);
	}
	if (r->scenarios == 0) {
		return cli_bad("--scenario is missing");
	}
	return r->policies != 0 ? -1 : cli_bad("--policies is missing");
}

static void print_scenario(const struct request *r, unsigned i, const struct sim_result *result)
{
	printf("%s, %llu s, seed %llu\n", r->scenario[i]->name,
	       (unsigned long long)r->scenario[i]->end_ms / 1000u, (unsigned long long)r->seed[i]);
	cli_print_table(&result[i * r->policies], r->policies, r->vms);
}

static void print_set(struct request *r, const struct sim_result *result,
		      struct sim_summary *summary)
{
	const struct cli_set set = {
		.scenario = r->scenario,
		.seed = r->seed,
		.scenarios = r->scenarios,
		.policies = r->policies,
		.result = result,
	};

	sim_summary_make(result, r->scenarios, r->policies, summary);
	if (r->json) {
		cli_print_set_json(&set, summary);
		return;
	}
	for (unsigned i = 0; r->each && i < r->scenarios; i++) {
		print_scenario(r, i, result);
		putchar('\n');
	}
	cli_print_summary(&set, summary);
}

static int compare(struct request *r)
{
	const unsigned count = r->scenarios * r->policies;
	struct sim_batch_run *run = calloc(count, sizeof(*run));
	struct sim_result *result = calloc(count, sizeof(*result));
	struct sim_summary *summary = calloc(r->policies, sizeof(*summary));
	struct cli_progress progress;
	char error[SIM_ERROR_MAX];
	int code = CLI_OK;

	if (run == NULL || result == NULL || summary == NULL) {
		code = cli_bad("no memory");
	}
	for (unsigned i = 0; code == CLI_OK && i < count; i++) {
		r->seed[i / r->policies] =
			r->seeded ? r->seed_given : r->scenario[i / r->policies]->seed;
		run[i] = (struct sim_batch_run){
			.scenario = r->scenario[i / r->policies],
			.policy = r->policy[i % r->policies],
			.seed = r->seed[i / r->policies],
		};
	}
	cli_progress_start(&progress, "compare");
	if (code == CLI_OK && !sim_batch(run, count, (unsigned)r->jobs, result, cli_progress_runs,
					 &progress, error)) {
		code = cli_bad("%s", error);
	}
	cli_progress_stop(&progress);
	if (code == CLI_OK && r->scenarios > 1) {
		print_set(r, result, summary);
	} else if (code == CLI_OK && r->json) {
		cli_print_json(r->scenario[0]->name, r->seed[0], result, r->policies);
	} else if (code == CLI_OK) {
		print_scenario(r, 0, result);
	}
	free(run);
	free(result);
	free(summary);
	return code;
}

int cmd_compare(int argc, char **argv)
{
	static struct request r;
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int code;

	r.jobs = processors < 1                ? 1u
		 : processors > (long)JOBS_MAX ? JOBS_MAX
					       : (uint64_t)processors;
	code = read_request(argc, argv, &r);
	if (code == -1) {
		code = compare(&r);
	}
	for (unsigned i = 0; i < r.scenarios; i++) {
		sim_scenario_free(r.scenario[i]);
	}
	return code;
}
