/* SPDX-License-Identifier: MIT */
/* poise-sim sigma: the allowance that guests need for their caches, searched as in the paper. */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "sigma.h"

static const char usage[] =
	"usage: poise-sim sigma --scenario F [--loss K] [--from S] [--to S] [--step S]\n"
	"                       [--feedback X] [--seed N] [--json]\n"
	"Policy `counters` gives a VM W + sigma * total. How small may sigma be? Each VM of the\n"
	"scenario alone, with every sigma, against the same VM with all its memory; and from\n"
	"which sigma on it loses no more than K percent of its work.\n\n"
	"  --scenario F    the scenario file\n"
	"  --loss K        percent of the work (5)\n"
	"  --from, --to    of sigma, 0..1 (0, 0.5)\n"
	"  --step S        of sigma, above 0 (0.025)\n"
	"  --feedback X    pages more for a page that comes back from swap (0: none)\n"
	"  --seed N        of all that is random (the scenario's)\n"
	"  --json          for machines\n";

static json_t *vm_json(const struct sim_scenario *s, uint32_t i, const struct sim_sigma_vm *vm)
{
	json_t *rows = json_array();

	for (uint32_t k = 0; k < vm->points; k++) {
		const struct sim_sigma_point *p = &vm->point[k];

		json_array_append_new(
			rows,
			json_pack("{s:f, s:f, s:f, s:f, s:I, s:I, s:f}", "sigma", p->sigma, "work",
				  p->vm.work, "loss_percent", p->loss_percent, "mean_pages",
				  p->vm.mean_pages, "swap_out", (json_int_t)p->vm.swap_out,
				  "refault", (json_int_t)(p->vm.refault_anon + p->vm.refault_file),
				  "stall_ms", p->vm.stall_ms));
	}
	return json_pack("{s:s, s:f, s:o, s:o}", "vm", s->vm[i].name, "unmanaged_work",
			 vm->unmanaged.work, "threshold",
			 vm->found ? json_real(vm->threshold) : json_null(), "rows", rows);
}

static int print_json(const struct cli_study *study, const struct sim_sigma_sweep *sweep,
		      const struct sim_sigma_vm *vm)
{
	json_t *vms = json_array();

	for (uint32_t i = 0; i < study->scenario->vm_count; i++) {
		json_array_append_new(vms, vm_json(study->scenario, i, &vm[i]));
	}
	return cli_put_json(json_pack("{s:s, s:I, s:f, s:f, s:o}", "scenario",
				      study->scenario->name, "seed", (json_int_t)study->seed,
				      "loss_percent", sweep->loss_percent, "feedback",
				      sweep->feedback, "vms", vms));
}

static void print_table(const struct cli_study *study, const struct sim_sigma_sweep *sweep,
			const struct sim_sigma_vm *vm)
{
	printf("%-16s %7s %8s %8s %9s %9s %9s %9s\n", "vm", "sigma", "work %", "loss %", "mean MiB",
	       "swap-out", "refault", "stall s");
	for (uint32_t i = 0; i < study->scenario->vm_count; i++) {
		const char *const name = study->scenario->vm[i].name;

		for (uint32_t k = 0; k < vm[i].points; k++) {
			const struct sim_sigma_point *p = &vm[i].point[k];

			printf("%-16.16s %7.3f %8.2f %8.2f %9.1f %9.1f %9.1f %9.2f\n", name,
			       p->sigma, p->vm.work * 100.0, p->loss_percent,
			       p->vm.mean_pages / 256.0, (double)p->vm.swap_out / 256.0,
			       (double)(p->vm.refault_anon + p->vm.refault_file) / 256.0,
			       p->vm.stall_ms / 1000.0);
		}
	}
	for (uint32_t i = 0; i < study->scenario->vm_count; i++) {
		printf("%s: ", study->scenario->vm[i].name);
		if (vm[i].found) {
			printf("sigma %.3f or more loses no more than %g %%\n", vm[i].threshold,
			       sweep->loss_percent);
		} else {
			printf("every sigma up to %g loses more than %g %%\n", sweep->to,
			       sweep->loss_percent);
		}
	}
}

static int search(const struct cli_study *study, const struct sim_sigma_sweep *sweep)
{
	const uint32_t count = study->scenario->vm_count;
	struct sim_sigma_vm *vm = calloc(count, sizeof(*vm));
	struct cli_progress progress;
	char error[SIM_ERROR_MAX];
	bool ok = vm != NULL;
	int code = CLI_BAD;

	if (!ok) {
		return cli_bad("no memory");
	}
	cli_progress_start(&progress, "sigma: VMs");
	for (uint32_t i = 0; ok && i < count; i++) {
		cli_progress_show(&progress, i * 1000u, count * 1000u);
		ok = sim_sigma_run(&vm[i], study->scenario, i, sweep, study->seed, error);
	}
	cli_progress_stop(&progress);
	if (!ok) {
		cli_bad("%s", error);
	} else if (study->json) {
		code = print_json(study, sweep, vm);
	} else {
		print_table(study, sweep, vm);
		code = CLI_OK;
	}
	for (uint32_t i = 0; i < count; i++) {
		sim_sigma_free(&vm[i]);
	}
	free(vm);
	return code;
}

enum { LOSS = 1, FROM, TO, STEP, FEEDBACK };

/* Reads one option of the sweep. Returns -1 to go on, or an exit code. */
static int sweep_option(int option, struct sim_sigma_sweep *sweep, struct cli_study *study)
{
	bool ok;

	switch (option) {
	case LOSS:
		ok = cli_number("--loss", optarg, 0.0, 100.0, &sweep->loss_percent);
		break;
	case FROM:
		ok = cli_number("--from", optarg, 0.0, 1.0, &sweep->from);
		break;
	case TO:
		ok = cli_number("--to", optarg, 0.0, 1.0, &sweep->to);
		break;
	case STEP:
		ok = cli_number("--step", optarg, 0.001, 1.0, &sweep->step);
		break;
	case FEEDBACK:
		ok = cli_number("--feedback", optarg, 0.0, 100.0, &sweep->feedback);
		break;
	default:
		return cli_study_option(option, usage, study);
	}
	return ok ? -1 : CLI_BAD;
}

int cmd_sigma(int argc, char **argv)
{
	static const struct option options[] = {{"loss", required_argument, NULL, LOSS},
						{"from", required_argument, NULL, FROM},
						{"to", required_argument, NULL, TO},
						{"step", required_argument, NULL, STEP},
						{"feedback", required_argument, NULL, FEEDBACK},
						CLI_STUDY};
	struct sim_sigma_sweep sweep = {.to = 0.5, .step = 0.025, .loss_percent = 5.0};
	struct cli_study study = {0};
	int code = -1;
	int option;

	while (code == -1 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		code = sweep_option(option, &sweep, &study);
	}
	if (code == -1 && sweep.from > sweep.to) {
		code = cli_bad("--from is above --to");
	}
	code = code == -1 ? cli_study_read(argc, argv, &study) : code;
	code = code == -1 ? search(&study, &sweep) : code;
	sim_scenario_free(study.scenario);
	return code;
}
