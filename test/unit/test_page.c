/* SPDX-License-Identifier: MIT */
/*
 * Stage 2 under every kind of page: its head and its sequence. The ids in the names are those of
 * the fault list: what may go wrong with a page, and what has to happen then.
 */
#include "page_support.h"

#include <pthread.h>
#include <stdatomic.h>

static void a_valid_page_comes_through_unchanged(void **state)
{
	(void)state;
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	assert_int_equal(read_update(&update, &sample), POISE_OK);
	assert_memory_equal(&sample, &update, sizeof(sample));
}

static void f01_a_writer_that_hangs_at_work_is_torn(void **state)
{
	(void)state;
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	support_page(&page, &update);
	page.head.seq = 3;
	assert_int_equal(read_page(&sample), POISE_E_TORN);
	page.head.seq = UINT32_MAX;
	assert_int_equal(read_page(&sample), POISE_E_TORN);
}

static atomic_bool writer_stop;

static void *hostile_writer(void *arg)
{
	(void)arg;
	for (uint32_t seq = 0; !atomic_load(&writer_stop); seq += 2) {
		__atomic_store_n(&page.head.seq, seq, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void f02_a_sequence_that_changes_all_the_time_is_torn(void **state)
{
	(void)state;
	/* Reads stay bounded, and whatever is accepted is the one update there ever was. */
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	pthread_t thread;
	support_page(&page, &update);
	atomic_store(&writer_stop, false);
	assert_int_equal(pthread_create(&thread, NULL, hostile_writer, NULL), 0);
	for (unsigned i = 0; i < 20000; i++) {
		const enum poise_err err = read_page(&sample);
		if (err == POISE_OK) {
			assert_memory_equal(&sample, &update, sizeof(sample));
		} else {
			assert_int_equal(err, POISE_E_TORN);
		}
	}
	atomic_store(&writer_stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void f03_a_sequence_that_wraps_is_read(void **state)
{
	(void)state;
	uint32_t seq = 0xfffffff8u;
	for (unsigned i = 1; i <= 8; i++) {
		struct poise_guest_update update = support_update(TOTAL);
		poise_seq_cell cells[POISE_SEQ_CELLS(sizeof(update))];
		struct poise_sample sample;
		update.body.sample = i;
		support_seal(&update);
		memcpy(cells, &update, sizeof(cells));
		poise_seq_write((poise_seq_word32 *)&page.head.seq, &seq,
				(poise_seq_cell *)&page.update, cells, ARRAY_SIZE(cells));
		assert_int_equal(read_page(&sample), POISE_OK);
		assert_int_equal(sample.body.sample, i);
		assert_int_equal(page.head.seq, (uint32_t)(0xfffffff8u + 2 * i));
	}
}

static void f04_a_torn_payload_under_an_equal_sequence_is_found_by_its_checksum(void **state)
{
	(void)state;
	/* Any word of another update, or any single bit, shows in the checksum. */
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	for (size_t bit = 0; bit < 8 * sizeof(update); bit++) {
		struct poise_guest_update torn = update;
		((uint8_t *)&torn)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		const enum poise_err err = read_update(&torn, &sample);
		assert_int_not_equal(err, POISE_OK);
		if (bit / 8 < offsetof(struct poise_guest_update, magic) ||
		    bit / 8 >= offsetof(struct poise_guest_update, boot_id)) {
			assert_int_equal(err, POISE_E_CHECKSUM);
		}
	}
}

static void f05_a_page_without_magic_is_refused(void **state)
{
	(void)state;
	static const uint8_t fills[] = {0x00, 0xff, 0xa5};
	struct poise_sample sample;
	for (size_t i = 0; i < ARRAY_SIZE(fills); i++) {
		memset(&page, fills[i], sizeof(page));
		page.head.seq = 4;
		assert_int_equal(read_page(&sample), POISE_E_MAGIC);
	}
	struct poise_guest_update update = support_update(TOTAL);
	update.magic = POISE_ABI_HOST_MAGIC;
	assert_int_equal(read_sealed(&update), POISE_E_MAGIC);
}

static void f06_a_page_that_needs_a_newer_reader_is_refused(void **state)
{
	(void)state;
	static const struct {
		uint16_t version, compat;
		enum poise_err err;
	} rows[] = {
		{1, 1, POISE_OK},
		{2, 1, POISE_OK}, /* newer, but says that we can read it */
		{UINT16_MAX, 1, POISE_OK},
		{2, 2, POISE_E_VERSION},
		{1, 2, POISE_E_VERSION},
		{0, 0, POISE_E_VERSION},
		{1, 0, POISE_E_VERSION},
		{0, 1, POISE_E_VERSION},
		{UINT16_MAX, UINT16_MAX, POISE_E_VERSION},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct poise_guest_update update = support_update(TOTAL);
		update.version = rows[i].version;
		update.compat = rows[i].compat;
		assert_int_equal(read_sealed(&update), rows[i].err);
	}
}

static void f06_a_newer_guests_longer_body_is_read_as_far_as_it_is_known(void **state)
{
	(void)state;
	struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	update.version = 2;
	update.features |= 0x80000000u; /* a feature that we do not know */
	update.length = POISE_ABI_GUEST_LENGTH + 64;
	support_seal(&update);
	support_page(&page, &update);
	memset(page.spare, 0x5a, 64); /* fields that we do not know */
	assert_int_equal(read_page(&sample), POISE_OK);
	assert_sample_in_range(&sample, LIMIT);
	assert_int_equal(sample.features, update.features & POISE_GF_KNOWN);
	assert_memory_equal(&sample.body, &update.body, sizeof(sample.body));
}

static void f06_an_older_guests_shorter_body_is_read_and_the_rest_is_zero(void **state)
{
	(void)state;
	/* Ends after each word from the least length on; fields behind the end count as zero. */
	static const struct {
		uint32_t feature, end;
	} rows[] = {
		{POISE_GF_AVAILABLE, offsetof(struct poise_abi_guest, available_pages) + 8},
		{POISE_GF_SWAP_FLOW, offsetof(struct poise_abi_guest, swap_in_pages) + 8},
		{POISE_GF_REFAULT, offsetof(struct poise_abi_guest, refault_file_pages) + 8},
		{POISE_GF_COMMITTED, offsetof(struct poise_abi_guest, committed_pages) + 8},
		{POISE_GF_RECLAIM, offsetof(struct poise_abi_guest, oom_kills) + 8},
		{POISE_GF_FLOOR, offsetof(struct poise_abi_guest, floor_pages) + 8},
	};
	for (uint32_t length = POISE_ABI_GUEST_LENGTH_MIN; length <= POISE_ABI_GUEST_LENGTH;
	     length += 8) {
		struct poise_guest_update update = support_update(TOTAL);
		struct poise_sample sample;
		update.length = length;
		/* All words filled, as in a page that a longer driver used before. */
		update.body.swap_out_pages = update.body.swap_in_pages = 7;
		update.body.refault_anon_pages = update.body.refault_file_pages = 7;
		update.body.direct_reclaims = update.body.oom_kills = 7;
		update.body.floor_pages = 7;
		update.features = POISE_GF_URGENT | POISE_GF_ANON_INACTIVE;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			update.features |= length >= rows[i].end ? rows[i].feature : 0;
		}
		support_seal(&update);
		assert_int_equal(read_update(&update, &sample), POISE_OK);
		assert_int_equal(sample.features, update.features);
		const uint64_t *words = &sample.body.sample;
		for (size_t i = 0; i < sizeof(sample.body) / 8; i++) {
			if (i * 8 >= length) {
				assert_int_equal(words[i], 0);
			}
		}
		/* A declared field that lies behind the end is a contradiction. */
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (length < rows[i].end) {
				struct poise_guest_update wrong = update;
				wrong.features |= rows[i].feature;
				assert_int_equal(read_sealed(&wrong), POISE_E_LENGTH);
			}
		}
	}
}

static void f07_length_wrong(void **state, uint32_t first, uint32_t last)
{
	(void)state;
	for (uint32_t length = first;; length++) {
		struct poise_guest_update update = support_update(TOTAL);
		update.features = 0;
		update.length = length;
		if (length < POISE_ABI_GUEST_LENGTH_MIN || length > POISE_ABI_LENGTH_MAX ||
		    length % 8 != 0) {
			assert_int_equal(read_sealed(&update), POISE_E_LENGTH);
		}
		if (length == last) {
			break;
		}
	}
}

static void f07_a_length_that_is_too_small_is_refused(void **state)
{
	f07_length_wrong(state, 0, POISE_ABI_GUEST_LENGTH_MIN - 1);
}

static void f07_a_length_that_is_too_large_is_refused(void **state)
{
	f07_length_wrong(state, POISE_ABI_LENGTH_MAX + 1, POISE_ABI_LENGTH_MAX + 4096);
	f07_length_wrong(state, UINT32_MAX - 64, UINT32_MAX);
}

static void f07_a_length_that_is_no_multiple_of_8_is_refused(void **state)
{
	f07_length_wrong(state, POISE_ABI_GUEST_LENGTH_MIN, POISE_ABI_LENGTH_MAX);
}

static void f08_reserved_bytes_are_ignored(void **state)
{
	(void)state;
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	support_page(&page, &update);
	memset(page.head.reserved, 0xff, sizeof(page.head.reserved));
	memset(page.spare, 0xff, sizeof(page.spare));
	page.head.urgent = UINT32_MAX;
	assert_int_equal(read_page(&sample), POISE_OK);
	assert_memory_equal(&sample, &update, sizeof(sample));
}

static void f08_unknown_features_are_ignored(void **state)
{
	(void)state;
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if ((bit & POISE_GF_KNOWN) == 0) {
			struct poise_guest_update update = support_update(TOTAL);
			struct poise_sample sample;
			update.features |= bit;
			support_seal(&update);
			assert_int_equal(read_update(&update, &sample), POISE_OK);
			assert_int_equal(sample.features, update.features & ~bit);
		}
	}
}

static void f09_a_byte_swapped_page_is_refused_as_such(void **state)
{
	(void)state;
	struct poise_guest_update update = support_update(TOTAL);
	update.magic = __builtin_bswap32(update.magic);
	assert_int_equal(read_sealed(&update), POISE_E_ENDIAN);
}

static void *flipping_writer(void *arg)
{
	/* Two valid updates of which no mixture is valid, and in between garbage, all without seq:
	 * whatever is read has to be judged by the copy that is returned. */
	struct poise_guest_update *updates = arg;
	for (unsigned i = 0; !atomic_load(&writer_stop); i++) {
		const uint64_t *from = (const uint64_t *)&updates[i % 3];
		uint64_t *to = &page.update.checksum;
		for (size_t w = 0; w < sizeof(updates[0]) / 8; w++) {
			__atomic_store_n(&to[w], from[w], __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

static void f10_a_page_that_flips_is_used_as_checked(void **state)
{
	(void)state;
	struct poise_guest_update updates[3] = {support_update(TOTAL), support_update(TOTAL / 2),
						support_update(TOTAL)};
	struct poise_sample sample;
	pthread_t thread;
	memset(&updates[2].body, 0xff, sizeof(updates[2].body));
	support_seal(&updates[2]); /* the checksum is right, the values are not */
	support_page(&page, &updates[0]);
	atomic_store(&writer_stop, false);
	assert_int_equal(pthread_create(&thread, NULL, flipping_writer, updates), 0);
	for (unsigned i = 0; i < 100000; i++) {
		if (read_page(&sample) == POISE_OK) {
			assert_true(memcmp(&sample, &updates[0], sizeof(sample)) == 0 ||
				    memcmp(&sample, &updates[1], sizeof(sample)) == 0);
		}
	}
	atomic_store(&writer_stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void f10_what_was_read_stays_when_the_page_changes(void **state)
{
	(void)state;
	const struct poise_guest_update update = support_update(TOTAL);
	struct poise_sample sample;
	assert_int_equal(read_update(&update, &sample), POISE_OK);
	memset(&page, 0xff, sizeof(page));
	assert_memory_equal(&sample, &update, sizeof(sample));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_page_comes_through_unchanged),
		cmocka_unit_test(f01_a_writer_that_hangs_at_work_is_torn),
		cmocka_unit_test(f02_a_sequence_that_changes_all_the_time_is_torn),
		cmocka_unit_test(f03_a_sequence_that_wraps_is_read),
		cmocka_unit_test(
			f04_a_torn_payload_under_an_equal_sequence_is_found_by_its_checksum),
		cmocka_unit_test(f05_a_page_without_magic_is_refused),
		cmocka_unit_test(f06_a_page_that_needs_a_newer_reader_is_refused),
		cmocka_unit_test(f06_a_newer_guests_longer_body_is_read_as_far_as_it_is_known),
		cmocka_unit_test(f06_an_older_guests_shorter_body_is_read_and_the_rest_is_zero),
		cmocka_unit_test(f07_a_length_that_is_too_small_is_refused),
		cmocka_unit_test(f07_a_length_that_is_too_large_is_refused),
		cmocka_unit_test(f07_a_length_that_is_no_multiple_of_8_is_refused),
		cmocka_unit_test(f08_reserved_bytes_are_ignored),
		cmocka_unit_test(f08_unknown_features_are_ignored),
		cmocka_unit_test(f09_a_byte_swapped_page_is_refused_as_such),
		cmocka_unit_test(f10_a_page_that_flips_is_used_as_checked),
		cmocka_unit_test(f10_what_was_read_stays_when_the_page_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
