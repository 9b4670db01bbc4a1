/* SPDX-License-Identifier: MIT */
/*
 * Poise at work on real guests: what balancing achieves, how fast relief starts, and what guests
 * that lie, refuse, scribble or fall silent cost the others.
 */
#include <stdio.h>
#include <string.h>

#include "../../board/args.h"
#include "../../board/phase.h"
#include "../../port/record/record.h"
#include "bench.h"
#include "report.h"

static struct board_vm_config configs[BENCH_GUESTS];
static struct board_totals totals, plain;
static uint32_t interval_ms; /* 0: the default */
static FILE *updated;        /* NULL, or the recording of a core that is updated all the time */

/* Runs the bench guests; `odd` is what the guest in slot 0 is told on top. */
static bool run(uint32_t policy, uint64_t seconds, const char *odd, uint32_t restart_limit,
		struct board_totals *to)
{
	uint64_t pool_pages = 0;

	for (uint32_t i = 0; i < BENCH_GUESTS; i++) {
		if (!board_guest_config(&bench_guests[i], i == 0 ? odd : "", &configs[i])) {
			return false;
		}
		pool_pages += configs[i].boot_pages;
	}
	const struct board_phase phase = {
		.name = "test",
		.vms = configs,
		.vm_count = BENCH_GUESTS,
		.poise = {.pool_pages = pool_pages, .policy = policy, .interval_ms = interval_ms},
		.duration_ms = seconds * 1000u,
		.restart_limit = restart_limit,
		.record = updated,
		.updates = updated != NULL,
	};
	return board_phase_run(&phase, to);
}

/* What must hold whatever slot 0 does: the others live, and the books are right after every tick.
 */
static void others_unharmed(const char *name, uint64_t swap_bound)
{
	uint64_t swapped = totals.vm[1].swap_out + totals.vm[2].swap_out;

	report(totals.checks_ok, "%s: every check after every tick holds", name);
	report(totals.vm[1].alive && totals.vm[2].alive && totals.vm[1].deaths == 0 &&
		       totals.vm[2].deaths == 0,
	       "%s: the others live", name);
	report(swapped <= swap_bound, "%s: the others swap out %lu pages, at most %lu", name,
	       swapped, swap_bound);
	report(totals.vm[1].size_pages >= bench_guests[1].min_pages &&
		       totals.vm[2].size_pages >= bench_guests[2].min_pages,
	       "%s: the others keep their reservations", name);
}

void test_balance(void)
{
	run(POISE_POLICY_STATIC, 60, "", 0, &plain);
	report(plain.checks_ok && plain.sum.given == 0 && plain.sum.taken == 0 &&
		       plain.port.resizes == 0,
	       "static: nothing moves");
	run(POISE_POLICY_POISE, 60, "", 0, &totals);
	report(totals.checks_ok, "balanced: every check after every tick holds");
	report(plain.sum.swap_out > 1000 && totals.sum.swap_out < plain.sum.swap_out / 10,
	       "balanced: %lu pages swapped out instead of %lu", totals.sum.swap_out,
	       plain.sum.swap_out);
	report(totals.sum.given > 1000 && totals.sum.taken > 1000,
	       "balanced: %lu pages given, %lu taken", totals.sum.given, totals.sum.taken);
	report(totals.port.relief_count > 0 && totals.port.relief_max_ns <= 1000000u,
	       "urgent latency: %lu times, %lu to %lu ns from the hypercall to the request",
	       totals.port.relief_count, totals.port.relief_min_ns, totals.port.relief_max_ns);

	run(POISE_POLICY_PAPER, 60, "", 0, &totals);
	report(totals.checks_ok, "paper: every check after every tick holds");
}

/*
 * The core is replaced behind each tick by one that takes its state over, while the guests run. The
 * host replays the recording as it is, and as that of one core (test/same).
 */
void test_live(void)
{
	char path[200];

	updated = board_arg("file", path, sizeof(path)) ? fopen(path, "w") : NULL;
	if (updated == NULL) {
		report(false, "the file for the recording can be written");
		return;
	}
	fputs(RECORD_HEADER "\n", updated);
	run(POISE_POLICY_POISE, 30, "", 0, &totals);
	report(totals.checks_ok, "live updates: every check after every tick holds");
	report(totals.vm[0].alive && totals.vm[1].alive && totals.vm[2].alive &&
		       totals.sum.deaths == 0,
	       "live updates: all guests live");
	report(totals.sum.given > 1000 && totals.sum.taken > 1000,
	       "live updates: %lu pages given, %lu taken", totals.sum.given, totals.sum.taken);
	report(fclose(updated) == 0, "the recording has been written");
	updated = NULL;
}

/* Any state but one in which its claims would still count. */
static bool not_managed(uint32_t state)
{
	return state != POISE_VM_MANAGED;
}

void test_hostile(void)
{
	/* What the others swap out when slot 0 keeps its static share is what they may lose. */
	run(POISE_POLICY_STATIC, 30, "", 0, &plain);
	uint64_t bound = plain.vm[1].swap_out + plain.vm[2].swap_out + 512u;

	run(POISE_POLICY_POISE, 30, "scribble=1", 0, &totals);
	others_unharmed("F02 F05 page full of noise", bound);
	report(totals.vm[0].alive && not_managed(totals.vm[0].state) && totals.port.bad_polls > 8,
	       "F02 F05 page full of noise: %lu pages refused, state %u", totals.port.bad_polls,
	       (unsigned)totals.vm[0].state);

	run(POISE_POLICY_POISE, 30, "torn=1", 0, &totals);
	others_unharmed("F01 F30 silent with the sequence odd", bound);
	report(totals.vm[0].alive && not_managed(totals.vm[0].state) &&
		       totals.errors[-POISE_E_TORN] > 0,
	       "F01 F30 silent with the sequence odd: torn %lu times, state %u",
	       totals.errors[-POISE_E_TORN], (unsigned)totals.vm[0].state);

	/* Short, for this guest uses every cycle that it can get. */
	run(POISE_POLICY_POISE, 3, "flood=1", 0, &totals);
	others_unharmed("F27 F29 doorbell storm", bound);
	report(totals.port.relief_max_ns <= 1000000u,
	       "F27 F29 doorbell storm: relief within %lu ns all the same",
	       totals.port.relief_max_ns);

	run(POISE_POLICY_POISE, 30, "balloon=stuck", 0, &totals);
	others_unharmed("F33 stuck balloon", bound);
	report(totals.vm[0].given == 0 && totals.vm[0].size_pages == configs[0].boot_pages,
	       "F33 stuck balloon: charged for what it has");
	run(POISE_POLICY_POISE, 30, "balloon=slow", 0, &totals);
	others_unharmed("F35 slow balloon", bound);
	run(POISE_POLICY_POISE, 30, "balloon=refuse-inflate", 0, &totals);
	others_unharmed("F33 balloon that refuses to inflate", bound);
	report(totals.vm[0].size_pages == configs[0].boot_pages,
	       "F33 balloon that refuses to inflate: gains nothing by it");
	run(POISE_POLICY_POISE, 30, "balloon=refuse-deflate", 0, &totals);
	others_unharmed("F33 balloon that refuses to deflate", bound);
	run(POISE_POLICY_POISE, 30, "balloon=hog", 0, &totals);
	others_unharmed("F39 hog that asks for everything as its floor", bound);
	report(totals.vm[0].size_pages <= configs[0].boot_pages,
	       "F39 hog that asks for everything as its floor: has %u pages",
	       (unsigned)totals.vm[0].size_pages);

	run(POISE_POLICY_POISE, 30, "lie=starving", 0, &totals);
	others_unharmed("F19 liar that claims to starve", 4096);
	report(totals.vm[0].size_pages < totals.vm[1].size_pages + totals.vm[2].size_pages,
	       "F19 liar that claims to starve: has %u pages, the others %u and %u",
	       (unsigned)totals.vm[0].size_pages, (unsigned)totals.vm[1].size_pages,
	       (unsigned)totals.vm[2].size_pages);
	run(POISE_POLICY_POISE, 30, "lie=idle", 0, &totals);
	others_unharmed("F20 liar that claims to idle", bound);
	report(totals.vm[0].alive && totals.vm[0].size_pages >= bench_guests[0].min_pages,
	       "F20 liar that claims to idle: keeps its reservation");

	/* The loop takes every cycle, so this has to be short: ten samples a second, then silence.
	 */
	interval_ms = 100;
	run(POISE_POLICY_POISE, 2, "spin=1", 0, &totals);
	interval_ms = 0;
	others_unharmed("hang with interrupts masked", bound);
	report(totals.vm[0].alive && not_managed(totals.vm[0].state),
	       "hang with interrupts masked: nothing is decided on its last word");
}
