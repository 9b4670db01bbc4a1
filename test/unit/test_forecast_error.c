/* SPDX-License-Identifier: MIT */
/* Stage 3: the error bound of equation (2)'s fixed point, against exact rational arithmetic. */
#include "forecast_support.h"

/*
 * Exact arithmetic: integers of 768 bits, two's complement, least word first. Its own few lines, so
 * that the reference shares nothing with what it judges and runs on 32 bits too.
 */
#define WIDE_WORDS 24
struct wide {
	uint32_t word[WIDE_WORDS];
};

static struct wide wide_from(int64_t value)
{
	struct wide a;
	for (unsigned i = 0; i < WIDE_WORDS; i++) {
		a.word[i] = i == 0   ? (uint32_t)value
			    : i == 1 ? (uint32_t)((uint64_t)value >> 32)
				     : (value < 0 ? UINT32_MAX : 0);
	}
	return a;
}

static struct wide wide_times(const struct wide *a, uint32_t factor)
{
	struct wide r;
	uint64_t carry = 0;
	for (unsigned i = 0; i < WIDE_WORDS; i++) {
		carry += (uint64_t)a->word[i] * factor;
		r.word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return r;
}

static struct wide wide_plus(const struct wide *a, const struct wide *b)
{
	struct wide r;
	uint64_t carry = 0;
	for (unsigned i = 0; i < WIDE_WORDS; i++) {
		carry += (uint64_t)a->word[i] + b->word[i];
		r.word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return r;
}

static struct wide wide_minus(const struct wide *a, const struct wide *b)
{
	struct wide r;
	uint64_t carry = 1;
	for (unsigned i = 0; i < WIDE_WORDS; i++) {
		carry += (uint64_t)a->word[i] + (uint32_t)~b->word[i];
		r.word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return r;
}

static struct wide wide_shifted(const struct wide *a, unsigned bits)
{
	struct wide r;
	for (unsigned i = WIDE_WORDS; i-- > 0;) {
		const unsigned from = bits / 32;
		const uint64_t high = i >= from ? a->word[i - from] : 0;
		const uint64_t low = i >= from + 1 ? a->word[i - from - 1] : 0;
		r.word[i] = (uint32_t)((high << 32 | low) << bits % 32 >> 32);
	}
	return r;
}

static bool wide_negative(const struct wide *a)
{
	return (a->word[WIDE_WORDS - 1] >> 31) != 0;
}

/* The reference is trusted with everything below, so it is tried on numbers that are known. */
static void forecast_the_tests_own_reference_is_right(void **state)
{
	uint64_t seed = 11;
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		const int64_t x = (int64_t)(random_next(&seed) >> 12) - (INT64_C(1) << 51);
		const int64_t y = (int64_t)(random_next(&seed) >> 12) - (INT64_C(1) << 51);
		const unsigned bits = (unsigned)(random_next(&seed) % 700);
		const struct wide a = wide_from(x);
		const struct wide b = wide_from(y);
		const struct wide sum = wide_plus(&a, &b);
		const struct wide sum_known = wide_from(x + y);
		const struct wide product = wide_times(&a, 1000);
		const struct wide product_known = wide_from(x * 1000);
		const struct wide up_a = wide_shifted(&a, bits);
		const struct wide up_b = wide_shifted(&b, bits);
		const struct wide difference = wide_minus(&up_a, &up_b);
		const struct wide low_difference = wide_from(x - y);
		const struct wide difference_known = wide_shifted(&low_difference, bits);
		assert_memory_equal(&sum, &sum_known, sizeof(sum));
		assert_memory_equal(&product, &product_known, sizeof(product));
		assert_memory_equal(&difference, &difference_known, sizeof(difference));
		assert_int_equal(wide_negative(&difference), x < y);
	}
}

/* A change of demand: small, large, or from one end of what is possible to the other. */
static int64_t random_change(uint64_t *seed)
{
	const int64_t size = (int64_t)random_upto(seed, UINT64_C(1) << 33);
	return (random_next(seed) & 1) != 0 ? size : -size;
}

/*
 * The bound of DESIGN.md: with u = 2^-16 page, each step is exact and then rounded up to a multiple
 * of u, so the error e obeys 0 <= e_t < (1 - alpha) * e_(t-1) + u with e_1 = 0, hence
 *	0 <= fixed - exact < u / alpha
 * after any number of steps. `exact` is the rational number that equation (2) defines: after k
 * steps a fraction of 1024^k, held whole. 17,000 sequences of up to 60 steps: 10^6 in all.
 */
static void forecast_error_stays_within_the_stated_bound(void **state)
{
	uint64_t seed = 5;
	unsigned steps = 0;
	(void)state;
	while (steps < 1000000) {
		const uint32_t alpha = random_alpha(&seed);
		const int64_t first = random_change(&seed);
		const bool swing = random_next(&seed) % 8 == 0;
		int64_t most = first < 0 ? -first : first;
		int64_t fixed = first * ONE_Q16;
		struct wide exact = wide_from(fixed); /* times u / 1024^k */
		for (unsigned k = 0; k < 60; k++, steps++) {
			const int64_t end = k % 2 == 0 ? INT64_C(1) << 32 : -(INT64_C(1) << 32);
			const int64_t change = swing ? end : random_change(&seed);
			const int64_t size = change < 0 ? -change : change;
			const struct wide part = wide_from(change * ONE_Q16 * (int64_t)alpha);
			const struct wide scaled = wide_shifted(&part, 10 * k);
			const struct wide kept = wide_times(&exact, POISE_ALPHA_ONE - alpha);
			most = size > most ? size : most;
			exact = wide_plus(&scaled, &kept);
			fixed = poise_forecast_average(fixed, change, alpha);

			const struct wide whole = wide_from(fixed);
			const struct wide whole_scaled = wide_shifted(&whole, 10 * (k + 1));
			const struct wide error = wide_minus(&whole_scaled, &exact);
			const struct wide weighed = wide_times(&error, alpha);
			const struct wide one = wide_from(1);
			const struct wide limit = wide_shifted(&one, 10 * (k + 2));
			const struct wide room = wide_minus(&weighed, &limit);
			assert_false(wide_negative(&error));
			assert_true(wide_negative(&room));
			assert_true(fixed <= most * ONE_Q16 && fixed >= -most * ONE_Q16);
		}
	}
}

/*
 * One sequence of 200,000 steps, too long for a fraction of 1024^k: the exact value is enclosed
 * instead, with 128 more fraction bits, its lower border rounded down at each step. The enclosure
 * is never wider than 2^-144 / alpha page.
 */
static void forecast_error_stays_within_the_bound_in_200000_steps(void **state)
{
	static const uint32_t alphas[] = {1, 768, 1023};
	uint64_t seed = 6;
	(void)state;
	for (size_t a = 0; a < ARRAY_SIZE(alphas); a++) {
		const uint32_t alpha = alphas[a];
		const int64_t first = random_change(&seed);
		int64_t fixed = first * ONE_Q16;
		const struct wide start = wide_from(fixed);
		struct wide low = wide_shifted(&start, 128);
		for (unsigned step = 0; step < 200000; step++) {
			const int64_t change = random_change(&seed);
			const struct wide part = wide_from(change * ONE_Q16 * (int64_t)alpha);
			const struct wide scaled = wide_shifted(&part, 128);
			const struct wide kept = wide_times(&low, POISE_ALPHA_ONE - alpha);
			const struct wide sum = wide_plus(&scaled, &kept);
			/* Divided by 1024, rounded down: up by 22 bits, down by a word. */
			const struct wide up = wide_shifted(&sum, 22);
			memcpy(low.word, up.word + 1, sizeof(low.word) - sizeof(low.word[0]));
			low.word[WIDE_WORDS - 1] = wide_negative(&up) ? UINT32_MAX : 0;

			fixed = poise_forecast_average(fixed, change, alpha);
			const struct wide whole = wide_from(fixed);
			const struct wide whole_scaled = wide_shifted(&whole, 128);
			const struct wide error = wide_minus(&whole_scaled, &low);
			const struct wide weighed = wide_times(&error, alpha);
			const struct wide one = wide_from(1);
			const struct wide limit = wide_shifted(&one, 128 + 10);
			/* What the enclosure may lack: 2^-128 u / alpha. */
			const struct wide slack = wide_from(POISE_ALPHA_ONE);
			const struct wide most = wide_plus(&limit, &slack);
			const struct wide room = wide_minus(&weighed, &most);
			assert_false(wide_negative(&error));
			assert_true(wide_negative(&room));
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forecast_the_tests_own_reference_is_right),
		cmocka_unit_test(forecast_error_stays_within_the_stated_bound),
		cmocka_unit_test(forecast_error_stays_within_the_bound_in_200000_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
