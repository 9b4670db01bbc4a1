/* SPDX-License-Identifier: MIT */
#include "common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct machine vm;

int run(const char *line)
{
	return console_status(&vm.console, "%s", line);
}

uint64_t guest_sum(const char *line)
{
	return strtoull(console_run(&vm.console, "%s", line), NULL, 10);
}

void insert_module(const char *parameters)
{
	console_run(&vm.console, "insmod /poise_guest.ko %s", parameters);
}

void host_interval_is_taken(void **state)
{
	(void)state;
	struct poise_notice notice = machine_notice(&vm);
	notice.epoch = 77;
	notice.interval_ms = INTERVAL_MS;
	machine_order(&vm, &notice);
	const struct poise_sample first =
		machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	const struct poise_sample last = machine_wait_sample(&vm, first.body.sample + 10);
	const uint64_t updates = last.body.sample - first.body.sample;
	const uint64_t ms = last.body.guest_ms - first.body.guest_ms;
	/* Not more often than asked; a busy machine may be late, but not as late as before. */
	assert_in_range(ms, (updates - 1) * INTERVAL_MS, updates * 9 * INTERVAL_MS);
	const char *status = console_run(&vm.console, MACHINE_STATUS);
	assert_int_equal(console_number(status, "interval_ms"), INTERVAL_MS);
	assert_int_equal(console_number(status, "host_epoch"), 77);
	assert_int_equal(console_number(status, "host_state"), POISE_HOST_STATE_MANAGED);
}

#define FIELD(f) offsetof(struct poise_abi_guest, f)

static uint64_t field(const struct poise_sample *sample, size_t offset)
{
	uint64_t value;
	memcpy(&value, (const char *)&sample->body + offset, sizeof(value));
	return value;
}

static void near(const char *name, uint64_t published, uint64_t kernel)
{
	const uint64_t apart = published > kernel ? published - kernel : kernel - published;
	if (apart > NEAR_PAGES) {
		fail_msg("%s: %llu published, the kernel says %llu", name,
			 (unsigned long long)published, (unsigned long long)kernel);
	}
}

/* The page against what the guest's own user space sees. */
void numbers_are_the_kernels(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t offset;
	} sizes[] = {{"MemFree", FIELD(free_pages)},
		     {"MemAvailable", FIELD(available_pages)},
		     {"Active(file)", FIELD(active_file_pages)},
		     {"Inactive(file)", FIELD(inactive_file_pages)},
		     {"Active(anon)", FIELD(active_anon_pages)},
		     {"Inactive(anon)", FIELD(inactive_anon_pages)},
		     {"Unevictable", FIELD(unevictable_pages)},
		     {"Committed_AS", FIELD(committed_pages)}},
	  counters[] = {{"pswpout", FIELD(swap_out_pages)},
			{"pswpin", FIELD(swap_in_pages)},
			{"workingset_refault_anon", FIELD(refault_anon_pages)},
			{"workingset_refault_file", FIELD(refault_file_pages)},
			{"oom_kill", FIELD(oom_kills)}};
	const char *text = console_run(&vm.console, "cat /proc/meminfo /proc/vmstat");
	const struct poise_sample sample =
		machine_wait_sample(&vm, machine_sample(&vm).body.sample + 2);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		near(sizes[i].name, field(&sample, sizes[i].offset),
		     console_number(text, sizes[i].name) / 4);
	}
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		near(counters[i].name, field(&sample, counters[i].offset),
		     console_number(text, counters[i].name));
	}
	near("swap used", sample.body.swap_used_pages,
	     (console_number(text, "SwapTotal") - console_number(text, "SwapFree")) / 4);
	assert_int_equal(sample.body.direct_reclaims,
			 guest_sum("awk '/^allocstall/ { n += $2 } END { print n }' /proc/vmstat"));
	assert_int_equal(sample.body.total_pages, vm.total_pages);
	assert_int_equal(sample.body.balloon_pages, 0);
	const bool generations =
		guest_sum("printf '%d' $(cat /sys/kernel/mm/lru_gen/enabled)") != 0;
	assert_int_equal(sample.features,
			 (generations ? POISE_GF_MGLRU : 0u) | POISE_GF_ANON_INACTIVE |
				 POISE_GF_AVAILABLE | POISE_GF_SWAP_FLOW | POISE_GF_REFAULT |
				 POISE_GF_COMMITTED | POISE_GF_RECLAIM | POISE_GF_URGENT);
}

/* debugfs tells what is in the page: of a module that publishes only once a minute. */
void status_shows_what_was_published(void **state)
{
	(void)state;
	struct poise_notice notice = machine_notice(&vm);
	notice.interval_ms = 60000;
	machine_order(&vm, &notice);
	machine_wait_status(&vm, "interval_ms", 60000);
	/* While this process waits for its turn, the guest's clock may go on by more than that. */
	struct poise_sample sample;
	const char *status;
	do {
		sample = machine_sample(&vm);
		status = console_run(&vm.console, MACHINE_STATUS);
	} while (machine_sample(&vm).body.sample != sample.body.sample);
	static const char *const names[] = {
		"sample",          "free_pages",      "active_anon_pages",
		"guest_ms",        "total_pages",     "inactive_file_pages",
		"swap_used_pages", "committed_pages", "available_pages"};
	static const size_t offsets[] = {
		FIELD(sample),          FIELD(free_pages),      FIELD(active_anon_pages),
		FIELD(guest_ms),        FIELD(total_pages),     FIELD(inactive_file_pages),
		FIELD(swap_used_pages), FIELD(committed_pages), FIELD(available_pages)};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(console_number(status, names[i]), field(&sample, offsets[i]));
	}
}

/* Unloading leaves the page as it is; loading starts a new generation. */
void reload(void **state)
{
	(void)state;
	const struct poise_sample before = machine_sample(&vm);
	console_run(&vm.console, "rmmod poise_guest");
	const struct poise_sample left = machine_sample(&vm);
	console_run(&vm.console, "sleep 0.3");
	struct poise_sample after = machine_sample(&vm);
	assert_int_equal(left.boot_id, before.boot_id);
	assert_memory_equal(&left, &after, sizeof(left));

	insert_module("");
	after = machine_sample(&vm);
	assert_int_not_equal(after.boot_id, before.boot_id);
	assert_int_not_equal(after.boot_id, 0);
	/* Counted from anew, as what is loaded counts by itself. */
	const char *status = console_run(&vm.console, MACHINE_STATUS);
	assert_int_not_equal(console_number(status, "sample"), 0);
	assert_int_equal(console_number(status, "sample"), console_number(status, "updates"));
	machine_no_complaint(&vm);
}
