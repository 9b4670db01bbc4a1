/* SPDX-License-Identifier: MIT */
/* poise-sim predict: demand against forecast. */
#include <getopt.h>
#include <jansson.h>
#include <string.h>

#include "cli.h"
#include "predict.h"

static const char usage[] =
	"usage: poise-sim predict --alpha A [--basis paper|resident] [--total PAGES] [--json] "
	"TRACE.csv\n"
	"Demand (equation 1), forecast (2) and reclaimable memory (3) of a recorded trace, once a\n"
	"second, in pages of 4 KiB; then how far the forecast was off.\n\n"
	"  --alpha A       weight of the newest demand, above 0 to 1\n"
	"  --basis B       paper: active pages count as in use; resident: all anonymous ones\n"
	"                  (paper)\n"
	"  --total PAGES   size of the VM; default: the trace's limit, else the most that it was\n"
	"                  charged, else the most that its lists hold\n"
	"  --json          for machines\n";

static void print_json(const struct sim_predict *p, double alpha)
{
	json_t *rows = json_array();
	json_t *all;

	for (uint32_t i = 0; i < p->rows; i++) {
		json_array_append_new(rows, json_pack("{s:i, s:f, s:f, s:f}", "t_ms",
						      (int)p->row[i].t_ms, "dm", p->row[i].dm,
						      "delta", p->row[i].delta, "r", p->row[i].r));
	}
	all = json_pack("{s:f, s:o, s:{s:f, s:f, s:f}}", "alpha", alpha, "rows", rows, "error",
			"mean_abs", p->mean_abs, "over", p->over, "under", p->under);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static void print_table(const struct sim_predict *p)
{
	printf("%10s %12s %12s %12s\n", "t_ms", "dm", "delta", "r");
	for (uint32_t i = 0; i < p->rows; i++) {
		printf("%10u %12.1f %12.1f %12.1f\n", p->row[i].t_ms, p->row[i].dm, p->row[i].delta,
		       p->row[i].r);
	}
	printf("error, pages: mean absolute %.1f, over %.1f, under %.1f\n", p->mean_abs, p->over,
	       p->under);
}

int cmd_predict(int argc, char **argv)
{
	enum { ALPHA = 1, BASIS, TOTAL, JSON };
	static const struct option options[] = {
		{"alpha", required_argument, NULL, ALPHA},
		{"basis", required_argument, NULL, BASIS},
		{"total", required_argument, NULL, TOTAL},
		{"json", no_argument, NULL, JSON},
		CLI_COMMON,
		{0},
	};
	char error[SIM_TRACE_ERROR_MAX];
	struct sim_trace trace;
	struct sim_predict predict;
	const char *reason;
	double alpha = 0.0;
	uint64_t total = 0;
	bool resident = false;
	bool json = false;
	uint32_t row;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case ALPHA:
			if (!cli_number("--alpha", optarg, 1e-6, 1.0, &alpha)) {
				return CLI_BAD;
			}
			break;
		case BASIS:
			resident = strcmp(optarg, "resident") == 0;
			if (!resident && strcmp(optarg, "paper") != 0) {
				return cli_bad("--basis: '%s' is neither paper nor resident",
					       optarg);
			}
			break;
		case TOTAL:
			if (!cli_whole("--total", optarg, 1, 999999999u, &total)) {
				return CLI_BAD;
			}
			break;
		case JSON:
			json = true;
			break;
		default:
			return cli_common(option, usage);
		}
	}
	if (alpha == 0.0) {
		return cli_bad("predict needs --alpha");
	}
	if (argc - optind != 1) {
		return cli_bad("predict needs one trace");
	}
	if (!sim_trace_read(&trace, argv[optind], error)) {
		return cli_bad("%s", error);
	}
	total = total != 0 ? total : sim_predict_total(&trace);
	reason = sim_predict_run(&predict, &trace, alpha, resident, (uint32_t)total, &row);
	sim_trace_free(&trace);
	if (reason != NULL) {
		sim_predict_free(&predict);
		return cli_bad("%s: row %u: %s (%llu)", argv[optind], row, reason,
			       (unsigned long long)total);
	}
	if (json) {
		print_json(&predict, alpha);
	} else {
		print_table(&predict);
	}
	sim_predict_free(&predict);
	return CLI_OK;
}
