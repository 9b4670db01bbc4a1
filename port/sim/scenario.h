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
	SIM_BALLOON_IDEAL,  /* moves at `rate` until it is there */
	SIM_BALLOON_STUCK,  /* never moves, never answers */
	SIM_BALLOON_FLAKY,  /* stands still for 0.25 s to 19 s at a time, moves for 1 s to 10 s */
	SIM_BALLOON_CRAWL,  /* one page in 5 s */
	SIM_BALLOON_PART,   /* shrinks 37 % of the way and says that it is done */
	SIM_BALLOON_FAR,    /* shrinks an eighth beyond its target */
	SIM_BALLOON_HOLLOW, /* what it gives does not become free in the host */
};

/* What the guest's page says. */
enum sim_report {
	SIM_REPORT_HONEST,
	SIM_REPORT_OVER,   /* all free and inactive memory is active, and more is in swap; urgent */
	SIM_REPORT_UNDER,  /* most of the memory in use is free */
	SIM_REPORT_STALE,  /* nothing new */
	SIM_REPORT_TORN,   /* the writer hangs in the middle: the sequence stays odd */
	SIM_REPORT_REPEAT, /* the number of the sample stands still, all else goes on */
	SIM_REPORT_REWIND, /* all counters start anew once, in the same boot generation */
	SIM_REPORT_REBOOT, /* a new boot generation with every sample */
	SIM_REPORT_TOTAL,  /* an eighth of the total is gone */
	SIM_REPORT_WAVE,   /* over and under in turns, an interval each */
	SIM_REPORT_CLOCK,  /* its clock leaps, goes back and stands still */
	SIM_REPORT_STORM,  /* the doorbell rings in every step */
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

	bool absent; /* not there at the start: an event adds it */

	enum sim_balloon balloon;
	uint64_t balloon_from_ms, balloon_until_ms; /* ideal before and after; until 0: for ever */
	uint64_t rate_pages_s;                      /* of the balloon */
	uint64_t lower_pages,
		upper_pages;  /* sizes that it does not leave, 0: none; nobody is told */
	uint64_t floor_pages; /* declared, 0: none */

	enum sim_report report;
	uint64_t report_from_ms, report_until_ms; /* honest before and after */

	struct sim_load load;
};

/* What the first VM can have to do instead of its own load. */
struct sim_workload {
	char name[SIM_NAME_MAX];
	struct sim_load load;
};

#define SIM_WORKLOADS_MAX 64

/* What happens to the machine. */
enum sim_event_kind {
	SIM_EVENT_POOL,   /* it has `pages` now */
	SIM_EVENT_ADD,    /* a VM that is absent comes */
	SIM_EVENT_REMOVE, /* a VM goes */
	SIM_EVENT_RESET,  /* a VM starts anew, and the core is told */
	SIM_EVENT_REBOOT, /* a VM starts anew, and nobody is told */
	SIM_EVENT_LIMITS, /* a VM has another reservation, limit and weight */
	SIM_EVENT_PAUSE,  /* whoever decides stands still for `ms` */
	SIM_EVENT_BURST,  /* `count` ticks at once */
	SIM_EVENT_CLOCK,  /* the host's clock leaps by `ms` */
	SIM_EVENT_UPDATE, /* the core is replaced by another one, which takes its state over */
};

struct sim_event {
	uint64_t at_ms;
	enum sim_event_kind kind;
	uint32_t vm, count;
	uint64_t pages;
	int64_t ms;
	uint64_t min_pages, max_pages;
	uint32_t weight;
};

/* Calls of the core's port, and how they go wrong. */
enum sim_call { SIM_CALL_ANY, SIM_CALL_RESIZE, SIM_CALL_MEASURE, SIM_CALL_NOTIFY };
enum sim_way {
	SIM_WAY_ERROR, /* fails at once */
	SIM_WAY_SHORT, /* a resize stops after 37 % of the way; other calls fail */
	SIM_WAY_LATE,  /* a resize begins and is answered after 5 s; other calls fail */
	SIM_WAY_TWICE, /* a resize is answered twice; other calls fail */
	SIM_WAY_NEVER, /* a resize is accepted and forgotten; other calls fail */
	SIM_WAY_COUNT,
	SIM_WAY_OK = SIM_WAY_COUNT
};

struct sim_fault {
	enum sim_call call;
	enum sim_way way;
	uint64_t number;            /* of the call, counted from 1; 0: every one... */
	uint64_t from_ms, until_ms; /* ...in this time */
	uint32_t vm;                /* SIM_VM_ANY: every one */
};

#define SIM_VM_ANY     UINT32_MAX
#define SIM_EVENTS_MAX 64u
#define SIM_FAULTS_MAX 16u

struct sim_scenario {
	char name[SIM_NAME_MAX];
	uint64_t total_pages;
	uint64_t end_ms;
	uint64_t seed;
	uint32_t granule;     /* 4 KiB pages that one simulated page stands for */
	uint32_t step_ms;     /* of the simulation's clock */
	uint32_t interval_ms; /* of samples and ticks */
	uint32_t latency_us, read_mib_s, write_mib_s, readahead_pages; /* the device */
	uint32_t jitter_permille; /* of the interval: ticks come so much too early or too late */
	uint32_t event_count;     /* in the order of time */
	struct sim_event event[SIM_EVENTS_MAX];
	uint32_t fault_count;
	struct sim_fault fault[SIM_FAULTS_MAX];
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

/* Makes its frames larger: granule `granule`. */
void sim_scenario_coarsen(struct sim_scenario *scenario, uint32_t granule);

/* Returns the granule that makes a VM of `pages` cheap enough for long runs. */
uint32_t sim_scenario_granule(uint64_t pages);

#endif
