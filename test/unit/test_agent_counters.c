/* SPDX-License-Identifier: MIT */
/* poise-agent's reader of /proc: every body that it fills in is one that a host takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../guestdrv/agent/counters.h"

static const char meminfo[] = "MemTotal:         172788 kB\n"
			      "MemFree:          100000 kB\n"
			      "MemAvailable:     120000 kB\n"
			      "SwapCached:            0 kB\n"
			      "Active:            20000 kB\n"
			      "Inactive:          12000 kB\n"
			      "Active(anon):       4000 kB\n"
			      "Inactive(anon):     8000 kB\n"
			      "Active(file):      16000 kB\n"
			      "Inactive(file):     4000 kB\n"
			      "Unevictable:          40 kB\n"
			      "SwapTotal:        262140 kB\n"
			      "SwapFree:         162140 kB\n"
			      "Slab:               6000 kB\n"
			      "KernelStack:         800 kB\n"
			      "PageTables:          400 kB\n"
			      "Committed_AS:      80000 kB\n";
static const char vmstat[] = "nr_free_pages 25000\n"
			     "workingset_refault_anon 5\n"
			     "workingset_refault_file 6\n"
			     "pswpin 7\n"
			     "pswpout 8\n"
			     "allocstall_normal 2\n"
			     "allocstall_movable 1\n"
			     "oom_kill 1\n";

static void what_proc_says_is_in_the_body(void **state)
{
	struct counters c;
	struct poise_abi_guest b;

	(void)state;
	assert_int_equal(counters_start(&c, meminfo, vmstat, 0), 0);
	assert_int_equal(c.total_pages, 172788 / 4);
	assert_int_equal(c.features, POISE_GF_SWAP_FLOW | POISE_GF_COMMITTED | POISE_GF_RECLAIM |
					     POISE_GF_AVAILABLE | POISE_GF_REFAULT |
					     POISE_GF_ANON_INACTIVE);
	assert_int_equal(counters_read(&c, meminfo, vmstat, &b), 0);
	assert_int_equal(b.total_pages, 172788 / 4);
	assert_int_equal(b.balloon_pages, 0);
	assert_int_equal(b.free_pages, 25000);
	assert_int_equal(b.available_pages, 30000);
	assert_int_equal(b.active_file_pages, 4000);
	assert_int_equal(b.inactive_file_pages, 1000);
	assert_int_equal(b.active_anon_pages, 1000);
	assert_int_equal(b.inactive_anon_pages, 2000);
	assert_int_equal(b.unevictable_pages, 10);
	assert_int_equal(b.swap_used_pages, 25000);
	assert_int_equal(b.committed_pages, 20000);
	assert_int_equal(b.refault_anon_pages, 5);
	assert_int_equal(b.refault_file_pages, 6);
	assert_int_equal(b.swap_in_pages, 7);
	assert_int_equal(b.swap_out_pages, 8);
	assert_int_equal(b.direct_reclaims, 3);
	assert_int_equal(b.oom_kills, 1);
	assert_int_equal(counters_start(&c, meminfo, vmstat, 1), 0);
	assert_true((c.features & POISE_GF_MGLRU) != 0);
}

static void an_older_kernel_tells_less(void **state)
{
	struct counters c;

	(void)state;
	assert_int_equal(counters_start(&c, "MemTotal: 400 kB\nMemFree: 4 kB\n",
					"pswpin 0\npswpout 0\nworkingset_refault 3\n", 0),
			 0);
	assert_int_equal(c.features, POISE_GF_SWAP_FLOW | POISE_GF_COMMITTED | POISE_GF_RECLAIM);
}

/* The text with one number in it replaced by another one of as many digits. */
static void replace(char *text, const char *from, const char *to)
{
	char *at = strstr(text, from);

	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
}

static void what_has_no_name_is_a_balloon(void **state)
{
	struct counters c;
	struct poise_abi_guest b;
	char text[sizeof(meminfo)];

	(void)state;
	memcpy(text, meminfo, sizeof(text));
	assert_int_equal(counters_start(&c, meminfo, vmstat, 0), 0);
	replace(text, "MemFree:          100000", "MemFree:           60000");
	assert_int_equal(counters_read(&c, text, vmstat, &b), 0);
	assert_int_equal(b.balloon_pages, 10000);
	/* The kernel's own count of a balloon, if it is more. */
	assert_int_equal(counters_read(&c, text,
				       "pswpout 0\nballoon_inflate 15000\nballoon_deflate 4000\n",
				       &b),
			 0);
	assert_int_equal(b.balloon_pages, 11000);
	/* zram's memory has a name. */
	assert_int_equal(counters_read(&c, text, "pswpout 0\nnr_zspages 10000\n", &b), 0);
	assert_int_equal(b.balloon_pages, 0);
}

static void a_body_always_adds_up(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {{"MemFree:          100000", "MemFree:          172788"},
		    {"MemFree:          100000", "MemFree:          999999"},
		    {"MemAvailable:     120000", "MemAvailable:     999999"},
		    {"Active(anon):       4000", "Active(anon):     172788"},
		    {"SwapFree:         162140", "SwapFree:         999999"},
		    {"Slab:               6000", "Slab:             999999"}};
	struct counters c;
	struct poise_abi_guest b;
	char text[sizeof(meminfo)];

	(void)state;
	assert_int_equal(counters_start(&c, meminfo, vmstat, 0), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(text, meminfo, sizeof(text));
		replace(text, rows[i].from, rows[i].to);
		assert_int_equal(counters_read(&c, text, vmstat, &b), 0);
		assert_true(b.balloon_pages < b.total_pages);
		assert_true(b.available_pages <= b.total_pages - b.balloon_pages);
		assert_true(b.free_pages == 0 ||
			    b.free_pages + b.active_file_pages + b.inactive_file_pages +
					    b.active_anon_pages + b.inactive_anon_pages +
					    b.unevictable_pages <=
				    b.total_pages - b.balloon_pages);
		assert_true(b.swap_used_pages <= 262140 / 4);
	}
}

static void texts_that_are_no_counters_are_refused(void **state)
{
	static const struct {
		const char *meminfo, *vmstat;
	} rows[] = {{"", ""},
		    {"MemTotal: 400 kB\n", ""},
		    {"MemTotal: kB\n", "pswpout 1\n"},
		    {"MemTotal: 0 kB\n", "pswpout 1\n"},
		    {"MemTotal: -4 kB\n", "pswpout 1\n"},
		    {"XMemTotal: 400 kB\n", "pswpout 1\n"},
		    {"MemTotal: 99999999999999999999999 kB\n", "pswpout 1\n"},
		    {"MemTotal: 400 kB\n", "pswpout x\n"}};
	struct counters c = {.total_pages = 7};
	struct poise_abi_guest b = {.sample = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(counters_start(&c, rows[i].meminfo, rows[i].vmstat, 0), -1);
		assert_int_equal(c.total_pages, 7);
	}
	assert_int_equal(counters_read(&c, "MemTotal: 400 kB\n", "pswpout 1\n", &b), -1);
	assert_int_equal(b.sample, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_proc_says_is_in_the_body),
		cmocka_unit_test(an_older_kernel_tells_less),
		cmocka_unit_test(what_has_no_name_is_a_balloon),
		cmocka_unit_test(a_body_always_adds_up),
		cmocka_unit_test(texts_that_are_no_counters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
