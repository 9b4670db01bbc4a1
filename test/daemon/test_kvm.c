/* SPDX-License-Identifier: MIT */
/* The KVM backend's readers: QMP, virtio-balloon's statistics, /proc, the page file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "pagefile.h"
#include "poise.h"
#include "proc.h"
#include "qmp.h"
#include "stats.h"

#define MIB 256u

static void only_qmp_is_a_message(void **state)
{
	static const struct {
		const char *line;
		enum qmp_kind kind;
		uint64_t id;
		const char *text;
	} rows[] = {
		{"{\"QMP\": {\"version\": {}}}", QMP_GREETING, 0, ""},
		{"{\"return\": {}, \"id\": 33}", QMP_RETURN, 33, ""},
		{"{\"return\": {}}", QMP_RETURN, 0, ""},
		{"{\"return\": {}, \"id\": \"33\"}", QMP_RETURN, 0, ""},
		{"{\"return\": {}, \"id\": -1}", QMP_RETURN, 0, ""},
		{"{\"return\": {}, \"id\": 99999999999}", QMP_RETURN, 0, ""},
		{"{\"return\": null, \"id\": 1}", QMP_RETURN, 1, ""},
		{"{\"error\": {\"class\": \"E\", \"desc\": \"d\"}, \"id\": 2}", QMP_ERROR, 2,
		 "E: d"},
		{"{\"error\": {\"class\": \"E\"}, \"id\": 2}", QMP_ERROR, 2, "E: "},
		{"{\"error\": {}, \"id\": 2}", QMP_BAD, 2, "an error without a class"},
		{"{\"event\": \"RESET\"}", QMP_EVENT, 0, "RESET"},
		{"{\"event\": 1}", QMP_BAD, 0, "an event without a name"},
		{"{}", QMP_BAD, 0, "an object that is no message"},
		{"[]", QMP_BAD, 0, "no JSON object"},
		{"", QMP_BAD, 0, "no JSON object"},
		{"{\"return\": {}} x", QMP_BAD, 0, "no JSON object"},
		{"{\"return\": 1, \"return\": 2}", QMP_BAD, 0, "no JSON object"},
		{"{\"event\": \"\xff\"}", QMP_BAD, 0, "no JSON object"},
		{"[[[[[[[[[[[[[[[[[[[[", QMP_BAD, 0, "brackets that nest too deep"},
		{"{\"event\": \"[[[[[[[[[[[[[[[[[[[[\"}", QMP_EVENT, 0, "[[[[[[[[[[[[[[[[[[[["},
		{"{\"event\": \"\\\"[[[[[[[[[[[[[[[[[[\"}", QMP_EVENT, 0, "\"[[[[[[[[[[[[[[[[[["},
	};
	struct qmp_message message;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(qmp_parse(rows[i].line, strlen(rows[i].line), &message),
				 rows[i].kind);
		assert_int_equal(message.kind, rows[i].kind);
		if (rows[i].kind != QMP_BAD) {
			assert_int_equal(message.id, rows[i].id);
		}
		assert_string_equal(message.text, rows[i].text);
		qmp_free(&message);
	}
	assert_int_equal(qmp_parse("{}", QMP_LINE_MAX + 1u, &message), QMP_BAD);
	qmp_free(&message);
}

static void qmp_numbers_are_whole_and_in_range(void **state)
{
	static const struct {
		const char *text;
		bool right;
		uint64_t value;
	} rows[] = {{"0", true, 0},
		    {"4096", true, 4096},
		    {"9007199254740992", true, UINT64_C(1) << 53},
		    {"1e3", true, 1000},
		    {"-1", false, 0},
		    {"0.5", false, 0},
		    {"9007199254740994", false, 0},
		    {"18446744073709551615", false, 0},
		    {"\"1\"", false, 0},
		    {"true", false, 0},
		    {"null", false, 0},
		    {"[1]", false, 0}};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json =
			json_loads(rows[i].text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);

		value = 7;
		assert_int_equal(qmp_number(json, UINT64_MAX, &value), rows[i].right);
		assert_int_equal(value, rows[i].right ? rows[i].value : 7);
		json_decref(json);
	}
	assert_false(qmp_number(NULL, UINT64_MAX, &value));
}

static void qmp_sizes_are_whole_pages_in_range(void **state)
{
	static const struct {
		double bytes;
		bool right;
		uint64_t pages;
	} rows[] = {{4096, true, 1},
		    {8191, true, 1},
		    {4095, false, 0},
		    {0, false, 0},
		    {17592186044416.0, true, POISE_PAGES_MAX},
		    {17592186048512.0, false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = json_real(rows[i].bytes);
		uint64_t pages = 7;

		assert_int_equal(qmp_pages(json, &pages), rows[i].right);
		assert_int_equal(pages, rows[i].right ? rows[i].pages : 7);
		json_decref(json);
	}
}

/* An answer to qom-get guest-stats. `missing`: as QEMU says it. */
static json_t *stats_answer(unsigned updated, double total, double free_bytes, double caches,
			    double available)
{
	return json_pack("{s:f, s:{s:f, s:f, s:f, s:f, s:f, s:f}}", "last-update", (double)updated,
			 "stats", "stat-total-memory", total, "stat-free-memory", free_bytes,
			 "stat-disk-caches", caches, "stat-available-memory", available,
			 "stat-swap-in", 4096.0 * 10, "stat-swap-out", 4096.0 * 30);
}

static void statistics_become_a_sample(void **state)
{
	struct stats *stats = aligned_alloc(alignof(struct stats), sizeof(struct stats));
	const double mib = 1048576.0;
	const double missing = 18446744073709551615.0;
	const struct {
		json_t *answer;
		uint64_t actual;
		bool taken;
		uint64_t free_pages, active_file, inactive_file, anon;
	} rows[] = {
		{stats_answer(1, 190 * mib, 40 * mib, 50 * mib, 80 * mib), 200u * MIB, true,
		 40u * MIB, 10u * MIB, 40u * MIB, 100u * MIB},
		/* The same again is nothing new. */
		{stats_answer(1, 190 * mib, 40 * mib, 50 * mib, 80 * mib), 200u * MIB, false, 0, 0,
		 0, 0},
		/* With deflate-on-oom the balloon stays in the total. */
		{stats_answer(2, 256 * mib, 40 * mib, 50 * mib, 80 * mib), 200u * MIB, true,
		 40u * MIB, 10u * MIB, 40u * MIB, 110u * MIB},
		/* Without caches and available memory, which older guests do not tell. */
		{stats_answer(3, 190 * mib, 40 * mib, missing, missing), 200u * MIB, true,
		 40u * MIB, 0, 0, 150u * MIB},
		/* Parts larger than the whole, of a moment when the balloon moved, are cut. */
		{stats_answer(4, 190 * mib, 180 * mib, 50 * mib, 300 * mib), 100u * MIB, true,
		 100u * MIB, 0, 0, 0},
		{stats_answer(5, missing, 40 * mib, 50 * mib, 80 * mib), 200u * MIB, false, 0, 0, 0,
		 0},
		{stats_answer(6, 190 * mib, missing, 50 * mib, 80 * mib), 200u * MIB, false, 0, 0,
		 0, 0},
		{stats_answer(7, 0, 40 * mib, 50 * mib, 80 * mib), 200u * MIB, false, 0, 0, 0, 0},
		{stats_answer(0, 190 * mib, 40 * mib, 50 * mib, 80 * mib), 200u * MIB, false, 0, 0,
		 0, 0},
		{json_pack("{s:f}", "last-update", 9.0), 200u * MIB, false, 0, 0, 0, 0},
		{json_pack("[]"), 200u * MIB, false, 0, 0, 0, 0},
		{json_null(), 200u * MIB, false, 0, 0, 0, 0},
	};
	struct poise_sample sample;
	uint64_t number = 0;

	(void)state;
	assert_non_null(stats);
	memset(stats, 0, sizeof(*stats));
	assert_non_null(stats_take(stats, rows[0].answer, 1, 1)); /* not started */
	stats_start(stats, 5, 256u * MIB);
	assert_null(stats_page(stats));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(stats_take(stats, rows[i].answer, rows[i].actual, 1) == NULL,
				 rows[i].taken);
		if (rows[i].taken) {
			assert_int_equal(poise_page_read(stats_page(stats), 256u * MIB, &sample),
					 POISE_OK);
			assert_int_equal(sample.body.sample, ++number);
			assert_int_equal(sample.body.total_pages, 256u * MIB);
			assert_int_equal(sample.body.balloon_pages, 256u * MIB - rows[i].actual);
			assert_int_equal(sample.body.free_pages, rows[i].free_pages);
			assert_int_equal(sample.body.active_file_pages, rows[i].active_file);
			assert_int_equal(sample.body.inactive_file_pages, rows[i].inactive_file);
			assert_int_equal(sample.body.inactive_anon_pages, rows[i].anon);
			assert_int_equal(sample.body.swap_used_pages, 20);
		}
		json_decref(rows[i].answer);
	}
	stats_stop(stats);
	assert_null(stats_page(stats));
	free(stats);
}

static void a_process_has_a_time_at_which_it_was_started(void **state)
{
	uint64_t first = 0, own = 0;

	(void)state;
	assert_true(proc_started(1, &first));
	assert_true(proc_started(getpid(), &own));
	assert_true(own > 0 && own >= first);
	assert_false(proc_started(0x7ffffff0, &own));
}

static void fields_of_proc_have_whole_names(void **state)
{
	static const char text[] = "MemTotal:       16384 kB\nMemFree: 4 kB\nMemAvailable:\t8 kB\n"
				   "Odd: x kB\nEmpty:\nHuge: 99999999999999999999999 kB";
	uint64_t pages = 0;
	uint64_t available = 0;

	(void)state;
	assert_true(proc_field(text, "MemTotal", &pages));
	assert_int_equal(pages, 4096);
	assert_true(proc_field(text, "MemAvailable", &pages));
	assert_int_equal(pages, 2);
	assert_false(proc_field(text, "Mem", &pages));
	assert_false(proc_field(text, "Odd", &pages));
	assert_false(proc_field(text, "Empty", &pages));
	assert_false(proc_field("", "MemTotal", &pages));
	assert_true(proc_host(&pages, &available));
	assert_true(available > 0 && available <= pages);
	assert_true(proc_resident(getpid(), &pages));
	assert_true(pages > 0);
	assert_false(proc_resident(-1, &pages));
}

static void f25_file_cut_off_under_the_reader(void **state)
{
	char path[] = "/tmp/poise-page-XXXXXX";
	const int fd = mkstemp(path);
	struct pagefile file;
	struct poise_sample sample;
	struct poise_host_writer writer = {0};
	const struct poise_notice notice = {.target_pages = 1, .epoch = 1};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pagefile_guard(), 0);
	pagefile_init(&file, path);
	assert_false(pagefile_check(&file)); /* Too short. */
	assert_true(strlen(file.why) > 0);
	assert_int_equal(ftruncate(fd, PAGEFILE_BYTES), 0);
	assert_true(pagefile_check(&file));
	assert_string_equal(file.why, "");
	assert_int_equal(ftruncate(fd, 0), 0);
	/* Both sides go on, over an empty page. */
	assert_int_equal(poise_page_read(file.guest, 1, &sample), POISE_E_MAGIC);
	poise_host_page_write(file.host, &writer, &notice);
	assert_false(pagefile_check(&file));
	assert_null(file.guest);
	assert_non_null(strstr(file.why, "cut off"));
	assert_int_equal(ftruncate(fd, PAGEFILE_BYTES), 0);
	assert_true(pagefile_check(&file));
	/* What is written arrives, and the guest's page is not ours to write. */
	poise_host_page_write(file.host, &writer, &notice);
	assert_int_equal(pread(fd, &sample, 8, POISE_ABI_PAGE_BYTES), 8);
	unlink(path);
	assert_false(pagefile_check(&file));
	assert_string_equal(file.why, "");
	pagefile_close(&file);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_qmp_is_a_message),
		cmocka_unit_test(qmp_numbers_are_whole_and_in_range),
		cmocka_unit_test(qmp_sizes_are_whole_pages_in_range),
		cmocka_unit_test(statistics_become_a_sample),
		cmocka_unit_test(fields_of_proc_have_whole_names),
		cmocka_unit_test(a_process_has_a_time_at_which_it_was_started),
		cmocka_unit_test(f25_file_cut_off_under_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
