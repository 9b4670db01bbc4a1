/* SPDX-License-Identifier: MIT */
/* poise-sim lru: page lists through shared frames. */
#include <getopt.h>
#include <jansson.h>
#include <string.h>

#include "cli.h"
#include "lru.h"

/* A sweep takes this squared. */
#define SWEEP_MAX 20000u

static const char usage[] =
	"usage: poise-sim lru --frames N --strategy static|recent:K|total [--min M] [--json] FILE\n"
	"       poise-sim lru --frames N --sweep [--json] FILE\n"
	"VMs that share N frames, each with an LRU list of its own; FILE: how many VMs, then for\n"
	"each the number of its accesses and their pages, as numbers with spaces between.\n\n"
	"  --frames N      frames in all\n"
	"  --strategy S    static: nobody's frames move; recent:K: every K accesses one frame "
	"goes\n"
	"                  from who missed least to who missed most; total: shares above the\n"
	"                  minimum by all misses so far\n"
	"  --min M         frames that each VM keeps under total (2)\n"
	"  --sweep         misses of each VM under recent:K, for every K\n"
	"  --json          for machines\n";

static json_t *ratio_json(uint64_t misses, uint64_t count)
{
	return json_pack("{s:I, s:I, s:f}", "missed", (json_int_t)misses, "accesses",
			 (json_int_t)count, "ratio",
			 count == 0 ? 0.0 : (double)misses / (double)count);
}

static bool read_strategy(const char *text, struct sim_lru_config *config)
{
	uint64_t every;

	if (strcmp(text, "static") == 0) {
		config->strategy = SIM_LRU_STATIC;
	} else if (strcmp(text, "total") == 0) {
		config->strategy = SIM_LRU_TOTAL;
	} else if (strncmp(text, "recent:", 7) == 0) {
		config->strategy = SIM_LRU_RECENT;
		if (!cli_whole("--strategy recent", text + 7, 1, UINT32_MAX, &every)) {
			return false;
		}
		config->every = (uint32_t)every;
	} else {
		cli_bad("--strategy: '%s' is none of static, recent:K, total", text);
		return false;
	}
	return true;
}

static void print_ratio(const char *whose, uint64_t misses, uint64_t count)
{
	printf("Page miss ratio of %s: %llu of %llu = %.3f\n", whose, (unsigned long long)misses,
	       (unsigned long long)count, count == 0 ? 0.0 : (double)misses / (double)count);
}

static void print_lru(const struct sim_lru *lru)
{
	uint64_t misses = 0;
	uint64_t count = 0;
	char whose[32];

	for (uint32_t i = 0; i < lru->vms; i++) {
		printf("Page miss sequence of VM-%u: ", i);
		for (uint32_t j = 0; j < lru->vm[i].count; j++) {
			fputs(lru->vm[i].missed[j] != 0 ? "1 " : "0 ", stdout);
		}
		putchar('\n');
	}
	for (uint32_t i = 0; i < lru->vms; i++) {
		snprintf(whose, sizeof(whose), "VM-%u", i);
		print_ratio(whose, lru->vm[i].misses, lru->vm[i].count);
		misses += lru->vm[i].misses;
		count += lru->vm[i].count;
	}
	print_ratio("all VMs", misses, count);
}

static int put_lru_json(const struct sim_lru *lru, uint32_t frames)
{
	json_t *vms = json_array();
	uint64_t misses = 0;
	uint64_t count = 0;

	for (uint32_t i = 0; i < lru->vms; i++) {
		const struct sim_lru_vm *vm = &lru->vm[i];
		json_t *one = ratio_json(vm->misses, vm->count);
		json_t *sequence = json_array();

		for (uint32_t j = 0; j < vm->count; j++) {
			json_array_append_new(sequence, json_integer(vm->missed[j]));
		}
		json_object_set_new(one, "frames", json_integer(vm->frames));
		json_object_set_new(one, "sequence", sequence);
		json_array_append_new(vms, one);
		misses += vm->misses;
		count += vm->count;
	}
	return cli_put_json(json_pack("{s:i, s:o, s:o}", "frames", (int)frames, "vms", vms, "all",
				      ratio_json(misses, count)));
}

static int run_one(const struct sim_pages *pages, const struct sim_lru_config *config,
		   const char *path, bool json)
{
	struct sim_lru lru;
	const char *reason = sim_lru_run(&lru, pages, config);
	int code = CLI_OK;

	if (reason != NULL) {
		code = cli_bad("%s: %s", path, reason);
	} else if (json) {
		code = put_lru_json(&lru, config->frames);
	} else {
		print_lru(&lru);
	}
	sim_lru_free(&lru);
	return code;
}

static void print_sweep_line(const struct sim_lru *lru, uint32_t every)
{
	uint64_t sum = 0;

	printf("%u", every);
	for (uint32_t i = 0; i < lru->vms; i++) {
		printf(" %u", lru->vm[i].misses);
		sum += lru->vm[i].misses;
	}
	printf(" %llu\n", (unsigned long long)sum);
}

static json_t *sweep_line_json(const struct sim_lru *lru, uint32_t every)
{
	json_t *misses = json_array();
	json_int_t sum = 0;

	for (uint32_t i = 0; i < lru->vms; i++) {
		json_array_append_new(misses, json_integer(lru->vm[i].misses));
		sum += lru->vm[i].misses;
	}
	return json_pack("{s:i, s:o, s:I}", "every", (int)every, "misses", misses, "total", sum);
}

static uint32_t longest_list(const struct sim_pages *pages)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < pages->vms; i++) {
		longest = pages->vm[i].count > longest ? pages->vm[i].count : longest;
	}
	return longest;
}

static int sweep(const struct sim_pages *pages, struct sim_lru_config config, const char *path,
		 bool json)
{
	const uint32_t longest = longest_list(pages);
	json_t *lines = json_array();
	const char *reason = NULL;

	if (longest > SWEEP_MAX) {
		reason = "a list is too long for a sweep";
	}
	config.strategy = SIM_LRU_RECENT;
	for (config.every = 1; config.every <= longest && reason == NULL; config.every++) {
		struct sim_lru lru;

		reason = sim_lru_run(&lru, pages, &config);
		if (reason == NULL && json) {
			json_array_append_new(lines, sweep_line_json(&lru, config.every));
		} else if (reason == NULL) {
			if (config.every == 1) {
				printf("frequency");
				for (uint32_t i = 0; i < pages->vms; i++) {
					printf(" VM%u", i);
				}
				puts(" total");
			}
			print_sweep_line(&lru, config.every);
		}
		sim_lru_free(&lru);
	}
	if (reason != NULL || !json) {
		json_decref(lines);
		return reason == NULL ? CLI_OK : cli_bad("%s: %s", path, reason);
	}
	return cli_put_json(json_pack("{s:i, s:o}", "frames", (int)config.frames, "sweep", lines));
}

int cmd_lru(int argc, char **argv)
{
	enum { FRAMES = 1, STRATEGY, MIN, SWEEP, JSON };
	static const struct option options[] = {
		{"frames", required_argument, NULL, FRAMES},
		{"strategy", required_argument, NULL, STRATEGY},
		{"min", required_argument, NULL, MIN},
		{"sweep", no_argument, NULL, SWEEP},
		{"json", no_argument, NULL, JSON},
		CLI_COMMON,
		{0},
	};
	struct sim_lru_config config = {.minimum = 2};
	struct sim_pages pages;
	char error[SIM_PAGES_ERROR_MAX];
	bool strategy = false;
	bool sweeps = false;
	bool json = false;
	uint64_t value;
	int code;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case FRAMES:
			if (!cli_whole("--frames", optarg, 1, SIM_LRU_FRAMES_MAX, &value)) {
				return CLI_BAD;
			}
			config.frames = (uint32_t)value;
			break;
		case STRATEGY:
			if (!read_strategy(optarg, &config)) {
				return CLI_BAD;
			}
			strategy = true;
			break;
		case MIN:
			if (!cli_whole("--min", optarg, 1, SIM_LRU_FRAMES_MAX, &value)) {
				return CLI_BAD;
			}
			config.minimum = (uint32_t)value;
			break;
		case SWEEP:
			sweeps = true;
			break;
		case JSON:
			json = true;
			break;
		default:
			return cli_common(option, usage);
		}
	}
	if (config.frames == 0 || strategy == sweeps) {
		return cli_bad("lru needs --frames and either --strategy or --sweep");
	}
	if (argc - optind != 1) {
		return cli_bad("lru needs one file");
	}
	if (!sim_pages_read(&pages, argv[optind], error)) {
		return cli_bad("%s", error);
	}
	code = sweeps ? sweep(&pages, config, argv[optind], json)
		      : run_one(&pages, &config, argv[optind], json);
	sim_pages_free(&pages);
	return code;
}
