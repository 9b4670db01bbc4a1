/* SPDX-License-Identifier: MIT */
/*
 * The Xen backend on a fake Xen: domains found, sizes, limits, targets, administrators.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define DYING    1u /* XEN_DOMINF_dying */
#define SHUTDOWN 4u
#define PAUSED   8u

static char text[64];

static const char *target_node(void)
{
	return fake_read("/local/domain/1/memory/target", text);
}

static void finds_a_domain_by_its_name(void **state)
{
	(void)state;
	bench_domain();
	assert_int_equal(bench.start_pages, PAGES);
	assert_string_equal(fake_read("/local/domain/1/memory/poise/offset", text), "4");
	assert_int_equal(fake_domain_limit(1), PAGES + EXTRA);
	assert_int_equal(bench_measure(), PAGES);
	assert_string_equal(bench_status().state, "ready");
	assert_int_equal(bench_status().alarms, 0);
}

static void a_domain_has_the_same_identity_for_the_next_daemon(void **state)
{
	char first[BACKEND_NAME_MAX];
	(void)state;
	bench_domain();
	strcpy(first, bench_identity());
	assert_int_equal(strncmp(first, "1:", 2), 0);
	assert_int_equal(strlen(first), 2 + 2 * XEN_HANDLE_BYTES);
	bench_reopen();
	await(bench.started == 1);
	assert_string_equal(bench_identity(), first);
}

static void calibrates_within_bounds(void **state)
{
	(void)state;
	assert_int_equal(xen_vm_calibrate(PAGES + 4, PAGES), 4);
	assert_int_equal(xen_vm_calibrate(PAGES - 7, PAGES), -7);
	assert_int_equal(xen_vm_calibrate(PAGES + XEN_OFFSET_MAX, PAGES), XEN_OFFSET_MAX);
	assert_int_equal(xen_vm_calibrate(PAGES + XEN_OFFSET_MAX + 1, PAGES), 0);
	assert_int_equal(xen_vm_calibrate(PAGES, 0), 0);
}

static void shrinks_and_lowers_the_limit_as_pages_come_back(void **state)
{
	(void)state;
	bench_domain();
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	await(strcmp(target_node(), "80000") == 0);
	for (uint64_t last = PAGES; last > 20000;) {
		fake_domain_balloon(1, 3000);
		const uint64_t now = bench_measure();
		assert_true(now <= last);
		last = now;
		fake_domain_greedy(1); /* It cannot take back what has been counted as given. */
		assert_true(fake_domain_pages(1) <= now + EXTRA);
		fake_domain_balloon(1, 3000);
	}
	await(bench.moved_pages == 20000);
	assert_int_equal(bench.moved_epoch, 1);
	assert_int_equal(fake_domain_limit(1), 20000 + EXTRA);
}

static void raises_the_limit_before_the_target(void **state)
{
	(void)state;
	bench_domain();
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	await(strcmp(target_node(), "80000") == 0);
	fake_domain_balloon(1, PAGES);
	await(bench.moved_pages == 20000);
	assert_int_equal(bench_resize(25000, 2), POISE_OK);
	assert_int_equal(fake_domain_limit(1), 25000 + EXTRA); /* At once, no turn of the loop. */
	await(strcmp(target_node(), "100000") == 0);
	fake_domain_balloon(1, PAGES);
	await(bench.moved_pages == 25000);
	assert_int_equal(bench.moved_epoch, 2);
}

static void a_refused_limit_asks_for_nothing(void **state)
{
	(void)state;
	bench_domain();
	fake_fault(FAKE_LIMIT_FAILS, 1);
	const unsigned commits = fake_commits();
	assert_int_equal(bench_resize(PAGES + 100, 1), POISE_E_PORT);
	bench_turns(10);
	assert_int_equal(fake_commits(), commits);
	fake_fault(FAKE_LIMIT_FAILS, 0);
}

static void a_domain_being_built_is_charged_for_all_it_will_have(void **state)
{
	(void)state;
	fake_domain_building(1, "tv", PAGES + 256);
	await(bench.started == 1);
	assert_int_equal(bench.start_pages, PAGES + 256);
	assert_int_equal(bench_measure(), PAGES + 256);
	assert_int_equal(bench_resize(20000, 1), POISE_E_BUSY); /* Its builder needs its limit. */
	bench_turns(20);
	assert_int_equal(fake_domain_limit(1), PAGES + 256);
	fake_domain_set(1, PAGES + EXTRA, PAGES + 256);
	fake_node("/local/domain/1/memory/static-max", "131072");
	fake_node("/local/domain/1/memory/target", "131072");
	bench_turns(20);
	assert_int_equal(fake_domain_limit(1), PAGES + 256);
	fake_domain_ran(1);
	await(fake_domain_limit(1) == PAGES + EXTRA);
	assert_int_equal(bench_measure(), PAGES);
	assert_int_equal(bench.started, 1);
}

static void F48_death_and_a_new_domain_of_the_same_name(void **state)
{
	(void)state;
	bench_domain();
	fake_announce(1, 10, "00000000000000aa");
	await((bench_poll(), fake_mapped() == 2));
	fake_domain(2, "tv", PAGES, EXTRA); /* xl restarts it: for a moment there are two. */
	bench_turns(20);
	assert_int_equal(bench.started, 1);
	fake_domain_flags(1, DYING);
	await(bench.paused);
	await((bench_poll(), fake_mapped() == 0)); /* Or it would stay a zombie. */
	fake_domain_gone(1);
	await(bench.gone == 1 && bench.started == 2);
	assert_int_equal(bench.start_pages, PAGES);
}

static void F48_a_number_that_is_used_again_is_another_domain(void **state)
{
	(void)state;
	bench_domain();
	fake_announce(1, 10, "00000000000000aa");
	await((bench_poll(), fake_mapped() == 2));
	fake_domain_gone(1);
	fake_domain(1, "tv", 20000, EXTRA);
	await(bench.gone == 1 && bench.started == 2);
	assert_int_equal(bench.start_pages, 20000);
	assert_int_equal(fake_mapped(), 0);
}

static void F50_takes_over_in_the_middle_of_a_move(void **state)
{
	(void)state;
	bench_domain();
	assert_int_equal(bench_resize(20000, 1), POISE_OK);
	await(strcmp(target_node(), "80000") == 0);
	fake_domain_balloon(1, 5000);
	bench_reopen(); /* on the way down */
	await(bench.started == 1);
	assert_int_equal(bench.start_pages, PAGES - 5000);
	assert_int_equal(fake_domain_limit(1), PAGES - 5000 + EXTRA);
	await(strcmp(target_node(), "111072") == 0); /* No further: nobody has asked this poised. */

	assert_int_equal(bench_resize(PAGES, 1), POISE_OK);
	await(strcmp(target_node(), "131072") == 0);
	fake_domain_balloon(1, 1000);
	bench_reopen(); /* on the way up */
	await(bench.started == 1);
	assert_int_equal(bench.start_pages, PAGES - 4000);
	fake_domain_greedy(1);
	assert_int_equal(fake_domain_pages(1), PAGES - 4000 + EXTRA);
	bench_turns(5);
}

/* The pool looks empty as long as not all domains have been found: nothing is free until then. */
static void nothing_is_free_before_all_have_been_found(void **state)
{
	uint64_t pages;
	(void)state;
	bench_domain();
	fake_domain(2, "other", PAGES, EXTRA);
	bench_reopen();
	assert_int_equal(xen_backend.host_free(bench.ctx, 0, &pages), POISE_OK);
	assert_int_equal(pages, 0);
	await(bench.started == 1);
	assert_int_equal(bench.start_free, 0);
	assert_int_equal(xen_backend.host_free(bench.ctx, 0, &pages), POISE_OK);
	assert_int_equal(pages, 100000);
}

/* Also where nobody looks at Xen's free memory (host_reserve = 0): the daemon gives nothing while a
 * domain may be one of its own and is not charged yet. */
static void nothing_is_given_while_a_domain_may_be_ours(void **state)
{
	(void)state;
	bench_domain();
	assert_false(bench_status().adopting);
	bench_reopen();
	assert_true(bench_status().adopting);
	await(bench.started == 1);
	assert_false(bench_status().adopting);

	fake_domain_building(2, "", PAGES);
	await(bench_status().adopting);
	fake_node("/local/domain/2/name", "other");
	await(!bench_status().adopting);
	assert_true(bench_logged("other, is not in the configuration"));

	fake_domain_building(3, "", PAGES); /* Nobody ever says who it is. */
	await(bench_status().adopting);
	assert_false(bench_logged("has no name"));
	await(!bench_status().adopting);
	assert_true(bench_logged("domain 3 has no name in xenstore"));
	assert_int_equal(bench_measure(), PAGES);
}

static void nothing_is_given_while_a_domain_cannot_be_taken_in(void **state)
{
	(void)state;
	bench_domain();
	fake_domain_set(1, PAGES + EXTRA, PAGES + 100);
	fake_fault(FAKE_LIMIT_FAILS, 1);
	bench_reopen();
	bench_turns(60);
	assert_int_equal(bench.started, 0);
	assert_true(bench_status().adopting);
	fake_fault(FAKE_LIMIT_FAILS, 0);
	await(bench.started == 1);
	assert_false(bench_status().adopting);
}

static void nothing_is_given_while_a_dead_domain_has_memory(void **state)
{
	(void)state;
	bench_domain();
	fake_domain_flags(1, DYING);
	bench_reopen();
	bench_turns(60);
	assert_int_equal(bench.started, 0);
	assert_true(bench_status().adopting);
	fake_domain_set(1, 2, PAGES); /* Somebody has two of its pages mapped, for ever. */
	await(!bench_status().adopting);
	fake_domain(2, "tv", 20000, EXTRA);
	await(bench.started == 1);
	assert_int_equal(bench.start_pages, 20000);
}

/* Reloaded: a stranger may be the new VM. */
static void nothing_is_given_before_a_new_vm_has_been_looked_for(void **state)
{
	static const struct backend_vm_settings other = {.domain = "other"};
	(void)state;
	bench_domain();
	fake_domain(2, "other", PAGES, EXTRA);
	await(bench_logged("other, is not in the configuration"));
	assert_false(bench_status().adopting);
	bench.others = true;
	assert_int_equal(xen_backend.vm_open(bench.ctx, 1, "new", &other, 2 * PAGES), 0);
	assert_true(bench_status().adopting);
	await(!bench_status().adopting);
	assert_true(bench_logged("new: domain 2, "));
}

static void an_administrator_is_left_alone(void **state)
{
	(void)state;
	bench_domain();
	fake_node("/local/domain/1/memory/target", "100000"); /* xl mem-set */
	fake_domain_set(1, PAGES + EXTRA, 25256);
	await(bench.paused);
	assert_true(bench_logged("somebody else has set memory/target to 100000 KiB"));
	assert_string_equal(bench_status().state, "held");
	assert_int_equal(bench_status().alarms, BACKEND_ALARM_REFUSED);
	assert_int_equal(bench_resize(20000, 1), POISE_E_BUSY);
	fake_domain_balloon(1, PAGES);
	for (unsigned i = 0; i < 20; i++) {
		bench_poll();
		bench_turn();
	}
	assert_string_equal(target_node(), "100000");
	assert_int_equal(fake_domain_limit(1), 25256);
	assert_int_equal(bench_measure(), 25000);
	fake_node("/local/domain/1/memory/target", "131072"); /* as poised had it */
	await(!bench.paused);
	await(strcmp(target_node(), "100000") == 0); /* It is taken over as it is. */
	assert_int_equal(bench_resize(20000, 2), POISE_OK);
	await(strcmp(target_node(), "80000") == 0);
}

static void an_administrators_growth_is_charged_at_once(void **state)
{
	(void)state;
	bench_domain();
	fake_node("/local/domain/1/memory/target", "160000");
	fake_domain_set(1, PAGES + EXTRA, 40256);
	await(bench.paused);
	assert_int_equal(bench_measure(), 40000);
}

static void a_held_domain_stays_so_over_a_restart(void **state)
{
	(void)state;
	bench_domain();
	fake_node("/local/domain/1/memory/target", "100000");
	await(bench.paused);
	bench.paused = false;
	bench_reopen();
	await(bench.started == 1 && bench.paused);
	assert_string_equal(target_node(), "100000");
}

static void left_out(const char *why)
{
	await(bench_logged("is left out"));
	bench_turns(10);
	assert_int_equal(bench.started, 0);
	assert_string_equal(bench_status().state, "left out");
	assert_int_equal(bench_status().alarms, BACKEND_ALARM_REFUSED);
	assert_non_null(strstr(bench_status().detail, why));
	assert_int_equal(fake_commits(), 0);
}

static void dom0_is_never_a_donor(void **state)
{
	(void)state;
	strcpy(bench.settings.domain, "Domain-0");
	fake_domain(0, "Domain-0", 131072, 0);
	left_out("direct-mapped");
}

/* As Xen 4.17's device tree says it, and as the configuration does. */
static void who_is_fit(void **state)
{
	static const struct {
		uint32_t domid;
		unsigned memory;
		enum xen_boot_kind kind;
		const char *why;
	} rows[] = {
		{1, XEN_MEMORY_AUTO, XEN_BOOT_OTHER, NULL},
		{1, XEN_MEMORY_AUTO, XEN_BOOT_NORMAL, NULL},
		{1, XEN_MEMORY_AUTO, XEN_BOOT_STATIC, "static memory"},
		{1, XEN_MEMORY_AUTO, XEN_BOOT_DIRECT, "direct-mapped"},
		{1, XEN_MEMORY_STATIC, XEN_BOOT_OTHER, "static memory"},
		{1, XEN_MEMORY_DIRECT, XEN_BOOT_NORMAL, "direct-mapped"},
		{1, XEN_MEMORY_NORMAL, XEN_BOOT_DIRECT, NULL}, /* Whoever says so must know. */
		{0, XEN_MEMORY_NORMAL, XEN_BOOT_OTHER, "dom0 is direct-mapped"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = xen_vm_unfit(rows[i].domid, rows[i].memory, rows[i].kind);
		assert_int_equal(why == NULL, rows[i].why == NULL);
		assert_true(why == NULL || strstr(why, rows[i].why) != NULL);
	}
}

static void what_is_said_to_be_static_is_left_out(void **state)
{
	(void)state;
	bench.settings.memory = XEN_MEMORY_STATIC;
	fake_domain(1, "tv", PAGES, EXTRA);
	left_out("static memory");
}

static void what_is_not_configured_is_left_alone(void **state)
{
	(void)state;
	fake_domain(1, "stranger", PAGES, EXTRA);
	await(bench_logged("domain 1, stranger, is not in the configuration"));
	bench_turns(10);
	assert_int_equal(bench.started, 0);
	assert_int_equal(fake_commits(), 0);
	assert_int_equal(fake_domain_limit(1), PAGES + 256);
}

static void pauses_are_told(void **state)
{
	(void)state;
	bench_domain();
	fake_domain_flags(1, PAUSED);
	await(bench.paused);
	fake_domain_flags(1, 0);
	await(!bench.paused);
	fake_domain_flags(1, SHUTDOWN);
	await(bench.paused);
	assert_string_equal(bench_status().state, "stopped");
}

static void F54_free_memory_is_counted_once_or_not_believed(void **state)
{
	uint64_t pages;
	(void)state;
	bench_domain();
	fake_free_memory(&(struct fake_free){
		.free_pages = 50000, .scrub_pages = 9999, .outstanding_pages = 1000});
	assert_int_equal(xen_backend.host_free(bench.ctx, 4000, &pages), POISE_OK);
	assert_int_equal(pages, 45000);
	assert_int_equal(xen_backend.host_total(bench.ctx, &pages), POISE_OK);
	assert_int_equal(pages, 49000 + PAGES + EXTRA);
	assert_int_equal(bench_resize(PAGES + 2000, 1), POISE_OK); /* promised, not taken yet */
	assert_int_equal(xen_backend.host_free(bench.ctx, 4000, &pages), POISE_OK);
	assert_int_equal(pages, 43000);
	assert_int_equal(xen_backend.host_free(bench.ctx, 60000, &pages), POISE_OK);
	assert_int_equal(pages, 0);
	/* More free than there is: absurd, so not believed. */
	fake_free_memory(&(struct fake_free){.free_pages = 2000000});
	assert_int_equal(xen_backend.host_free(bench.ctx, 0, &pages), POISE_E_PORT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(finds_a_domain_by_its_name),
		CASE(a_domain_has_the_same_identity_for_the_next_daemon),
		CASE(calibrates_within_bounds),
		CASE(shrinks_and_lowers_the_limit_as_pages_come_back),
		CASE(raises_the_limit_before_the_target),
		CASE(a_refused_limit_asks_for_nothing),
		CASE(a_domain_being_built_is_charged_for_all_it_will_have),
		CASE(F48_death_and_a_new_domain_of_the_same_name),
		CASE(F48_a_number_that_is_used_again_is_another_domain),
		CASE(F50_takes_over_in_the_middle_of_a_move),
		CASE(nothing_is_free_before_all_have_been_found),
		CASE(nothing_is_given_while_a_domain_may_be_ours),
		CASE(nothing_is_given_while_a_domain_cannot_be_taken_in),
		CASE(nothing_is_given_while_a_dead_domain_has_memory),
		CASE(nothing_is_given_before_a_new_vm_has_been_looked_for),
		CASE(an_administrator_is_left_alone),
		CASE(an_administrators_growth_is_charged_at_once),
		CASE(a_held_domain_stays_so_over_a_restart),
		CASE(dom0_is_never_a_donor),
		CASE(who_is_fit),
		CASE(what_is_said_to_be_static_is_left_out),
		CASE(what_is_not_configured_is_left_alone),
		CASE(pauses_are_told),
		CASE(F54_free_memory_is_counted_once_or_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
