/* SPDX-License-Identifier: MIT */
/* poise-sim estimate: dirty and accessed pages against the true working set, and what they cost. */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "estimate.h"

#define SAMPLES_MAX 16u

static const char usage[] =
	"usage: poise-sim estimate --scenario F [--period S] [--samples N,N,...] [--seed N] "
	"[--json]\n"
	"The working sets of the scenario's VMs, with static sizes: estimated from dirty and from\n"
	"access flags of random frames, against what their work has touched in truth; and what\n"
	"that costs.\n\n"
	"  --scenario F    the scenario file\n"
	"  --period S      the interval of which the working set is wanted, 1..60 s (10)\n"
	"  --samples N,N   frames of each VM that are looked at in an interval, or all\n"
	"                  (100,200,500,1000,2000,5000,all)\n"
	"  --seed N        of all that is random (the scenario's)\n"
	"  --json          for machines\n";

static const struct {
	const char *name;
	uint32_t flag;
} estimators[] = {{"dirty", SIM_DIRTY}, {"accessed", SIM_ACCESSED}};
#define ESTIMATORS (sizeof(estimators) / sizeof(estimators[0]))

struct samples {
	uint32_t count;
	uint32_t frames[SAMPLES_MAX]; /* 0: all */
};

/* One estimator with one sample size: its figures for each VM. */
struct row {
	const char *estimator;
	uint32_t frames;
	struct sim_estimate vm[SIM_VM_MAX];
};

static bool read_samples(const char *text, struct samples *samples)
{
	char *copy = strdup(text);
	char *rest = copy;
	bool ok = copy != NULL;

	samples->count = 0;
	for (char *word = strsep(&rest, ","); ok && word != NULL; word = strsep(&rest, ",")) {
		uint64_t frames = 0;

		if (samples->count == SAMPLES_MAX) {
			cli_bad("--samples: more than %u numbers", SAMPLES_MAX);
			ok = false;
		} else if (strcmp(word, "all") != 0) {
			ok = cli_whole("--samples", word, 1, 10000000, &frames);
		}
		if (ok) {
			samples->frames[samples->count++] = (uint32_t)frames;
		}
	}
	free(copy);
	return ok;
}

static void name_sample(uint32_t frames, char name[16])
{
	if (frames == 0) {
		strcpy(name, "all");
	} else {
		snprintf(name, 16, "%u", frames);
	}
}

static double error_percent(const struct sim_estimate *e)
{
	return e->truth > 0.0 ? (e->over + e->under) / e->truth * 100.0 : 0.0;
}

static int print_json(const struct cli_study *study, uint32_t period_ms, const struct row *row,
		      uint32_t rows)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < study->scenario->vm_count; i++) {
		for (uint32_t k = 0; k < rows; k++) {
			const struct sim_estimate *e = &row[k].vm[i];
			char sample[16];

			name_sample(row[k].frames, sample);
			json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
					  "vm", study->scenario->vm[i].name, "estimator",
					  row[k].estimator, "sample", sample, "intervals",
					  (int)e->intervals, "truth", e->truth, "estimate",
					  e->estimate, "over", e->over, "under", e->under,
					  "error_percent", error_percent(e), "probes", e->probes,
					  "hits", e->hits));
		}
	}
	return cli_put_json(json_pack("{s:s, s:I, s:I, s:i, s:o}", "scenario",
				      study->scenario->name, "seed", (json_int_t)study->seed,
				      "period_ms", (json_int_t)period_ms, "granule",
				      (int)study->scenario->granule, "rows", list));
}

static void print_table(const struct cli_study *study, const struct row *row, uint32_t rows)
{
	printf("%-12s %-9s %7s %9s %9s %9s %9s %8s %9s %9s\n", "vm, MiB", "from", "sample", "truth",
	       "estimate", "over", "under", "error %", "probes", "hits");
	for (uint32_t i = 0; i < study->scenario->vm_count; i++) {
		for (uint32_t k = 0; k < rows; k++) {
			const struct sim_estimate *e = &row[k].vm[i];
			char sample[16];

			name_sample(row[k].frames, sample);
			printf("%-12.12s %-9s %7s %9.1f %9.1f %9.1f %9.1f %8.1f %9.0f %9.0f\n",
			       study->scenario->vm[i].name, row[k].estimator, sample,
			       e->truth / 256.0, e->estimate / 256.0, e->over / 256.0,
			       e->under / 256.0, error_percent(e), e->probes, e->hits);
		}
	}
}

static int estimate(const struct cli_study *study, uint32_t period_ms,
		    const struct samples *samples)
{
	struct row *row = calloc(ESTIMATORS * SAMPLES_MAX, sizeof(*row));
	const uint32_t all = (uint32_t)ESTIMATORS * samples->count;
	struct cli_progress progress;
	char error[SIM_ERROR_MAX];
	uint32_t rows = 0;
	int code = row != NULL ? CLI_OK : cli_bad("no memory");

	cli_progress_start(&progress, "estimate: runs");
	for (; code == CLI_OK && rows < all; rows++) {
		const struct sim_estimator e = {
			.flag = estimators[rows / samples->count].flag,
			.sample = samples->frames[rows % samples->count],
			.period_ms = period_ms,
		};

		cli_progress_show(&progress, rows * 1000u, all * 1000u);
		row[rows].estimator = estimators[rows / samples->count].name;
		row[rows].frames = e.sample;
		if (!sim_estimate_run(study->scenario, &e, study->seed, row[rows].vm, error)) {
			code = CLI_BAD;
		}
	}
	cli_progress_stop(&progress);
	if (code == CLI_OK && study->json) {
		code = print_json(study, period_ms, row, rows);
	} else if (code == CLI_OK) {
		print_table(study, row, rows);
	} else if (row != NULL) {
		cli_bad("%s", error);
	}
	free(row);
	return code;
}

int cmd_estimate(int argc, char **argv)
{
	enum { PERIOD = 1, SAMPLES };
	static const struct option options[] = {{"period", required_argument, NULL, PERIOD},
						{"samples", required_argument, NULL, SAMPLES},
						CLI_STUDY};
	struct samples samples = {7, {100, 200, 500, 1000, 2000, 5000, 0}};
	struct cli_study study = {0};
	uint64_t period_s = 10;
	int code = -1;
	int option;

	while (code == -1 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == PERIOD) {
			code = cli_whole("--period", optarg, 1, 60, &period_s) ? -1 : CLI_BAD;
		} else if (option == SAMPLES) {
			code = read_samples(optarg, &samples) ? -1 : CLI_BAD;
		} else {
			code = cli_study_option(option, usage, &study);
		}
	}
	code = code == -1 ? cli_study_read(argc, argv, &study) : code;
	code = code == -1 ? estimate(&study, (uint32_t)period_s * 1000u, &samples) : code;
	sim_scenario_free(study.scenario);
	return code;
}
