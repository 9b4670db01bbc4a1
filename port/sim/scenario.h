/* SPDX-License-Identifier: MIT */
/*
 * Scenarios: the machine, its VMs, what runs in them and how they misbehave. Read from a file in
 * libconfig's format; README.md lists the settings. Sizes in files are MiB, here 4 KiB pages.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load.h"
#include "policy.h"

#define SIM_NAME_MAX  64
#define SIM_ERROR_MAX 512

/* What the balloon does with a new target. */
enum sim_balloon {
	SIM_BALLOON_IDEAL, /* moves at `rate` until it is there */
	SIM_BALLOON_STUCK, /* never moves, never answers */
	SIM_BALLOON_FLAKY, /* stands still for 0.25 s to 19 s at a time, moves for 1 s to 10 s */
	SIM_BALLOON_CRAWL, /* one page in 5 s */
};

/* What the guest's page says. */
enum sim_report {
	SIM_REPORT_HONEST,
	SIM_REPORT_OVER,  /* all free and inactive memory is active, and more is in swap; urgent */
	SIM_REPORT_UNDER, /* most of the memory in use is free */
	SIM_REPORT_STALE, /* nothing new from `report_from_ms` on */
};

struct sim_vm_config {
	char name[SIM_NAME_MAX];
	uint64_t min_pages, boot_pages, max_pages; /* reservation, start, limit */
	uint64_t swap_pages;
	uint64_t kernel_pages; /* not on any list: kernel, its tables */
	uint32_t weight;
	uint32_t swappiness;
	bool anon_active;    /* new anonymous pages start active: Linux before 5.9 */
	bool deflate_on_oom; /* the guest takes from its balloon before it kills */
	bool loop;           /* the load starts again when it is over */
	uint64_t start_ms;   /* its first start */

	enum sim_balloon balloon;
	uint64_t rate_pages_s; /* of the balloon */
	uint64_t lower_pages,
		upper_pages;  /* sizes that it does not leave, 0: none; nobody is told */
	uint64_t floor_pages; /* declared, 0: none */

	enum sim_report report;
	uint64_t report_from_ms; /* honest until then */

	struct sim_load load;
};

/* What the first VM can have to do instead of its own load. */
struct sim_workload {
	char name[SIM_NAME_MAX];
	struct sim_load load;
};

#define SIM_WORKLOADS_MAX 64

struct sim_scenario {
	char name[SIM_NAME_MAX];
	uint64_t total_pages;
	uint64_t end_ms;
	uint64_t seed;
	uint32_t granule;     /* 4 KiB pages that one simulated page stands for */
	uint32_t step_ms;     /* of the simulation's clock */
	uint32_t interval_ms; /* of samples and ticks */
	uint32_t latency_us, read_mib_s, write_mib_s, readahead_pages; /* the device */
	uint32_t vm_count;
	struct sim_vm_config vm[SIM_VM_MAX];
	uint32_t workload_count;
	struct sim_workload workload[SIM_WORKLOADS_MAX];
};

/*
 * Reads a scenario. Returns NULL when it is wrong, with `error` = "file:line: reason".
 * The caller gives it back with sim_scenario_free.
 */
struct sim_scenario *sim_scenario_read(const char *path, char error[SIM_ERROR_MAX]);
void sim_scenario_free(struct sim_scenario *scenario);

/* Gives the first VM the workload of that name. Returns false when there is none. */
bool sim_scenario_choose(struct sim_scenario *scenario, const char *name);

/* Returns the granule that makes a VM of `pages` cheap enough for long runs. */
uint32_t sim_scenario_granule(uint64_t pages);

#endif
