/* SPDX-License-Identifier: MIT */
/*
 * The scenarios of test/scenario, played by the core at EL2. The recording goes to the file that
 * the argument `file=` names; the host plays the same scenarios and compares.
 */
#include <stdio.h>

#include "../../board/board.h"
#include "../same/record_all.h"
#include "bench.h"
#include "report.h"

static void played(const char *scenario, const char *failure)
{
	report(failure == NULL, "scenario at EL2: %s%s%s", scenario, failure == NULL ? "" : ": ",
	       failure == NULL ? "" : failure);
}

void test_scenarios(void)
{
	char path[200];
	FILE *out = board_arg("file", path, sizeof(path)) ? fopen(path, "w") : NULL;

	report(out != NULL && record_all(out, played), "the recording is written");
	report(out != NULL && fclose(out) == 0, "the recording is complete");
}
