/* SPDX-License-Identifier: MIT */
/*
 * The part of cmocka that the unit tests use, for the 32-bit build only: Debian has no cmocka for a
 * foreign architecture. Same names, same TAP output; a failed assertion ends its test.
 */
#ifndef TEST_UNIT_ARM_CMOCKA_H
#define TEST_UNIT_ARM_CMOCKA_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*test)(void **state);
	int (*setup)(void **state);
	int (*teardown)(void **state);
};

#define cmocka_unit_test(f)       \
	{                         \
#f, f, NULL, NULL \
	}
#define cmocka_unit_test_setup(f, s) \
	{                            \
#f, f, s, NULL       \
	}
#define cmocka_unit_test_setup_teardown(f, s, t) \
	{                                        \
#f, f, s, t                      \
	}

static jmp_buf cmocka_failed;

_Noreturn static void cmocka_fail(const char *what, const char *file, int line)
{
	printf("# %s:%d: %s\n", file, line, what);
	longjmp(cmocka_failed, 1);
}

#define cmocka_order(a, op, b)                                                \
	do {                                                                  \
		const uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);        \
		if (!(a_ op b_)) {                                            \
			printf("# %#llx and %#llx\n", (unsigned long long)a_, \
			       (unsigned long long)b_);                       \
			cmocka_fail(#a " " #op " " #b, __FILE__, __LINE__);   \
		}                                                             \
	} while (0)
#define assert_int_equal(a, b)     cmocka_order(a, ==, b)
#define assert_int_not_equal(a, b) cmocka_order(a, !=, b)
#define assert_in_range(v, least, most)            \
	do {                                       \
		const uint64_t v_ = (uint64_t)(v); \
		cmocka_order(v_, >=, least);       \
		cmocka_order(v_, <=, most);        \
	} while (0)
#define assert_true(c)                ((c) ? (void)0 : cmocka_fail(#c, __FILE__, __LINE__))
#define assert_false(c)               assert_true(!(c))
#define assert_non_null(p)            assert_true((p) != NULL)
#define assert_null(p)                assert_true((p) == NULL)
#define assert_ptr_equal(a, b)        assert_true((const void *)(a) == (const void *)(b))
#define assert_string_equal(a, b)     assert_true(strcmp((a), (b)) == 0)
#define assert_string_not_equal(a, b) assert_true(strcmp((a), (b)) != 0)
#define assert_memory_equal(a, b, n)  assert_true(memcmp((a), (b), (n)) == 0)
#define fail()                        cmocka_fail("fail", __FILE__, __LINE__)
#define fail_msg(...)                 (printf("# " __VA_ARGS__), puts(""), fail())
#define print_message(...)            printf("# " __VA_ARGS__)
#define print_error(...)              printf("# " __VA_ARGS__)

/* Runs one test; separate, so that nothing of the caller's lives across the jump. */
static inline bool cmocka_run(const struct CMUnitTest *test)
{
	void *state = NULL;
	if (setjmp(cmocka_failed) != 0 || (test->setup != NULL && test->setup(&state) != 0)) {
		return false;
	}
	test->test(&state);
	return test->teardown == NULL || test->teardown(&state) == 0;
}

static inline int cmocka_run_all(const struct CMUnitTest *test, size_t count)
{
	int failed = 0;
	for (size_t i = 0; i < count; i++) {
		const bool passed = cmocka_run(&test[i]);
		failed += !passed;
		printf("%s %u - %s\n", passed ? "ok" : "not ok", (unsigned)i + 1, test[i].name);
	}
	return failed;
}

#define cmocka_run_group_tests(tests, setup, teardown) \
	((void)(setup), (void)(teardown),              \
	 cmocka_run_all((tests), sizeof(tests) / sizeof((tests)[0])))
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	cmocka_run_group_tests(tests, setup, teardown)

#endif
