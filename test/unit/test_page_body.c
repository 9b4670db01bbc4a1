/* SPDX-License-Identifier: MIT */
/* Stage 2 under every kind of page: the body, and random bytes; the host page. */
#include "page_support.h"

#include <stdlib.h>
#include <sys/mman.h>

/* A field of the body, and what happens to a page in which only it is changed. */
struct field {
	size_t at;
	bool page_count; /* bounded by what a VM can have */
};
#define FIELD(name, page_count)                                    \
	{                                                          \
		offsetof(struct poise_abi_guest, name), page_count \
	}
static const struct field fields[] = {
	FIELD(sample, false),
	FIELD(guest_ms, false),
	FIELD(total_pages, true),
	FIELD(balloon_pages, true),
	FIELD(free_pages, true),
	FIELD(active_file_pages, true),
	FIELD(inactive_file_pages, true),
	FIELD(active_anon_pages, true),
	FIELD(inactive_anon_pages, true),
	FIELD(unevictable_pages, true),
	FIELD(swap_used_pages, true),
	FIELD(available_pages, true),
	FIELD(swap_out_pages, false),
	FIELD(swap_in_pages, false),
	FIELD(refault_anon_pages, false),
	FIELD(refault_file_pages, false),
	FIELD(committed_pages, false),
	FIELD(direct_reclaims, false),
	FIELD(oom_kills, false),
	FIELD(floor_pages, true),
};
_Static_assert(ARRAY_SIZE(fields) * 8 == sizeof(struct poise_abi_guest), "a field is missing");

static enum poise_err read_with(size_t at, uint64_t value)
{
	struct poise_guest_update update = support_update(TOTAL);
	memcpy((char *)&update.body + at, &value, sizeof(value));
	return read_sealed(&update);
}

static void f15_parts_larger_than_the_whole_are_refused(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint64_t least; /* the smallest value that is too large in support_update */
	} rows[] = {
		{offsetof(struct poise_abi_guest, balloon_pages), TOTAL},
		{offsetof(struct poise_abi_guest, free_pages), TOTAL - TOTAL / 16 * 5 + 1},
		{offsetof(struct poise_abi_guest, active_file_pages), TOTAL / 4 + 1},
		{offsetof(struct poise_abi_guest, inactive_file_pages), TOTAL / 4 + 1},
		{offsetof(struct poise_abi_guest, active_anon_pages), TOTAL / 4 + 1},
		{offsetof(struct poise_abi_guest, inactive_anon_pages), TOTAL / 16 * 5 + 1},
		{offsetof(struct poise_abi_guest, unevictable_pages), TOTAL / 16 * 3 + 1},
		{offsetof(struct poise_abi_guest, available_pages), TOTAL + 1},
		{offsetof(struct poise_abi_guest, floor_pages), TOTAL + 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_with(rows[i].at, rows[i].least), POISE_E_INCONSISTENT);
		if (i != 0) {
			assert_int_equal(read_with(rows[i].at, rows[i].least - 1), POISE_OK);
		}
	}
	struct poise_guest_update update = support_update(TOTAL);
	update.body.balloon_pages = TOTAL / 2; /* the lists no longer fit into what is left */
	assert_int_equal(read_sealed(&update), POISE_E_INCONSISTENT);
}

static void f17_a_total_of_zero_or_above_the_limit_is_refused(void **state)
{
	(void)state;
	const size_t at = offsetof(struct poise_abi_guest, total_pages);
	assert_int_equal(read_with(at, 0), POISE_E_RANGE);
	assert_int_equal(read_with(at, LIMIT), POISE_OK);
	assert_int_equal(read_with(at, LIMIT + 1), POISE_E_RANGE);
	struct poise_guest_update update = support_update(TOTAL);
	update.boot_id = 0;
	assert_int_equal(read_sealed(&update), POISE_E_RANGE);
	update = support_update(TOTAL);
	update.body.sample = 0;
	assert_int_equal(read_sealed(&update), POISE_E_RANGE);
}

static void f18_extremes_are_refused(void **state)
{
	(void)state;
	static const uint64_t extremes[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63,
					    INT64_MAX, UINT64_C(1) << 33};
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		for (size_t e = 0; e < ARRAY_SIZE(extremes); e++) {
			assert_int_equal(read_with(fields[i].at, extremes[e]),
					 fields[i].page_count ? POISE_E_RANGE : POISE_OK);
		}
	}
	struct poise_guest_update update = support_update(TOTAL);
	memset(&update.body, 0xff, sizeof(update.body));
	assert_int_equal(read_sealed(&update), POISE_E_RANGE);
}

static void f18_sums_do_not_wrap(void **state)
{
	(void)state;
	/* Parts that add up to a small number modulo 2^64. */
	struct poise_guest_update update = support_update(TOTAL);
	update.body.free_pages = UINT64_C(1) << 63;
	update.body.active_anon_pages = UINT64_C(1) << 63;
	assert_int_equal(read_sealed(&update), POISE_E_RANGE);
}

static void f25_no_page_is_said_to_be_unmapped(void **state)
{
	(void)state;
	struct poise_sample sample;
	assert_int_equal(poise_page_read(NULL, LIMIT, &sample), POISE_E_UNMAPPED);
}

static void reading_writes_nothing_and_stays_inside(void **state)
{
	(void)state;
	/* The page is mapped read-only, with nothing mapped after it. */
	const size_t size = sizeof(struct poise_guest_page);
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	uint8_t *map =
		mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	struct poise_guest_page *alone = (struct poise_guest_page *)(void *)map;
	support_page(alone, &update);
	assert_int_equal(mprotect(map, size, PROT_READ), 0);
	assert_int_equal(munmap(map + size, size), 0);
	assert_int_equal(poise_page_read(alone, LIMIT, &sample), POISE_OK);
	assert_int_equal(munmap(map, size), 0);
}

static void any_head_byte_gives_a_sample_or_an_error(void **state)
{
	(void)state;
	const struct poise_guest_update update = support_update(TOTAL);
	for (size_t at = 0; at < HEAD_SIZE; at++) {
		for (unsigned value = 0; value < 256; value++) {
			struct poise_sample sample;
			/* Once as it is, once with a checksum that fits. */
			support_page(&page, &update);
			((uint8_t *)&page)[at] = (uint8_t)value;
			if (read_page(&sample) == POISE_OK) {
				assert_sample_in_range(&sample, LIMIT);
			}
			if (at >= offsetof(struct poise_guest_page, update.magic)) {
				struct poise_guest_update changed = page.update;
				support_seal(&changed);
				(void)read_update(&changed, &sample);
			}
		}
	}
}

static void random_bodies_give_a_checked_sample_or_an_error(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned accepted = 0;
	for (unsigned i = 0; i < 100000; i++) {
		struct poise_guest_update update =
			support_update(1 + random_upto(&seed, LIMIT - 1));
		struct poise_sample sample;
		uint64_t *words = &update.body.sample;
		for (uint64_t n = random_next(&seed) % 4; n > 0; n--) {
			words[random_next(&seed) % (sizeof(update.body) / 8)] = random_upto(
				&seed,
				random_next(&seed) % 2 ? UINT64_MAX : update.body.total_pages);
		}
		if (random_next(&seed) % 4 == 0) {
			update.features = (uint32_t)random_next(&seed);
			update.length = (uint32_t)random_upto(&seed, POISE_ABI_LENGTH_MAX + 16);
		}
		support_seal(&update);
		accepted += read_update(&update, &sample) == POISE_OK;
	}
	/* Both outcomes are common, or this would be no test. */
	assert_in_range(accepted, 10000, 90000);
}

static void random_pages_give_a_checked_sample_or_an_error(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (unsigned i = 0; i < 20000; i++) {
		struct poise_sample sample;
		uint64_t *words = (uint64_t *)(void *)&page;
		for (size_t w = 0; w < 64; w++) {
			words[w] = random_next(&seed);
		}
		assert_int_not_equal(read_page(&sample), POISE_OK);
	}
}

static void a_host_page_is_read_as_it_was_written(void **state)
{
	(void)state;
	static struct poise_host_page host;
	struct poise_host_writer writer = {.seq = 0xfffffffcu};
	for (uint64_t i = 1; i <= 4; i++) {
		const struct poise_notice notice = {.boot_id = 0xb007,
						    .interval_ms = 1000,
						    .target_pages = 100 + i,
						    .epoch = i,
						    .state = POISE_HOST_STATE_MANAGED};
		poise_host_page_write(&host, &writer, &notice);
		const struct poise_host_update *u = &host.update;
		assert_int_equal(host.head.seq, (uint32_t)(0xfffffffcu + 2 * i));
		assert_int_equal(u->checksum, poise_seq_checksum(u, sizeof(*u)));
		assert_int_equal(u->magic, POISE_ABI_HOST_MAGIC);
		assert_int_equal(u->version, POISE_ABI_VERSION);
		assert_int_equal(u->compat, POISE_ABI_COMPAT);
		assert_int_equal(u->features, POISE_HF_KNOWN);
		assert_int_equal(u->length, POISE_ABI_HOST_LENGTH);
		assert_int_equal(u->boot_id, notice.boot_id);
		assert_int_equal(u->body.update, i);
		assert_int_equal(u->body.interval_ms, notice.interval_ms);
		assert_int_equal(u->body.target_pages, notice.target_pages);
		assert_int_equal(u->body.epoch, notice.epoch);
		assert_int_equal(u->body.state, notice.state);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(f15_parts_larger_than_the_whole_are_refused),
		cmocka_unit_test(f17_a_total_of_zero_or_above_the_limit_is_refused),
		cmocka_unit_test(f18_extremes_are_refused),
		cmocka_unit_test(f18_sums_do_not_wrap),
		cmocka_unit_test(f25_no_page_is_said_to_be_unmapped),
		cmocka_unit_test(reading_writes_nothing_and_stays_inside),
		cmocka_unit_test(any_head_byte_gives_a_sample_or_an_error),
		cmocka_unit_test(random_bodies_give_a_checked_sample_or_an_error),
		cmocka_unit_test(random_pages_give_a_checked_sample_or_an_error),
		cmocka_unit_test(a_host_page_is_read_as_it_was_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
