/* SPDX-License-Identifier: MIT */
/*
 * poise-sim workloads: what balancing does for one VM, workload by workload; figure 6 and table 3
 * of Kim et al. (2014).
 */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"

static const char usage[] =
	"usage: poise-sim workloads --scenario F [--policy P] [--seed N] [--json]\n"
	"Each of the scenario's workloads in the first VM, the other VMs as they are: with static\n"
	"sizes, in the best case (all memory for everybody) and balanced.\n\n"
	"  --scenario F    the scenario file; it needs a list `workloads`\n"
	"  --policy P      who balances (poise)\n"
	"  --seed N        of all that is random (the scenario's)\n"
	"  --json          for machines\n";

enum { STATIC, BEST, BALANCED, CASES };
static const char *const case_names[CASES] = {"static", "best", "balanced"};

/* The first VM's figures, and what the others swapped out. */
struct outcome {
	struct sim_vm_result vm;
	uint64_t others_swap_out;
};

struct line {
	const char *name;
	struct outcome outcome[CASES];
};

static bool run_workload(const struct cli_study *study, const char *policy, uint32_t i,
			 struct line *line)
{
	const char *const policies[CASES] = {"static", "best", policy};
	struct sim_scenario *s = malloc(sizeof(*s));
	struct sim_result *result = malloc(sizeof(*result));
	bool ok = s != NULL && result != NULL;

	if (!ok) {
		cli_bad("no memory");
	} else {
		/* A copy for the run only: the loads stay the study's. */
		*s = *study->scenario;
		s->vm[0].load = s->workload[i].load;
		line->name = study->scenario->workload[i].name;
	}
	for (uint32_t c = 0; ok && c < CASES; c++) {
		ok = cli_run(s, policies[c], study->seed, NULL, NULL, result);
		if (ok) {
			line->outcome[c].vm = result->vm[0];
			line->outcome[c].others_swap_out =
				result->swap_out - result->vm[0].swap_out;
		}
	}
	free(s);
	free(result);
	return ok;
}

/* Percent of the swapping that balancing has saved; false when there was none. */
static bool reduction(const struct line *l, double *percent)
{
	const double before = (double)l->outcome[STATIC].vm.swap_out;
	const double after = (double)l->outcome[BALANCED].vm.swap_out;

	*percent = before > 0.0 ? (1.0 - after / before) * 100.0 : 0.0;
	return before > 0.0;
}

static uint64_t refaults(const struct sim_vm_result *vm)
{
	return vm->refault_anon + vm->refault_file;
}

static json_t *line_json(const struct line *l)
{
	json_t *all = json_pack("{s:s}", "workload", l->name);
	double percent;

	for (uint32_t c = 0; c < CASES; c++) {
		const struct outcome *o = &l->outcome[c];

		json_object_set_new(all, case_names[c],
				    json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:I}", "swap_out",
					      (json_int_t)o->vm.swap_out, "swap_in",
					      (json_int_t)o->vm.swap_in, "refault",
					      (json_int_t)refaults(&o->vm), "stall_ms",
					      o->vm.stall_ms, "work", o->vm.work, "mean_pages",
					      o->vm.mean_pages, "others_swap_out",
					      (json_int_t)o->others_swap_out));
	}
	json_object_set_new(all, "reduction_percent",
			    reduction(l, &percent) ? json_real(percent) : json_null());
	return all;
}

static int print_json(const struct cli_study *study, const char *policy, const struct line *line)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < study->scenario->workload_count; i++) {
		json_array_append_new(list, line_json(&line[i]));
	}
	return cli_put_json(json_pack("{s:s, s:I, s:s, s:o}", "scenario", study->scenario->name,
				      "seed", (json_int_t)study->seed, "policy", policy,
				      "workloads", list));
}

static double mib(uint64_t pages)
{
	return (double)pages / 256.0;
}

static void print_three(const struct line *l, double (*figure)(const struct outcome *o))
{
	for (uint32_t c = 0; c < CASES; c++) {
		printf(" %8.1f", figure(&l->outcome[c]));
	}
}

static double swap_out_mib(const struct outcome *o)
{
	return mib(o->vm.swap_out);
}

static double refault_mib(const struct outcome *o)
{
	return mib(refaults(&o->vm));
}

static double stall_s(const struct outcome *o)
{
	return o->vm.stall_ms / 1000.0;
}

static double work_percent(const struct outcome *o)
{
	return o->vm.work * 100.0;
}

static void print_table(const struct cli_study *study, const char *policy, const struct line *line)
{
	const char *const vm = study->scenario->vm[0].name;

	printf("%s, %llu s, seed %llu, policy %s; workloads in %s\n", study->scenario->name,
	       (unsigned long long)study->scenario->end_ms / 1000u, (unsigned long long)study->seed,
	       policy, vm);
	printf("%-10s %26s %7s %26s %26s %26s %17s\n", "MiB", "swap-out", "less %", "refault",
	       "stall s", "work %", "others' swap-out");
	printf("%-10s %8s %8s %8s %7s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "static",
	       "best", "balanced", "", "static", "best", "balanced", "static", "best", "balanced",
	       "static", "best", "balanced", "static", "balanced");
	for (uint32_t i = 0; i < study->scenario->workload_count; i++) {
		const struct line *l = &line[i];
		double percent;

		printf("%-10s", l->name);
		print_three(l, swap_out_mib);
		if (reduction(l, &percent)) {
			printf(" %7.2f", percent);
		} else {
			printf(" %7s", "-");
		}
		print_three(l, refault_mib);
		print_three(l, stall_s);
		print_three(l, work_percent);
		printf(" %8.1f %8.1f\n", mib(l->outcome[STATIC].others_swap_out),
		       mib(l->outcome[BALANCED].others_swap_out));
	}
}

static int study_workloads(const struct cli_study *study, const char *policy)
{
	const uint32_t count = study->scenario->workload_count;
	struct line *line = calloc(count + 1u, sizeof(*line));
	int code = CLI_OK;

	if (count == 0 || line == NULL) {
		free(line);
		return cli_bad("%s: it has no list of workloads", study->path);
	}
	for (uint32_t i = 0; i < count && code == CLI_OK; i++) {
		code = run_workload(study, policy, i, &line[i]) ? CLI_OK : CLI_BAD;
	}
	if (code == CLI_OK && study->json) {
		code = print_json(study, policy, line);
	} else if (code == CLI_OK) {
		print_table(study, policy, line);
	}
	free(line);
	return code;
}

int cmd_workloads(int argc, char **argv)
{
	enum { POLICY = 1 };
	static const struct option options[] = {{"policy", required_argument, NULL, POLICY},
						CLI_STUDY};
	struct cli_study study = {0};
	const char *policy = "poise";
	int code = -1;
	int option;

	while (code == -1 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == POLICY) {
			policy = optarg;
		} else {
			code = cli_study_option(option, usage, &study);
		}
	}
	code = code == -1 ? cli_study_read(argc, argv, &study) : code;
	code = code == -1 ? study_workloads(&study, policy) : code;
	sim_scenario_free(study.scenario);
	return code;
}
