/* SPDX-License-Identifier: MIT */
/*
 * The reader of xenstore's strings (F65).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "parse.h"

static struct xen_value value(const char *string)
{
	return (struct xen_value){.text = string, .length = strlen(string)};
}

static void a_number_is_decimal_and_in_range(void **state)
{
	static const struct {
		const char *string;
		uint64_t least, most;
		bool good;
		uint64_t number;
	} rows[] = {
		{"0", 0, 9, true, 0},
		{"7", 0, 9, true, 7},
		{"18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", 0, UINT64_MAX, false, 0},
		{"99999999999999999999", 0, UINT64_MAX, false, 0},
		{"100000000000000000000", 0, UINT64_MAX, false, 0},
		{"10", 1, 9, false, 0},
		{"0", 1, 9, false, 0},
		{"", 0, 9, false, 0},
		{"07", 0, 9, false, 0},
		{"00", 0, 9, false, 0},
		{"+7", 0, 9, false, 0},
		{"-7", 0, 9, false, 0},
		{" 7", 0, 9, false, 0},
		{"7\n", 0, 9, false, 0},
		{"0x7", 0, 9, false, 0},
		{"7,", 0, 9, false, 0},
		{"/", 0, 99, false, 0},
		{":", 0, 99, false, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t number = 4711;
		assert_int_equal(xen_parse_number(value(rows[i].string), rows[i].least,
						  rows[i].most, &number),
				 rows[i].good);
		assert_true(number == (rows[i].good ? rows[i].number : 4711));
	}
	uint64_t number = 4711;
	assert_false(xen_parse_number((struct xen_value){NULL, 0}, 0, 9, &number));
	assert_false(xen_parse_number((struct xen_value){"7\0008", 3}, 0, 999, &number));
	assert_true(xen_parse_number((struct xen_value){"78", 1}, 0, 9, &number));
	assert_int_equal(number, 7);
}

static void an_offset_is_a_signed_number_in_range(void **state)
{
	int64_t number = 4711;
	(void)state;
	assert_true(xen_parse_offset(value("-4096"), 4096, &number));
	assert_int_equal(number, -4096);
	assert_true(xen_parse_offset(value("12"), 4096, &number));
	assert_int_equal(number, 12);
	assert_true(xen_parse_offset(value("0"), 4096, &number));
	assert_false(xen_parse_offset(value("-0"), 4096, &number));
	assert_false(xen_parse_offset(value("-"), 4096, &number));
	assert_false(xen_parse_offset(value("--1"), 4096, &number));
	assert_false(xen_parse_offset(value("-4097"), 4096, &number));
	assert_false(xen_parse_offset(value("4097"), 4096, &number));
	assert_false(xen_parse_offset(value("1"), UINT64_MAX, &number));
}

static void a_generation_is_16_lower_case_hex_digits_and_not_0(void **state)
{
	uint64_t number = 4711;
	(void)state;
	assert_true(xen_parse_generation(value("00f0000000000abc"), &number));
	assert_true(number == UINT64_C(0x00f0000000000abc));
	assert_false(xen_parse_generation(value("0000000000000000"), &number));
	assert_false(xen_parse_generation(value("00f0000000000ABC"), &number));
	assert_false(xen_parse_generation(value("00f0000000000abg"), &number));
	assert_false(xen_parse_generation(value("00f0000000000ab"), &number));
	assert_false(xen_parse_generation(value("00f0000000000abcd"), &number));
	assert_false(xen_parse_generation((struct xen_value){NULL, 16}, &number));
}

static void a_name_is_short_and_one_word(void **state)
{
	char name[XEN_NAME_MAX];
	char large[XEN_NAME_MAX + 1];
	(void)state;
	assert_true(xen_parse_name(value("Domain-0"), name));
	assert_string_equal(name, "Domain-0");
	assert_false(xen_parse_name(value(""), name));
	assert_false(xen_parse_name(value("two words"), name));
	assert_false(xen_parse_name(value("line\n"), name));
	assert_false(xen_parse_name(value("\x7f"), name));
	memset(large, 'x', sizeof(large));
	assert_true(xen_parse_name((struct xen_value){large, XEN_NAME_MAX - 1}, name));
	assert_int_equal(strlen(name), XEN_NAME_MAX - 1);
	assert_false(xen_parse_name((struct xen_value){large, XEN_NAME_MAX}, name));
}

static void an_announcement_is_whole(void **state)
{
	struct xen_value nodes[XEN_NODE_COUNT] = {value("1"), value("10"), value("11"), value("12"),
						  value("00000000000000ff")};
	struct xen_announce out = {0};
	bool none;
	(void)state;
	assert_null(xen_parse_announce(nodes, &out, &none));
	assert_false(none);
	assert_int_equal(out.guest_ref, 10);
	assert_int_equal(out.host_ref, 11);
	assert_int_equal(out.port, 12);
	assert_int_equal(out.generation, 255);
	for (size_t i = 0; i < XEN_NODE_COUNT; i++) {
		struct xen_value bad[XEN_NODE_COUNT];
		memcpy(bad, nodes, sizeof(bad));
		bad[i] = (struct xen_value){NULL, 0};
		assert_non_null(xen_parse_announce(bad, &out, &none));
		assert_false(none);
		assert_int_equal(out.generation, 255);
	}
	nodes[XEN_NODE_HOST_REF] = value("10");
	assert_string_equal(xen_parse_announce(nodes, &out, &none),
			    "data/poise: both references are the same");
	memset(nodes, 0, sizeof(nodes));
	assert_non_null(xen_parse_announce(nodes, &out, &none));
	assert_true(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_decimal_and_in_range),
		cmocka_unit_test(an_offset_is_a_signed_number_in_range),
		cmocka_unit_test(a_generation_is_16_lower_case_hex_digits_and_not_0),
		cmocka_unit_test(a_name_is_short_and_one_word),
		cmocka_unit_test(an_announcement_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
