/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong between the Xen backend and xenstore, grants and event channels. The ids are
 * those of the fault catalogue (test/fault/catalogue.txt).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "nodes.h"

#define NODE(name)   "/local/domain/1/data/poise/" name
#define GENERATION   "00000000000000aa"
#define GENERATION_2 "00000000000000ab"

static char text[64];

static const char *target_node(void)
{
	return fake_read("/local/domain/1/memory/target", text);
}

static void mapped_domain(void)
{
	bench_domain();
	fake_announce(1, 10, GENERATION);
	await((bench_poll(), bench_pages().guest != NULL));
	assert_non_null(bench_pages().host);
	assert_int_equal(fake_mapped(), 2);
}

/* F25: the page is taken back while it is mapped. */
static void F25_announcement_removed(void **state)
{
	(void)state;
	mapped_domain();
	fake_node("/local/domain/1/data/poise", NULL);
	await((bench_poll(), bench_pages().guest == NULL));
	assert_null(bench_pages().host);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(bench_status().alarms, 0); /* Without a driver: normal life. */
	fake_announce(1, 20, GENERATION_2);
	await((bench_poll(), bench_pages().guest != NULL));
}

static void F25_changed_reference(void **state)
{
	(void)state;
	mapped_domain();
	const void *before = bench_pages().guest;
	fake_announce(1, 20, GENERATION_2);
	await((bench_poll(), bench_pages().guest != before));
	assert_int_equal(fake_mapped(), 2);
	/* The same references, but the guest says that they are new pages. */
	fake_node(NODE("generation"), "00000000000000ac");
	bench_turns(60);
	bench_poll();
	assert_int_equal(fake_mapped(), 2);
}

/* F66: the grant cannot be mapped. */
static void F66_grant_cannot_be_mapped(void **state)
{
	(void)state;
	bench_domain();
	fake_fault(FAKE_MAP_FAILS, -1);
	fake_announce(1, 10, GENERATION);
	await((bench_poll(), bench_status().alarms == BACKEND_ALARM_PAGE));
	assert_null(bench_pages().guest);
	assert_non_null(strstr(bench_status().detail, "cannot be mapped"));
	assert_int_equal(bench_resize(20000, 1), POISE_OK); /* Its size is another matter. */
	fake_fault(FAKE_MAP_FAILS, 0);
	await((bench_poll(), bench_pages().guest != NULL)); /* After some polls, by itself. */
	assert_int_equal(bench_status().alarms, 0);
}

static void F66_second_grant_cannot_be_mapped(void **state)
{
	(void)state;
	bench_domain();
	fake_announce(1, 10, GENERATION);
	fake_node(NODE("host-ref"), "4711");
	await((bench_poll(), bench_status().alarms == BACKEND_ALARM_PAGE));
	assert_int_equal(fake_mapped(), 0); /* Not one without the other. */
}

static void F66_no_event_channel(void **state)
{
	(void)state;
	fake_fault(FAKE_BIND_FAILS, 1);
	mapped_domain(); /* Pages without a doorbell are good enough. */
	assert_non_null(strstr(bench_status().detail, "no doorbell: event channel 110"));
	assert_int_equal(bench_status().alarms, 0);
}

/* F63: EAGAIN, once, a hundred times, for ever. */
static void F63_commit_answers_eagain(void **state)
{
	(void)state;
	bench_domain();
	fake_fault(FAKE_COMMIT_EAGAIN, 1);
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	await(strcmp(target_node(), "80000") == 0);

	fake_fault(FAKE_COMMIT_EAGAIN, 100);
	assert_int_equal(bench_resize(21000, 2), POISE_OK);
	await((bench_poll(), strcmp(target_node(), "84000") == 0));
	assert_string_equal(fake_read("/local/domain/1/memory/poise/target", text), "84000");
}

static void F63_eagain_for_ever(void **state)
{
	(void)state;
	bench_domain();
	const unsigned commits = fake_commits();
	for (unsigned before = UINT_MAX; before != fake_reads();) {
		before = fake_reads();
		bench_turns(60); /* until nothing is left to be read */
	}
	fake_fault(FAKE_COMMIT_EAGAIN, -1);
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	await(bench_status().alarms != 0);
	bench_turns(100);
	assert_int_equal(fake_refused(), XEN_TRIES); /* No more before the next interval... */
	bench_poll();
	await(fake_refused() == 2 * XEN_TRIES); /* ...and then as many. */
	assert_true((bench_status().alarms & (BACKEND_ALARM_DOWN | BACKEND_ALARM_REFUSED)) != 0);
	assert_int_equal(fake_commits(), commits); /* Nothing is half written. */
	assert_string_equal(target_node(), "131072");
	assert_int_equal(bench_measure(), PAGES); /* The loop goes on, and counts. */
	fake_fault(FAKE_COMMIT_EAGAIN, 0);
	await((bench_poll(), strcmp(target_node(), "80000") == 0));
	await((bench_poll(), bench_status().alarms == 0));
}

/* F64: ENOENT, EACCES, EQUOTA, xenstored gone and back. */
static void F64_write_refused(void **state)
{
	static const int refusals[] = {EACCES, ENOSPC, EDQUOT, ENOENT, EIO};
	(void)state;
	bench_domain();
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const uint64_t target = 20000 + i;
		char expected[32];
		snprintf(expected, sizeof(expected), "%u", (unsigned)target * 4);
		await(bench_resize(target, i + 1) == POISE_OK);
		fake_fault(FAKE_WRITE_ERRNO, refusals[i]);
		bench_turns(20);
		bench_poll();
		bench_measure();
		fake_fault(FAKE_WRITE_ERRNO, 0);
		await((bench_poll(), strcmp(target_node(), expected) == 0));
	}
	await((bench_poll(), bench_status().alarms == 0));
}

static void F64_read_refused(void **state)
{
	(void)state;
	mapped_domain();
	fake_fault(FAKE_READ_ERRNO, EACCES);
	fake_node(NODE("version"), "1");
	await(bench_status().alarms == BACKEND_ALARM_DOWN);
	assert_non_null(strstr(bench_status().detail, "no permission"));
	assert_non_null(bench_pages().guest); /* What was good stays. */
	fake_fault(FAKE_READ_ERRNO, 0);
	await(bench_status().alarms == 0);
}

static void F64_domain_vanishes_from_xenstore(void **state)
{
	(void)state;
	mapped_domain();
	fake_node("/local/domain/1", NULL); /* It still runs, as far as Xen knows. */
	await((bench_poll(), bench_pages().guest == NULL));
	assert_int_equal(bench.gone, 0);
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	await((bench_poll(), bench_status().alarms == BACKEND_ALARM_REFUSED));
	assert_int_equal(bench_measure(), PAGES);
}

static void F64_xenstored_restarted(void **state)
{
	(void)state;
	mapped_domain();
	fake_fault(FAKE_CONNECT_ERRNO, ECONNREFUSED);
	fake_store_breaks();
	await(bench_status().alarms == BACKEND_ALARM_DOWN);
	assert_non_null(strstr(bench_status().detail, "cannot be reached"));
	assert_int_equal(bench_resize(20000, 1), POISE_E_PORT);
	assert_int_equal(bench_measure(), PAGES);
	assert_int_equal(fake_domain_limit(1), PAGES + EXTRA);
	assert_int_equal(bench.gone, 0);
	fake_fault(FAKE_CONNECT_ERRNO, 0);
	await(bench_status().alarms == 0);
	assert_int_equal(bench_resize(20000, 2), POISE_OK);
	await(strcmp(target_node(), "80000") == 0);
	fake_node("/local/domain/1/data/poise", NULL); /* Watches are there again. */
	await((bench_poll(), bench_pages().guest == NULL));
}

/* F41, F64: xenstored takes a request and never answers. */
static void F64_xenstored_hangs(void **state)
{
	(void)state;
	mapped_domain();
	fake_fault(FAKE_HANG, 1);
	assert_int_equal(bench_resize(20000, 1), POISE_OK); /* Nobody knows yet. */
	await(bench_status().alarms == BACKEND_ALARM_DOWN);
	assert_non_null(strstr(bench_status().detail, "does not answer"));
	assert_int_equal(bench_resize(21000, 2), POISE_E_PORT);
	assert_int_equal(bench_measure(), PAGES);
	bench_poll();
	fake_fault(FAKE_HANG, 0);
	await(strcmp(target_node(), "80000") == 0);
	assert_int_equal(bench_status().alarms, 0);
}

static void F64_growth_without_xenstored_raises_no_limit(void **state)
{
	(void)state;
	bench_domain();
	fake_fault(FAKE_CONNECT_ERRNO, ECONNREFUSED);
	fake_store_breaks();
	await(bench_status().alarms == BACKEND_ALARM_DOWN);
	assert_int_equal(bench_resize(PAGES + 5000, 1), POISE_E_PORT);
	assert_int_equal(fake_domain_limit(1), PAGES + EXTRA);
}

/* F65: values that are no numbers, long ones, with a newline, with a NUL. */
static void F65_garbage_in_each_node(void **state)
{
	static const char *const nodes[] = {NODE("version"), NODE("guest-ref"), NODE("host-ref"),
					    NODE("event-channel"), NODE("generation")};
	static const char *const good[] = {"1", "10", "11", "110", GENERATION_2};
	static const char *const bad[] = {"",
					  "x",
					  "-1",
					  "0",
					  "010",
					  " 10",
					  "10 ",
					  "10\n",
					  "0x10",
					  "1e1",
					  "1.0",
					  "99999999999999999999",
					  "18446744073709551616",
					  "%n%s",
					  "\xff\xfe"};
	static char large[4096];
	(void)state;
	memset(large, '1', sizeof(large));
	bench_domain();
	for (size_t n = 0; n < sizeof(nodes) / sizeof(nodes[0]); n++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + 2; i++) {
			fake_announce(1, 10, GENERATION);
			if (i < sizeof(bad) / sizeof(bad[0])) {
				fake_node(nodes[n], bad[i]);
			} else if (i == sizeof(bad) / sizeof(bad[0])) {
				fake_node_bytes(nodes[n], large, sizeof(large));
			} else {
				fake_node_bytes(nodes[n], "1\0001", 3);
			}
			await((bench_poll(), bench_status().alarms == BACKEND_ALARM_PAGE));
			assert_null(bench_pages().guest);
			assert_non_null(strstr(bench_status().detail, "data/poise"));
			fake_node(nodes[n], good[n]);
			await((bench_poll(), bench_pages().guest != NULL));
			assert_int_equal(bench_status().alarms, 0);
			if (i > 3 && n > 0) {
				break; /* All of them for one node, some for the others. */
			}
		}
	}
}

static void F65_garbage_from_the_toolstack(void **state)
{
	(void)state;
	bench_domain();
	fake_node("/local/domain/1/memory/poise/offset", "banana");
	fake_node("/local/domain/1/memory/static-max", "-1");
	fake_node("/local/domain/1/name", "two words");
	bench_turns(60);
	assert_int_equal(bench.gone, 0);
	assert_int_equal(bench_measure(), PAGES);
	/* A target of nothing is never taken for a wish, and never overwritten blindly. */
	fake_node("/local/domain/1/memory/target", "zero");
	await(bench.paused);
	assert_string_equal(target_node(), "zero");
	fake_node("/local/domain/1/memory/target", "131072");
	await(!bench.paused);
}

/* A guest that never stops writing costs a read each 100 ms, and nobody else anything. */
static void a_writing_storm_is_read_now_and_then(void **state)
{
	(void)state;
	mapped_domain();
	const unsigned reads = fake_reads();
	for (unsigned i = 0; i < 1000; i++) {
		fake_node(NODE("version"), "1");
		if (i % 10 == 0) {
			bench_turn();
		}
	}
	assert_true(fake_reads() - reads < 1000);
	assert_int_equal(bench_measure(), PAGES);
}

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* F27: a doorbell that never stops is heard once in 10 ms, however slow the machine is. */
static void F27_doorbell_storm(void **state)
{
	const uint64_t start = clock_us();

	(void)state;
	mapped_domain();
	fake_ring(110);
	await(bench.bells == 1);
	for (unsigned i = 0; i < 1000; i++) {
		fake_ring(110); /* masked */
		bench_turn();
	}
	assert_in_range(bench.bells, 1, 1 + (clock_us() - start) / 10000u);
	assert_true(bench.bells < 1000);
	const unsigned heard = bench.bells;
	await((fake_ring(110), bench.bells > heard)); /* After the gap it is heard again. */
}

/* F43: a domain dies between the request and its answer; another one gets its number. */
static void F43_domain_dies_with_a_request_under_way(void **state)
{
	(void)state;
	bench_domain();
	fake_fault(FAKE_COMMIT_EAGAIN, -1);
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	fake_domain_gone(1);
	await(bench.gone == 1);
	fake_fault(FAKE_COMMIT_EAGAIN, 0);
	assert_int_equal(bench_resize(21000, 2), POISE_E_BUSY);
	bench_poll();
	bench_turns(20);
	assert_string_equal(target_node(), ""); /* Nobody's node is made anew. */
	fake_domain(1, "other", PAGES, EXTRA);
	await(bench_logged("other, is not in the configuration"));
	bench_poll();
	bench_turns(60);
	assert_string_equal(target_node(),
			    "131072"); /* Nothing of the old one's gets to the new. */
	assert_string_equal(fake_read("/local/domain/1/memory/poise/target", text), "");
	assert_int_equal(fake_domain_limit(1), PAGES + 256);
	assert_int_equal(bench.moved, 0);
}

/* F28: a doorbell of a domain that has gone. */
static void F28_late_doorbell(void **state)
{
	(void)state;
	mapped_domain();
	fake_node("/local/domain/1/data/poise", NULL);
	await((bench_poll(), fake_mapped() == 0));
	fake_ring(110);
	bench_turns(10);
	assert_int_equal(bench.bells, 0);
}

/* F54: Xen does not list its domains: nobody is taken for gone. */
static void F54_no_list_of_domains(void **state)
{
	uint64_t pages;
	(void)state;
	bench_domain();
	fake_fault(FAKE_LIST_FAILS, 1);
	await(bench_logged("cannot list domains"));
	assert_int_equal(bench.gone, 0);
	assert_int_equal(xen_backend.measure(bench.ctx, 0, &pages), POISE_E_PORT);
	fake_fault(FAKE_LIST_FAILS, 0);
	await(bench_logged("domains are listed again"));
	assert_int_equal(bench.gone, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(F25_announcement_removed),
		CASE(F25_changed_reference),
		CASE(F66_grant_cannot_be_mapped),
		CASE(F66_second_grant_cannot_be_mapped),
		CASE(F66_no_event_channel),
		CASE(F63_commit_answers_eagain),
		CASE(F63_eagain_for_ever),
		CASE(F64_write_refused),
		CASE(F64_read_refused),
		CASE(F64_domain_vanishes_from_xenstore),
		CASE(F64_xenstored_restarted),
		CASE(F64_xenstored_hangs),
		CASE(F64_growth_without_xenstored_raises_no_limit),
		CASE(F65_garbage_in_each_node),
		CASE(F65_garbage_from_the_toolstack),
		CASE(a_writing_storm_is_read_now_and_then),
		CASE(F27_doorbell_storm),
		CASE(F43_domain_dies_with_a_request_under_way),
		CASE(F28_late_doorbell),
		CASE(F54_no_list_of_domains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
