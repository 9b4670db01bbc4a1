/* SPDX-License-Identifier: MIT */
/* The error codes: one list, so names, texts, values and classes are checked against that list. */
#include <limits.h>

#include "support.h"

static const struct {
	enum poise_err err;
	int value;
	const char *name;
} codes[] = {
	{POISE_OK, 0, "OK"},
#define POISE_ERR(name, value, text) {POISE_E_##name, value, #name},
#include "poise_err.def"
#undef POISE_ERR
};

static void err_every_code_has_a_name_and_a_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		assert_int_equal((int)codes[i].err, codes[i].value);
		assert_string_equal(poise_err_name(codes[i].err), codes[i].name);
		assert_true(strlen(poise_strerror(codes[i].err)) > 0);
		assert_true(strcmp(poise_strerror(codes[i].err), "unknown error") != 0);
	}
	assert_string_equal(poise_strerror(POISE_OK), "no error");
	assert_string_equal(poise_strerror(POISE_E_TORN),
			    "the writer was at work at each of the tries");
}

static void err_no_value_name_or_text_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		for (size_t j = 0; j < i; j++) {
			assert_true(codes[i].value != codes[j].value);
			assert_true(strcmp(codes[i].name, codes[j].name) != 0);
			assert_true(strcmp(poise_strerror(codes[i].err),
					   poise_strerror(codes[j].err)) != 0);
		}
	}
}

/* Reports name errors by number: a number that has been given out keeps its meaning for ever. */
static void err_values_are_the_published_ones(void **state)
{
	static const struct {
		enum poise_err err;
		int value;
	} published[] = {
		{POISE_E_ARG, -1},        {POISE_E_STATE, -2},   {POISE_E_CONTEXT, -3},
		{POISE_E_CONFIG, -4},     {POISE_E_DUP, -5},     {POISE_E_NOT_FOUND, -6},
		{POISE_E_INFEASIBLE, -7}, {POISE_E_IMAGE, -8},   {POISE_E_NEWER, -9},
		{POISE_E_ROOM, -10},      {POISE_E_MAGIC, -20},  {POISE_E_ENDIAN, -21},
		{POISE_E_VERSION, -22},   {POISE_E_LENGTH, -23}, {POISE_E_TORN, -24},
		{POISE_E_CHECKSUM, -25},  {POISE_E_RANGE, -26},  {POISE_E_INCONSISTENT, -27},
		{POISE_E_TOTAL, -28},     {POISE_E_REPLAY, -29}, {POISE_E_STALE, -30},
		{POISE_E_UNMAPPED, -31},  {POISE_E_PORT, -40},   {POISE_E_BUSY, -41},
		{POISE_E_LOST, -42},      {POISE_E_GONE, -43},
	};
	(void)state;
	assert_true(ARRAY_SIZE(codes) >= ARRAY_SIZE(published) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		assert_int_equal((int)published[i].err, published[i].value);
	}
}

/* Whose fault an error is shows in its value; the counters in struct poise have room for each. */
static void err_value_shows_whose_fault_it_is(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(codes); i++) {
		const int v = -codes[i].value;
		const bool caller = v >= 1 && v <= 19;
		const bool guest = v >= 20 && v <= 39;
		const bool port = v >= 40 && v <= 59;
		assert_true(caller || guest || port);
		assert_true(v < POISE_ERR_COUNT);
	}
}

static void err_unknown_numbers_have_a_name_and_a_text_of_their_own(void **state)
{
	static const int unknown[] = {1,   2,   44,  -11, -19, -32,     -39,
				      -44, -45, -59, -60, 100, INT_MAX, INT_MIN};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		/* Such a number comes from a port or from a recording. */
		const enum poise_err err = (enum poise_err)unknown[i];
		assert_string_equal(poise_strerror(err), "unknown error");
		assert_string_equal(poise_err_name(err), "?");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_every_code_has_a_name_and_a_text),
		cmocka_unit_test(err_no_value_name_or_text_twice),
		cmocka_unit_test(err_values_are_the_published_ones),
		cmocka_unit_test(err_value_shows_whose_fault_it_is),
		cmocka_unit_test(err_unknown_numbers_have_a_name_and_a_text_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
