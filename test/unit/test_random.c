/* SPDX-License-Identifier: MIT */
/*
 * Random sequences of calls against the reference in test/fuzz/api.c. The seeds are fixed; a
 * failure prints its seed and step.
 */
#include "support.h"

#include "../fuzz/api.h"

#define SEEDS 100u
#define STEPS 2000u

static struct api api;

static uint64_t next(void *arg)
{
	return random_next(arg);
}

static void random_calls_agree_with_the_reference(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t random = seed;
		const char *what = api_start(&api, next, &random);
		unsigned step = 0;
		while (what == NULL && step < STEPS) {
			step++;
			what = api_step(&api);
		}
		if (what != NULL) {
			fail_msg("seed %llu, step %u: %s", (unsigned long long)seed, step, what);
		}
	}
	print_message("# %u calls\n", SEEDS * STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calls_agree_with_the_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
