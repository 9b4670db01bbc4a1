/* SPDX-License-Identifier: MIT */
/* What the commands of poise-sim share. */
#ifndef SIM_CLI_H
#define SIM_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "meter.h"
#include "scenario.h"
#include "summary.h"

struct json_t;

/* Exit codes: all is well, a run or a comparison failed, the input is bad. */
#define CLI_OK   0
#define CLI_FAIL 1
#define CLI_BAD  2

#define CLI_OPTION_HELP    1000
#define CLI_OPTION_VERSION 1001
#define CLI_COMMON                                               \
	{"help", no_argument, NULL, CLI_OPTION_HELP},            \
	{                                                        \
		"version", no_argument, NULL, CLI_OPTION_VERSION \
	}

/* Prints one line to stderr, "poise-sim: ...", and returns CLI_BAD. */
int cli_bad(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Handles what getopt_long returned and the command does not know itself. Returns an exit code. */
int cli_common(int option, const char *usage);

/* Reads an option's number in least..most. Returns false after a message. */
bool cli_number(const char *option, const char *text, double least, double most, double *value);
bool cli_whole(const char *option, const char *text, uint64_t least, uint64_t most,
	       uint64_t *value);

/* Opens a file to write into beside its name, and moves it there when all is written; so that a
 * failed run changes nothing. */
struct cli_file {
	FILE *out;
	char name[1024];
	char temporary[1040];
};
bool cli_create(struct cli_file *file, const char *name);
/* Returns false after a message. `keep`: it is complete. */
bool cli_close(struct cli_file *file, bool keep);

/* Progress of long runs: nothing unless stderr is a terminal and 2 s are over. */
struct cli_progress {
	const char *what;
	double start_s, last_s;
};
void cli_progress_start(struct cli_progress *p, const char *what);
void cli_progress_show(void *p, uint64_t now_ms, uint64_t end_ms);
void cli_progress_stop(struct cli_progress *p);

/* The same for a number of runs. */
void cli_progress_runs(void *p, uint64_t done, uint64_t all);

/* Prints the usage and all policies. Returns CLI_OK. */
int cli_policies_help(const char *usage);

/* Scenarios under policies. */
struct cli_set {
	struct sim_scenario **scenario;
	uint64_t *seed;
	unsigned scenarios, policies;
	const struct sim_result *result; /* [scenario * policies + policy] */
};
/* Options of the commands that study a scenario. */
struct cli_study {
	const char *path; /* of the scenario */
	struct sim_scenario *scenario;
	uint64_t seed;
	bool seeded, json;
};
enum { CLI_SCENARIO = 1100, CLI_SEED, CLI_JSON };
#define CLI_STUDY                                                  \
	{"scenario", required_argument, NULL, CLI_SCENARIO},       \
		{"seed", required_argument, NULL, CLI_SEED},       \
		{"json", no_argument, NULL, CLI_JSON}, CLI_COMMON, \
	{                                                          \
		0                                                  \
	}
/* Handles one of them, or what nobody knows. Returns -1 to go on, or an exit code. */
int cli_study_option(int option, const char *usage, struct cli_study *study);
/* After the last option: reads the scenario. Returns -1 to go on, or an exit code. */
int cli_study_read(int argc, char **argv, struct cli_study *study);

/* Runs a scenario under a policy with progress shown. `record`, `series`: see struct
 * sim_run_options. Returns false after a message. */
bool cli_run(const struct sim_scenario *scenario, const char *policy, uint64_t seed, FILE *record,
	     FILE *series, struct sim_result *result);

/* Prints JSON and gives it back. Returns an exit code. */
int cli_put_json(struct json_t *all);

/* Tables and JSON of results. */
void cli_print_table(const struct sim_result *result, unsigned count, bool vms);
void cli_print_json(const char *scenario, uint64_t seed, const struct sim_result *result,
		    unsigned count);
/* The set as a whole, in the order of `summary`; in JSON each scenario too. */
void cli_print_summary(const struct cli_set *set, const struct sim_summary *summary);
void cli_print_set_json(const struct cli_set *set, const struct sim_summary *summary);

/* The commands; argv[0] is the command's name. */
int cmd_run(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_lru(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_workloads(int argc, char **argv);
int cmd_sigma(int argc, char **argv);
int cmd_estimate(int argc, char **argv);
int cmd_series(int argc, char **argv);

#endif
