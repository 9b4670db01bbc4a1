/* SPDX-License-Identifier: MIT */
/*
 * The scenarios of test/scenario, played by the core at EL2. The recording goes to the file that
 * the argument `file=` names; the host plays the same scenarios and compares.
 */
#include <stdio.h>

#include "../../board/args.h"
#include "../same/record_all.h"
#include "../scenario/scenario.h"
#include "bench.h"
#include "report.h"

static void played(const char *scenario, const char *failure)
{
	report(failure == NULL, "scenario at EL2: %s%s%s", scenario, failure == NULL ? "" : ": ",
	       failure == NULL ? "" : failure);
}

/*
 * A guest that changes its page between check and use. No guest runs while its page is read, so the
 * model does it in its place, in the one moment that counts: the sample is checked and reported,
 * and nothing has been made of it yet.
 */
static uint64_t digest;

static void take_in(void *arg, const struct poise_event *event)
{
	const uint64_t words[] = {event->now_ms, event->code, event->vm, event->rule,
				  event->a,      event->b,    event->c,  event->d};

	(void)arg;
	if (event->code == POISE_EVENT_INIT || event->code == POISE_EVENT_IMPORT ||
	    event->code == POISE_EVENT_IMPORT_VM) {
		return; /* How a core came to its state is not what it decides. */
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		/* FNV-1a, a word at a time */
		digest = (digest ^ words[i]) * UINT64_C(0x100000001b3);
	}
}

/* Returns a digest of all that was decided; 0 if something was wrong. */
static uint64_t play(const struct scenario *scenario, bool flip, uint32_t update)
{
	static struct scenario_run run;
	const struct scenario_options options = {
		.listen = take_in, .sloppy = true, .flip = flip, .update = update};

	digest = UINT64_C(0xcbf29ce484222325);
	return scenario_play(&run, scenario, &options) == NULL ? digest : 0;
}

static void test_flips(void)
{
	for (uint32_t i = 0; i < scenario_count; i++) {
		uint64_t plain = play(&scenarios[i], false, 0);
		report(plain != 0 && play(&scenarios[i], true, 0) == plain,
		       "F10 pages change once they are checked: %s is decided alike",
		       scenarios[i].name);
	}
}

void test_scenarios(void)
{
	char path[200];
	FILE *out = board_arg("file", path, sizeof(path)) ? fopen(path, "w") : NULL;

	report(out != NULL && record_all(out, played), "the recording is written");
	report(out != NULL && fclose(out) == 0, "the recording is complete");
	test_flips();
}

/* The core is replaced again and again by one that takes its state over: nothing is decided in
 * another way. */
void test_update(void)
{
	for (uint32_t i = 0; i < scenario_count; i++) {
		const uint64_t plain = play(&scenarios[i], false, 0);
		report(plain != 0 && play(&scenarios[i], false, 1) == plain &&
			       play(&scenarios[i], false, 7) == plain,
		       "a live update of the core: %s is decided alike", scenarios[i].name);
	}
}
