/* SPDX-License-Identifier: MIT */
/* poise-sim validate: the guest model against the recorded workloads, as a table. */
#include <dirent.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "validate.h"

static const char usage[] =
	"usage: poise-sim validate [--json] [--touch N] [--touch-file N] [--touch-new X] [--hot X] "
	"[--cold X] "
	"FOLDER\n"
	"For each workload in FOLDER that was recorded without a limit (p_NAME_u.csv) and with "
	"one\n"
	"(p_NAME_MIB.csv): what was measured under the limit, and what the guest model makes of "
	"the\n"
	"demand under the same limit, in MiB. The options vary the model's parameters.\n";

#define PATH_SIZE 1200
#define PAIRS_MAX 256u

/* The recordings that the model's parameters were fitted on; all others check them. */
static const char *const fitted[] = {"p_web_512.csv", "p_game_512.csv", "p_num_384.csv"};

struct pair {
	char limited[256];
	bool is_fitted;
	struct sim_validation v;
};

/* Is this a recording under a limit, "p_NAME_MIB.csv"? */
static int is_limited(const struct dirent *entry)
{
	const char *under = strrchr(entry->d_name, '_');

	return strncmp(entry->d_name, "p_", 2) == 0 && under != NULL && under[1] >= '0' &&
	       under[1] <= '9' && strcmp(under + strcspn(under, "."), ".csv") == 0 &&
	       strlen(entry->d_name) < sizeof(((struct pair *)NULL)->limited) - 2u;
}

static bool validate_pair(const char *folder, const struct sim_fit *fit, struct pair *p)
{
	char demand_path[PATH_SIZE];
	char limited_path[PATH_SIZE];
	char error[SIM_ERROR_MAX];
	struct sim_trace demand = {0};
	struct sim_trace limited = {0};
	const int stem = (int)(strrchr(p->limited, '_') - p->limited);
	bool ok;

	snprintf(demand_path, sizeof(demand_path), "%s/%.*s_u.csv", folder, stem, p->limited);
	snprintf(limited_path, sizeof(limited_path), "%s/%s", folder, p->limited);
	ok = sim_trace_read(&demand, demand_path, error) &&
	     sim_trace_read(&limited, limited_path, error);
	if (ok && limited.limit_pages == 0) {
		snprintf(error, sizeof(error), "%.255s: no limit_pages", p->limited);
		ok = false;
	}
	ok = ok && sim_validate(&demand, &limited, fit, &p->v, error);
	sim_trace_free(&demand);
	sim_trace_free(&limited);
	if (!ok) {
		cli_bad("%s", error);
	}
	for (size_t i = 0; i < sizeof(fitted) / sizeof(fitted[0]); i++) {
		p->is_fitted = p->is_fitted || strcmp(p->limited, fitted[i]) == 0;
	}
	return ok;
}

static json_t *totals_json(const struct sim_totals *t)
{
	return json_pack("{s:I, s:I, s:I}", "swap_out", (json_int_t)t->swap_out, "swap_in",
			 (json_int_t)t->swap_in, "refault_file", (json_int_t)t->refault_file);
}

static void print_json(const struct pair *pair, unsigned count)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < count; i++) {
		json_array_append_new(all, json_pack("{s:s, s:b, s:o, s:o, s:f}", "trace",
						     pair[i].limited, "fitted", pair[i].is_fitted,
						     "measured", totals_json(&pair[i].v.measured),
						     "simulated", totals_json(&pair[i].v.simulated),
						     "work", pair[i].v.work));
	}
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static void print_table(const struct pair *pair, unsigned count)
{
	printf("%-20s %-5s %19s %19s %19s %7s\n%-26s %9s %9s %9s %9s %9s %9s\n", "MiB", "used",
	       "swap-out", "swap-in", "file refault", "work %", "", "measured", "model", "measured",
	       "model", "measured", "model");
	for (unsigned i = 0; i < count; i++) {
		const struct sim_totals *m = &pair[i].v.measured;
		const struct sim_totals *s = &pair[i].v.simulated;

		printf("%-20s %-5s %9.1f %9.1f %9.1f %9.1f %9.1f %9.1f %7.1f\n", pair[i].limited,
		       pair[i].is_fitted ? "fit" : "check", (double)m->swap_out / 256.0,
		       (double)s->swap_out / 256.0, (double)m->swap_in / 256.0,
		       (double)s->swap_in / 256.0, (double)m->refault_file / 256.0,
		       (double)s->refault_file / 256.0, pair[i].v.work * 100.0);
	}
}

static int validate_all(const char *folder, const struct sim_fit *fit, bool json)
{
	struct dirent **entry;
	const int found = scandir(folder, &entry, is_limited, alphasort);
	struct pair *pair = calloc(PAIRS_MAX, sizeof(*pair));
	struct cli_progress progress;
	unsigned count = 0;
	bool ok = found > 0 && found <= (int)PAIRS_MAX && pair != NULL;

	if (!ok) {
		cli_bad("%s: no folder with recordings p_NAME_MIB.csv", folder);
	}
	cli_progress_start(&progress, "validate");
	for (int i = 0; i < found; i++) {
		if (ok) {
			strcpy(pair[count].limited, entry[i]->d_name);
			ok = validate_pair(folder, fit, &pair[count++]);
			cli_progress_show(&progress, (uint64_t)i * 1000u, (uint64_t)found * 1000u);
		}
		free(entry[i]);
	}
	cli_progress_stop(&progress);
	if (found >= 0) {
		free(entry);
	}
	if (ok && json) {
		print_json(pair, count);
	} else if (ok) {
		print_table(pair, count);
	}
	free(pair);
	return ok ? CLI_OK : CLI_BAD;
}

int cmd_validate(int argc, char **argv)
{
	enum { JSON = 1, TOUCH, TOUCH_FILE, TOUCH_NEW, HOT, COLD };
	static const struct option options[] = {
		{"json", no_argument, NULL, JSON},
		{"touch", required_argument, NULL, TOUCH},
		{"touch-file", required_argument, NULL, TOUCH_FILE},
		{"touch-new", required_argument, NULL, TOUCH_NEW},
		{"hot", required_argument, NULL, HOT},
		{"cold", required_argument, NULL, COLD},
		CLI_COMMON,
		{0},
	};
	struct sim_fit fit = {-1.0, -1.0, -1.0, -1.0, -1.0};
	bool json = false;
	bool ok = true;
	int option;

	while (ok && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case JSON:
			json = true;
			break;
		case TOUCH:
			ok = cli_number("--touch", optarg, 0, 1e7, &fit.touch);
			break;
		case TOUCH_FILE:
			ok = cli_number("--touch-file", optarg, 0, 1e7, &fit.touch_file);
			break;
		case TOUCH_NEW:
			ok = cli_number("--touch-new", optarg, 0, 1000, &fit.touch_new);
			break;
		case HOT:
			ok = cli_number("--hot", optarg, 0, 1, &fit.hot);
			break;
		case COLD:
			ok = cli_number("--cold", optarg, 0, 1, &fit.cold);
			break;
		default:
			return cli_common(option, usage);
		}
	}
	if (!ok) {
		return CLI_BAD;
	}
	if (argc - optind != 1) {
		return cli_bad("validate needs one folder");
	}
	return validate_all(argv[optind], &fit, json);
}
