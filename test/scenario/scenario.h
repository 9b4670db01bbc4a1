/* SPDX-License-Identifier: MIT */
/*
 * A model machine behind a real port, and scripts that it plays. Runs on the host and, unchanged,
 * in a test image at EL2: no library but memcpy and memset, all memory is handed in.
 *
 * The model knows what every VM truly has. It refuses nothing by itself: whether the core gives
 * memory away twice is measured, not prevented. The whole way is walked: the guests publish real
 * pages through guestdrv, the core reads them through poise_poll, the host page is written by
 * poise_host_page_write and read back by gd_host_read. After every single call of the core the run
 * is checked, see scenario_play.
 */
#ifndef TEST_SCENARIO_H
#define TEST_SCENARIO_H

#include <stdbool.h>

#include "poise.h"
#include "publish.h"

/* Sizes in the tables are MiB. */
#define SCENARIO_MIB 256u

/* How a VM's balloon follows a request. `arg` of the step says how much. */
enum model_balloon {
	BALLOON_IDEAL,   /* all at once */
	BALLOON_RATE,    /* arg pages a half tick */
	BALLOON_PARTIAL, /* arg permille of the way, then no further */
	BALLOON_STUCK,   /* not at all */
	BALLOON_MOODY,   /* 19 ticks not at all, then one tick at arg pages a half tick */
	BALLOON_CRAWL,   /* one page in five ticks */
	BALLOON_OVER,    /* shrinks arg pages too far */
	BALLOON_LEAK,    /* takes arg pages a half tick back by itself */
};

/* What a guest says of itself. */
enum model_report {
	REPORT_HONEST,
	REPORT_STARVING, /* everything in use, swapping hard, urgent all the time */
	REPORT_IDLE,     /* nothing in use */
	REPORT_SQUARE,   /* STARVING and IDLE in turns of arg ticks */
	REPORT_RANDOM,   /* any consistent numbers */
	REPORT_WILD,     /* any numbers */
	REPORT_SILENT,   /* publishes nothing: the page stays as it is */
	REPORT_TORN,     /* died while writing: the sequence stays odd */
	REPORT_BROKEN,   /* checksum wrong */
	REPORT_GONE,     /* no page */
	REPORT_REBOOT,   /* a new boot generation with every sample */
	REPORT_REWIND,   /* two writers: the sample counter jumps to and fro */
	REPORT_TOTAL,    /* says that its total has changed */
	REPORT_CLOCK,    /* honest, but its clock runs backwards, stands still and leaps */
};

enum scenario_what {
	STEP_DEMAND,  /* a MiB anonymous, b MiB page cache, from now on */
	STEP_GROWTH,  /* anonymous memory changes by a pages a tick (int32_t) */
	STEP_BALLOON, /* a = enum model_balloon, b = arg */
	STEP_REPORT,  /* a = enum model_report, b = arg */
	STEP_ADD,     /* puts the VM in; with a != 0 it has its boot size already */
	STEP_REMOVE,  /* the host takes it out: its pages are free */
	STEP_RESTART, /* the host says so: it has its boot size again */
	STEP_REBOOT,  /* the guest alone: a new boot generation, boot size again, host not told */
	STEP_POOL,    /* a MiB */
	STEP_LIMITS,  /* a = min, b = max, MiB */
	STEP_WEIGHT,  /* a */
	STEP_FLAGS,   /* a = POISE_VM_* */
	STEP_STORM,   /* a doorbells a tick, each with a new sample if b == 0 */
	STEP_BLIND,   /* a = 1: measure fails for this VM; 2: it answers nonsense; 0: works */
	STEP_BEAT,    /* the next ticks are a ms apart, 0 = the interval; b = ticks at once */
	STEP_CLOCK,   /* the host clock jumps by a ms (int32_t) */
};

struct scenario_step {
	uint16_t tick;
	uint8_t what, vm;
	uint32_t a, b;
};

enum scenario_expect_what {
	EXPECT_SIZE_LEAST, /* MiB that the VM truly has */
	EXPECT_SIZE_MOST,
	EXPECT_STATE,      /* enum poise_vm_state */
	EXPECT_UNMET_MOST, /* MiB of its anonymous memory that is swapped out */
	EXPECT_EARLY_MOST, /* early ticks that it has had so far */
	EXPECT_ERRORS,     /* how often error -vm has been counted: at least */
	EXPECT_FREE_LEAST, /* MiB */
	EXPECT_ASKED_MOST, /* requests to this VM so far */
	EXPECT_MOVED_MOST, /* MiB that its size has gone up and down so far */
};

struct scenario_expect {
	uint16_t tick; /* at the end of this tick; 0: at the end */
	uint8_t what, vm;
	uint32_t value;
};

struct scenario_vm {
	uint32_t min, boot, max; /* MiB */
	uint32_t weight, flags;
	uint32_t anon, cache; /* MiB */
	uint32_t late;        /* 1: not there from the start */
};

struct scenario {
	const char *name;
	uint32_t pool; /* MiB */
	uint32_t ticks, vms, steps, expects;
	const struct scenario_vm *vm;
	const struct scenario_step *step; /* by tick */
	const struct scenario_expect *expect;
	uint64_t seed;
};

extern const struct scenario scenarios[];
extern const uint32_t scenario_count;
/* Short ones with two VMs, for pairs of faults. */
extern const struct scenario scenarios_small[];
extern const uint32_t scenario_small_count;
/* Those that are about a single fault of the catalogue. */
extern const struct scenario scenarios_fault[];
extern const uint32_t scenario_fault_count;
/* Returns the scenario of that name out of all three tables, or NULL. */
const struct scenario *scenario_find(const char *name);

/* How a call of the port goes wrong. */
enum scenario_way {
	WAY_OK,
	WAY_ERROR,     /* fails at once */
	WAY_SHORT,     /* done in part: the VM stops after 37 % */
	WAY_LATE,      /* answered after the window and a new plan */
	WAY_DUPLICATE, /* answered twice */
	WAY_NEVER,     /* accepted, never carried out, never answered */
	WAY_COUNT
};
enum scenario_call { CALL_RESIZE, CALL_MEASURE, CALL_NOTIFY };

/* Says how call number `number` (from 1) of the run goes. */
typedef enum scenario_way scenario_decide(void *arg, enum scenario_call call, uint64_t number);

struct scenario_options {
	scenario_decide *decide; /* NULL: all calls work */
	void *decide_arg;
	void (*listen)(void *arg, const struct poise_event *event); /* NULL: nobody listens */
	void *listen_arg;
	uint32_t policy; /* enum poise_policy */
	uint32_t rules_off;
	uint32_t calm_ticks; /* played after the script has ended, all calls work */
	/* After so many ticks, again and again, another core takes the state over; 0: never. */
	uint32_t update;
	bool sloppy; /* leaves out what costs much: the byte comparison after errors */
	bool no_expect;
	/* A page is overwritten the moment its sample is reported, until poise_poll returns. */
	bool flip;
};

struct model_late {
	uint32_t due_tick; /* 0: none */
	uint64_t epoch;
};
#define MODEL_LATE_MAX 4

struct model_vm {
	_Alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page page;
	_Alignas(POISE_ABI_PAGE_BYTES) struct poise_host_page host_page;
	struct poise_vm_config config;
	struct gd gd;
	struct poise_host_writer writer;
	struct poise_notice notice; /* what the host page says */
	bool present, told;
	uint64_t real_pages; /* what it has: the truth */
	uint64_t self_pages; /* of these, taken without being asked, and not measured since */
	uint64_t total_pages;

	/* The request in force, as the hypervisor sees it. */
	uint64_t goal_pages, epoch;
	uint64_t stop_pages;  /* a short one stops there */
	uint64_t asked_pages; /* the last target, accepted or not */
	uint32_t wait_ticks;  /* a late one begins when this is over */
	bool open, never, duplicate;
	struct model_late late[MODEL_LATE_MAX];

	uint32_t balloon, balloon_arg;
	uint32_t report, report_arg, reported;
	uint32_t storm, storm_stale;
	uint32_t blind;

	/* Its memory. */
	uint64_t anon_pages, cache_pages;
	int64_t growth_pages;
	uint64_t swapped_pages;
	struct poise_abi_guest counters;
	uint64_t boots;

	uint64_t early, early_ms;
	uint64_t asked, moved_pages;
};

struct scenario_run {
	struct poise p, before;
	_Alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page kept; /* while a page is flipped */
	const struct scenario *scenario;
	const struct scenario_options *options;
	uint64_t now_ms;
	uint32_t tick, beat_ms, burst;
	uint32_t next_step;
	uint64_t random;
	uint64_t calls, faults; /* of the port while the script lasted; those that went wrong */
	uint64_t checks;
	/* The last one in which the script took memory behind the core's back. */
	uint32_t external_tick;
	int64_t debt_pages; /* free memory below zero at the check before */
	bool calm;

	/* The first thing that was wrong. */
	const char *failure;
	uint32_t failure_tick, failure_vm;
	uint64_t failure_a, failure_b;

	struct model_vm vm[POISE_VM_MAX];
};

/*
 * Plays a scenario from its beginning in `run`, which may hold anything. After each call of the
 * core it is checked that
 *	- poise_check is 0;
 *	- each VM truly has at most what it is charged, unless it helped itself since the last
 *	  measurement, and all of them together at most the pool, but for a debt that the script
 *made;
 *	- no request goes below a reservation or above a limit, but on the way to it;
 *	- a call that failed has changed nothing but error counters and the clock;
 *	- the guest reads from its host page what the core told.
 * Returns NULL, or what was wrong (run->failure_*).
 */
const char *scenario_play(struct scenario_run *run, const struct scenario *scenario,
			  const struct scenario_options *options);

/*
 * Compares a run that had faults with one that had none, both at their end: the same VMs in the
 * same states, no request lost, no more memory missing than `slack_permille` of the pool.
 * Returns NULL, or what differs; `*vm` is where.
 */
const char *scenario_compare(const struct scenario_run *run, const struct scenario_run *reference,
			     uint32_t slack_permille, uint32_t *vm);

#endif
