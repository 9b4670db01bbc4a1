/* SPDX-License-Identifier: MIT */
/*
 * Every scenario, recorded. Knows nothing of the machine that it runs on but a file to write to.
 */
#include "record_all.h"

#include "../scenario/scenario.h"
#include "record.h"

static struct scenario_run run;

static void write_event(void *arg, const struct poise_event *event)
{
	char line[RECORD_LINE_MAX];
	FILE *out = arg;
	const size_t bytes = record_format(event, line, sizeof(line));

	fwrite(line, 1, bytes, out);
}

static void record_table(FILE *out, const struct scenario *table, uint32_t count,
			 void (*played)(const char *scenario, const char *failure))
{
	/* What the core does is compared; that it does right is asserted by the host's fault test.
	 */
	const struct scenario_options options = {
		.listen = write_event, .listen_arg = out, .sloppy = true};

	for (uint32_t i = 0; i < count; i++) {
		fprintf(out, "# scenario %s\n", table[i].name);
		const char *failure = scenario_play(&run, &table[i], &options);
		fprintf(out, "# end %s: %s\n", table[i].name,
			failure == NULL ? "as expected" : failure);
		played(table[i].name, failure);
	}
}

bool record_all(FILE *out, void (*played)(const char *scenario, const char *failure))
{
	fprintf(out, "%s\n", RECORD_HEADER);
	record_table(out, scenarios, scenario_count, played);
	record_table(out, scenarios_small, scenario_small_count, played);
	record_table(out, scenarios_fault, scenario_fault_count, played);
	return ferror(out) == 0;
}
