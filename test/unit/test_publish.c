/* SPDX-License-Identifier: MIT */
/*
 * The guest driver: what it publishes is what the host reads, and nothing that a host page holds
 * gets it to believe nonsense.
 */
#include "support.h"

#include "poise_seq.h"
#include "publish.h"

#define TOTAL   UINT64_C(65536)
#define BOOT_ID UINT64_C(0x1234)

static struct poise_guest_page page __attribute__((aligned(4096)));
static struct poise_host_page host __attribute__((aligned(4096)));
static struct gd gd;
static struct poise_host_writer writer;

static int start(void **state)
{
	(void)state;
	memset(&page, 0, sizeof(page));
	memset(&host, 0, sizeof(host));
	memset(&writer, 0, sizeof(writer));
	return gd_init(&gd, &page, &host, BOOT_ID, TOTAL, POISE_GF_KNOWN);
}

static struct poise_notice a_notice(void)
{
	return (struct poise_notice){.boot_id = BOOT_ID,
				     .interval_ms = 500,
				     .target_pages = TOTAL / 2,
				     .epoch = 7,
				     .state = POISE_HOST_STATE_MANAGED};
}

static void init_refuses_what_cannot_work(void **state)
{
	(void)state;
	struct poise_guest_page *odd = (struct poise_guest_page *)(void *)((char *)&page + 8);
	const struct poise_host_page *odd_host =
		(const struct poise_host_page *)(const void *)((char *)&host + 2048);
	assert_int_equal(gd_init(NULL, &page, &host, 1, 1, 0), -1);
	assert_int_equal(gd_init(&gd, NULL, &host, 1, 1, 0), -1);
	assert_int_equal(gd_init(&gd, &page, NULL, 1, 1, 0), -1);
	assert_int_equal(gd_init(&gd, odd, &host, 1, 1, 0), -1);
	assert_int_equal(gd_init(&gd, &page, odd_host, 1, 1, 0), -1);
	assert_int_equal(gd_init(&gd, &page, &host, 0, 1, 0), -1);
	assert_int_equal(gd_init(&gd, &page, &host, 1, 0, 0), -1);
	assert_int_equal(gd_init(&gd, &page, &host, 1, 1, 0), 0);
	assert_int_equal(page.head.seq, 0); /* nothing is written yet */
}

static void the_host_reads_what_was_published(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 3; i++) {
		struct poise_guest_update update = support_update(TOTAL);
		struct poise_sample sample;
		update.body.free_pages = 1000 + i;
		gd_publish(&gd, &update.body);
		assert_int_equal(page.head.seq, 2 * i);
		assert_int_equal(poise_page_read(&page, TOTAL, &sample), POISE_OK);
		update.body.sample = i;
		assert_int_equal(sample.boot_id, BOOT_ID);
		assert_int_equal(sample.features, POISE_GF_KNOWN);
		assert_memory_equal(&sample.body, &update.body, sizeof(sample.body));
	}
}

static void sample_and_total_are_the_drivers_own(void **state)
{
	(void)state;
	struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	update.body.sample = 99;
	update.body.total_pages = 1;
	gd_publish(&gd, &update.body);
	assert_int_equal(poise_page_read(&page, TOTAL, &sample), POISE_OK);
	assert_int_equal(sample.body.sample, 1);
	assert_int_equal(sample.body.total_pages, TOTAL);
}

static void publishing_touches_its_own_fields_only(void **state)
{
	(void)state;
	const struct poise_guest_update update = support_update(TOTAL);
	memset(&page, 0xa5, sizeof(page));
	gd_publish(&gd, &update.body);
	assert_int_equal(page.head.urgent, 0xa5a5a5a5u);
	for (size_t i = 0; i < sizeof(page.head.reserved); i++) {
		assert_int_equal(page.head.reserved[i], 0xa5);
	}
	for (size_t i = 0; i < sizeof(page.spare); i++) {
		assert_int_equal(page.spare[i], 0xa5);
	}
}

static void f03_a_sequence_that_wraps_is_read(void **state)
{
	(void)state;
	struct poise_guest_update update = support_update(TOTAL);
	gd.seq = 0xfffffffcu;
	for (unsigned i = 1; i <= 4; i++) {
		struct poise_sample sample;
		gd_publish(&gd, &update.body);
		assert_int_equal(page.head.seq, (uint32_t)(0xfffffffcu + 2 * i));
		assert_int_equal(poise_page_read(&page, TOTAL, &sample), POISE_OK);
		assert_int_equal(sample.body.sample, i);
	}
}

static void f27_urgent_is_rate_limited(void **state)
{
	(void)state;
	static const struct {
		uint64_t now_ms;
		int rung;
	} rows[] = {
		{0, 1},                       /* the first one at once, at time zero too */
		{0, 0},   {99, 0},  {100, 1}, /* exactly gap_ms later */
		{150, 0}, {199, 0}, {250, 1}, {100000, 1},
	};
	uint32_t word = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(gd_urgent(&gd, rows[i].now_ms, 100), rows[i].rung);
		word += (uint32_t)rows[i].rung;
		assert_int_equal(page.head.urgent, word);
		assert_int_equal(poise_page_urgent(&page), word);
	}
	assert_int_equal(page.head.seq, 0); /* not under the sequence word */
}

static void an_urgent_word_that_wraps_still_moves(void **state)
{
	(void)state;
	gd.urgent = UINT32_MAX;
	assert_int_equal(gd_urgent(&gd, 1, 0), 1);
	assert_int_equal(page.head.urgent, 0);
	assert_int_equal(gd_urgent(&gd, 1, 0), 1);
	assert_int_equal(page.head.urgent, 1);
}

static void a_notice_arrives_once(void **state)
{
	(void)state;
	struct poise_notice notice = a_notice();
	struct gd_host out = {0};
	assert_int_equal(gd_host_read(&gd, &out), 0); /* a fresh page */
	for (uint64_t i = 1; i <= 3; i++) {
		notice.epoch = i;
		notice.state = (uint32_t)(POISE_HOST_STATE_UNMANAGED + i);
		poise_host_page_write(&host, &writer, &notice);
		assert_int_equal(gd_host_read(&gd, &out), 1);
		assert_int_equal(out.interval_ms, notice.interval_ms);
		assert_int_equal(out.target_pages, notice.target_pages);
		assert_int_equal(out.epoch, notice.epoch);
		assert_int_equal(out.state, notice.state);
		assert_int_equal(out.features, POISE_HF_KNOWN);
		assert_int_equal(gd_host_read(&gd, &out), 0);
	}
	assert_int_equal(gd.bad_host_pages, 0);
}

static void a_notice_before_the_first_sample_has_no_boot_id(void **state)
{
	(void)state;
	struct poise_notice notice = a_notice();
	struct gd_host out;
	notice.boot_id = 0;
	poise_host_page_write(&host, &writer, &notice);
	assert_int_equal(gd_host_read(&gd, &out), 1);
}

static void the_interval_is_clamped(void **state)
{
	(void)state;
	static const uint64_t rows[][2] = {
		{0, GD_INTERVAL_MIN_MS},
		{1, GD_INTERVAL_MIN_MS},
		{GD_INTERVAL_MIN_MS, GD_INTERVAL_MIN_MS},
		{GD_INTERVAL_MAX_MS, GD_INTERVAL_MAX_MS},
		{UINT64_MAX, GD_INTERVAL_MAX_MS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct poise_notice notice = a_notice();
		struct gd_host out;
		notice.interval_ms = rows[i][0];
		poise_host_page_write(&host, &writer, &notice);
		assert_int_equal(gd_host_read(&gd, &out), 1);
		assert_int_equal(out.interval_ms, rows[i][1]);
	}
}

/* Seals and shows a host page; it must be refused, and nothing else must change. */
static void assert_refused(struct poise_host_update *update, bool seal)
{
	struct gd_host out, before;
	const uint64_t bad = gd.bad_host_pages;
	memset(&out, 0x77, sizeof(out));
	before = out;
	if (seal) {
		update->checksum = poise_seq_checksum(update, sizeof(*update));
	}
	host.update = *update;
	assert_int_equal(gd_host_read(&gd, &out), -1);
	assert_int_equal(gd.bad_host_pages, bad + 1);
	assert_memory_equal(&out, &before, sizeof(out));
}

static void a_hostile_host_page_is_refused(void **state)
{
	(void)state;
	const struct poise_notice notice = a_notice();
	poise_host_page_write(&host, &writer, &notice);
	const struct poise_host_update good = host.update;
	struct poise_host_update u;
#define REFUSED(change)                   \
	do {                              \
		u = good;                 \
		change;                   \
		assert_refused(&u, true); \
	} while (0)
	REFUSED(u.magic = POISE_ABI_GUEST_MAGIC);
	REFUSED(u.magic = 0);
	REFUSED(u.version = 0);
	REFUSED(u.compat = 0);
	REFUSED(u.compat = 2);
	REFUSED((u.version = 2, u.compat = 2));
	REFUSED(u.length = 0);
	REFUSED(u.length -= 8);
	REFUSED(u.length += 4);
	REFUSED(u.length = POISE_ABI_LENGTH_MAX + 8);
	REFUSED(u.length = UINT32_MAX);
	REFUSED(u.boot_id = BOOT_ID + 1);
	REFUSED(u.body.target_pages = 0);
	REFUSED(u.body.target_pages = TOTAL + 1);
	REFUSED(u.body.target_pages = UINT64_MAX);
	REFUSED(u.body.state = 0);
	REFUSED(u.body.state = POISE_HOST_STATE_QUARANTINED + 1);
	REFUSED(u.body.state = UINT64_C(1) << 32 | 1);
#undef REFUSED
	u = good;
	u.checksum ^= 1;
	assert_refused(&u, false);
	/* After all that the good page is still taken. */
	struct gd_host out;
	host.update = good;
	assert_int_equal(gd_host_read(&gd, &out), 1);
}

static void a_newer_host_is_understood(void **state)
{
	(void)state;
	const struct poise_notice notice = a_notice();
	struct gd_host out;
	poise_host_page_write(&host, &writer, &notice);
	host.update.version = 9;
	host.update.features |= 0x80000000u;
	host.update.length += 16; /* two fields that we do not know */
	memset(host.spare, 0x5a, 16);
	host.update.checksum = poise_seq_checksum(&host.update, sizeof(host.update));
	assert_int_equal(gd_host_read(&gd, &out), 1);
	assert_int_equal(out.features, POISE_HF_KNOWN);
}

static void a_host_at_work_is_waited_for_no_longer_than_three_looks(void **state)
{
	(void)state;
	const struct poise_notice notice = a_notice();
	struct gd_host out;
	poise_host_page_write(&host, &writer, &notice);
	host.head.seq = 3;
	assert_int_equal(gd_host_read(&gd, &out), 0);
	assert_int_equal(gd.bad_host_pages, 0);
	host.head.seq = 4;
	assert_int_equal(gd_host_read(&gd, &out), 1);
}

static void any_host_byte_gives_a_notice_or_none(void **state)
{
	(void)state;
	const struct poise_notice notice = a_notice();
	poise_host_page_write(&host, &writer, &notice);
	const struct poise_host_page good = host;
	const size_t end = offsetof(struct poise_host_page, spare);
	for (size_t at = 0; at < end; at++) {
		for (unsigned value = 0; value < 256; value++) {
			for (unsigned seal = 0; seal < 2; seal++) {
				struct gd_host out;
				host = good;
				((uint8_t *)&host)[at] = (uint8_t)value;
				if (seal != 0) {
					host.update.checksum = poise_seq_checksum(
						&host.update, sizeof(host.update));
				}
				gd.host_update = 0;
				if (gd_host_read(&gd, &out) == 1) {
					assert_in_range(out.interval_ms, GD_INTERVAL_MIN_MS,
							GD_INTERVAL_MAX_MS);
					assert_in_range(out.target_pages, 1, TOTAL);
					assert_in_range(out.state, POISE_HOST_STATE_UNMANAGED,
							POISE_HOST_STATE_QUARANTINED);
					assert_int_equal(out.features & ~POISE_HF_KNOWN, 0);
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(init_refuses_what_cannot_work, start),
		cmocka_unit_test_setup(the_host_reads_what_was_published, start),
		cmocka_unit_test_setup(sample_and_total_are_the_drivers_own, start),
		cmocka_unit_test_setup(publishing_touches_its_own_fields_only, start),
		cmocka_unit_test_setup(f03_a_sequence_that_wraps_is_read, start),
		cmocka_unit_test_setup(f27_urgent_is_rate_limited, start),
		cmocka_unit_test_setup(an_urgent_word_that_wraps_still_moves, start),
		cmocka_unit_test_setup(a_notice_arrives_once, start),
		cmocka_unit_test_setup(a_notice_before_the_first_sample_has_no_boot_id, start),
		cmocka_unit_test_setup(the_interval_is_clamped, start),
		cmocka_unit_test_setup(a_hostile_host_page_is_refused, start),
		cmocka_unit_test_setup(a_newer_host_is_understood, start),
		cmocka_unit_test_setup(a_host_at_work_is_waited_for_no_longer_than_three_looks,
				       start),
		cmocka_unit_test_setup(any_host_byte_gives_a_notice_or_none, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
