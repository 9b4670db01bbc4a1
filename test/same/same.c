/* SPDX-License-Identifier: MIT */
/*
 * Same decisions everywhere: holds recordings made at EL2 against the core on this machine.
 *	same SCENARIOS UPDATED RECORDING...
 * SCENARIOS was written by record_all at EL2: the same file is made here and has to be equal to the
 * last byte. UPDATED is of a core whose state was taken over by another one behind each tick: it
 * has to be what a single core would have decided. Each RECORDING, those two among them, is
 * replayed: every decision has to come out as recorded. And a recording in which one number was
 * changed must be found out. Last line: N passed, N failed.
 */
#include <stdlib.h>
#include <string.h>

#include "record_all.h"
#include "replay.h"

static unsigned passed, failed;

static void report(bool ok, const char *what, const char *file, const char *detail)
{
	printf("%s %s%s%s%s\n", ok ? "PASS" : "FAIL", what, file, *detail == '\0' ? "" : ": ",
	       detail);
	passed += ok ? 1u : 0u;
	failed += ok ? 0u : 1u;
}

static void played(const char *scenario, const char *failure)
{
	report(failure == NULL, "scenario as expected: ", scenario, failure == NULL ? "" : failure);
}

static FILE *open_or_exit(const char *path)
{
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		fprintf(stderr, "same: %s: cannot be read; it is made by `make test-board`\n",
			path);
		exit(2);
	}
	return file;
}

static void compare(const char *path)
{
	static char ours[RECORD_LINE_MAX], theirs[RECORD_LINE_MAX];
	char detail[64] = "";
	FILE *here = tmpfile();
	FILE *there = open_or_exit(path);
	unsigned long line = 0;
	const char *a, *b;

	if (here == NULL || !record_all(here, played)) {
		fprintf(stderr, "same: no room for a temporary file\n");
		exit(2);
	}
	rewind(here);
	do {
		line++;
		a = fgets(ours, sizeof(ours), here);
		b = fgets(theirs, sizeof(theirs), there);
	} while (a != NULL && b != NULL && strcmp(ours, theirs) == 0);
	if (a != NULL || b != NULL) {
		snprintf(detail, sizeof(detail), "line %lu", line);
		printf("here:  %sthere: %s", a == NULL ? "(end)\n" : a, b == NULL ? "(end)\n" : b);
	}
	report(detail[0] == '\0', "host and EL2 agree to the last byte: ", path, detail);
	fclose(here);
	fclose(there);
}

static void replay(const char *path)
{
	static struct replay_result result;
	char detail[128];
	FILE *in = open_or_exit(path);
	const int status = replay_run(in, NULL, &result);

	snprintf(detail, sizeof(detail),
		 status == 0 ? "%lu events, %lu calls" : "line %lu: %lu events",
		 status == 0 ? result.lines : result.line,
		 status == 0 ? result.inputs : result.lines);
	if (status != 0) {
		printf("%s\nexpected: %sfound:    %s\n", result.reason, result.expected,
		       result.found);
	}
	report(status == 0 && result.lines > 0 && result.checks == 0, "replays identically: ", path,
	       detail);
	fclose(in);
}

/* Changes the goal of the first plan by one page: replay has to name that very line. */
static void spoilt(const char *path)
{
	static char line[RECORD_LINE_MAX];
	static struct replay_result result;
	FILE *in = open_or_exit(path);
	FILE *out = tmpfile();
	unsigned long number = 0, changed = 0;

	if (out == NULL) {
		fprintf(stderr, "same: no room for a temporary file\n");
		exit(2);
	}
	while (fgets(line, sizeof(line), in) != NULL) {
		char *goal = strstr(line, " goal=");
		number++;
		if (changed == 0 && strstr(line, " plan ") != NULL && goal != NULL) {
			char *last = strchr(goal, '\n') - 1;
			*last = *last == '9' ? '8' : (char)(*last + 1);
			changed = number;
		}
		fputs(line, out);
	}
	rewind(out);
	report(changed != 0 && replay_run(out, NULL, &result) == 1 && result.line == changed,
	       "a changed decision is found: ", path, "");
	fclose(in);
	fclose(out);
}

/* Leaves out the updates: what is left has to be the recording of one core. */
static void uninterrupted(const char *path)
{
	static char line[RECORD_LINE_MAX];
	static struct replay_result result;
	char detail[128];
	FILE *in = open_or_exit(path);
	FILE *out = tmpfile();
	unsigned long inits = 0, imports = 0;
	int status;

	if (out == NULL) {
		fprintf(stderr, "same: no room for a temporary file\n");
		exit(2);
	}
	while (fgets(line, sizeof(line), in) != NULL) {
		const bool init = strstr(line, " init ") != NULL;
		const bool vm = strstr(line, " import_vm ") != NULL;
		const bool import = strstr(line, " import ") != NULL;

		inits += init;
		imports += import;
		if (!vm && !import && (!init || inits == 1)) {
			fputs(line, out);
		}
	}
	rewind(out);
	status = replay_run(out, NULL, &result);
	if (status != 0) {
		printf("%s\nexpected: %sfound:    %s\n", result.reason, result.expected,
		       result.found);
	}
	snprintf(detail, sizeof(detail), "%lu updates, %lu events", imports, result.lines);
	report(status == 0 && imports > 10, "a live update changes no decision: ", path, detail);
	fclose(in);
	fclose(out);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: same SCENARIOS UPDATED RECORDING...\n");
		return 2;
	}
	compare(argv[1]);
	uninterrupted(argv[2]);
	for (int i = 1; i < argc; i++) {
		replay(argv[i]);
		spoilt(argv[i]);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
