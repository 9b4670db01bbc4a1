/* SPDX-License-Identifier: MIT */
/* poise-sim lru: page lists through shared frames. */
#include <getopt.h>
#include <string.h>

#include "cli.h"
#include "lru.h"

static const char usage[] =
	"usage: poise-sim lru --frames N --strategy static|recent:K|total [--min M] FILE\n"
	"       poise-sim lru --frames N --sweep FILE\n"
	"VMs that share N frames, each with an LRU list of its own; FILE: how many VMs, then for\n"
	"each the number of its accesses and their pages, as numbers with spaces between.\n\n"
	"  --frames N      frames in all\n"
	"  --strategy S    static: nobody's frames move; recent:K: every K accesses one frame "
	"goes\n"
	"                  from who missed least to who missed most; total: shares above the\n"
	"                  minimum by all misses so far\n"
	"  --min M         frames that each VM keeps under total (2)\n"
	"  --sweep         misses of each VM under recent:K, for every K\n";

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

static int run_one(const struct sim_pages *pages, const struct sim_lru_config *config,
		   const char *path)
{
	struct sim_lru lru;
	const char *reason = sim_lru_run(&lru, pages, config);
	uint64_t misses = 0;
	uint64_t count = 0;
	char whose[32];

	if (reason != NULL) {
		sim_lru_free(&lru);
		return cli_bad("%s: %s", path, reason);
	}
	for (uint32_t i = 0; i < lru.vms; i++) {
		printf("Page miss sequence of VM-%u: ", i);
		for (uint32_t j = 0; j < lru.vm[i].count; j++) {
			fputs(lru.vm[i].missed[j] != 0 ? "1 " : "0 ", stdout);
		}
		putchar('\n');
	}
	for (uint32_t i = 0; i < lru.vms; i++) {
		snprintf(whose, sizeof(whose), "VM-%u", i);
		print_ratio(whose, lru.vm[i].misses, lru.vm[i].count);
		misses += lru.vm[i].misses;
		count += lru.vm[i].count;
	}
	print_ratio("all VMs", misses, count);
	sim_lru_free(&lru);
	return CLI_OK;
}

static int sweep(const struct sim_pages *pages, struct sim_lru_config config, const char *path)
{
	uint32_t longest = 0;

	printf("frequency");
	for (uint32_t i = 0; i < pages->vms; i++) {
		printf(" VM%u", i);
		longest = pages->vm[i].count > longest ? pages->vm[i].count : longest;
	}
	puts(" total");
	config.strategy = SIM_LRU_RECENT;
	for (config.every = 1; config.every <= longest; config.every++) {
		struct sim_lru lru;
		const char *reason = sim_lru_run(&lru, pages, &config);
		uint64_t sum = 0;

		if (reason != NULL) {
			sim_lru_free(&lru);
			return cli_bad("%s: %s", path, reason);
		}
		printf("%u", config.every);
		for (uint32_t i = 0; i < lru.vms; i++) {
			printf(" %u", lru.vm[i].misses);
			sum += lru.vm[i].misses;
		}
		printf(" %llu\n", (unsigned long long)sum);
		sim_lru_free(&lru);
	}
	return CLI_OK;
}

int cmd_lru(int argc, char **argv)
{
	enum { FRAMES = 1, STRATEGY, MIN, SWEEP };
	static const struct option options[] = {
		{"frames", required_argument, NULL, FRAMES},
		{"strategy", required_argument, NULL, STRATEGY},
		{"min", required_argument, NULL, MIN},
		{"sweep", no_argument, NULL, SWEEP},
		CLI_COMMON,
		{0},
	};
	struct sim_lru_config config = {.minimum = 2};
	struct sim_pages pages;
	char error[SIM_PAGES_ERROR_MAX];
	bool strategy = false;
	bool sweeps = false;
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
	code = sweeps ? sweep(&pages, config, argv[optind])
		      : run_one(&pages, &config, argv[optind]);
	sim_pages_free(&pages);
	return code;
}
