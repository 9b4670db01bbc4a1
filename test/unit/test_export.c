/* SPDX-License-Identifier: MIT */
/*
 * A core's state goes into bytes and comes back: it decides as if nothing had happened, and what is
 * no state changes nothing. The calls are those of test/fuzz/api.c.
 */
#include "support.h"

#include "../fuzz/api.h"

#define SEEDS 60u
#define STEPS 600u

/* With room for a word more. */
typedef unsigned char blob_t[POISE_EXPORT_BYTES + 8];

static struct api one, two;
static blob_t blob, other;

static uint64_t next(void *arg)
{
	return random_next(arg);
}

static size_t export_of(const struct poise *p, blob_t out)
{
	size_t bytes = 0;
	assert_int_equal(poise_export(p, out, sizeof(blob_t), &bytes), POISE_OK);
	assert_true(bytes <= POISE_EXPORT_BYTES && bytes % 8 == 0);
	return bytes;
}

static void equal_inputs_give_equal_decisions_after_an_import_at_any_point(void **state)
{
	unsigned restarts = 0;
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t random_one = seed, random_two = seed, random = ~seed;
		const char *what = api_start(&one, next, &random_one);
		what = what == NULL ? api_start(&two, next, &random_two) : what;
		for (unsigned step = 0; what == NULL && step < STEPS; step++) {
			if (random_next(&random) % 8 == 0) {
				what = api_restart(&two);
				restarts++;
			}
			what = what == NULL ? api_step(&one) : what;
			what = what == NULL ? api_step(&two) : what;
			const size_t bytes = export_of(&one.p, blob);
			if (what == NULL &&
			    (one.events != two.events || export_of(&two.p, other) != bytes ||
			     memcmp(blob, other, bytes) != 0)) {
				what = "it went on in another way";
			}
			if (what != NULL) {
				fail_msg("seed %llu, step %u: %s", (unsigned long long)seed, step,
					 what);
			}
		}
	}
	print_message("# %u imports\n", restarts);
}

/* --- form --- */

/* A core in the midst of things: made by the same calls on every machine. */
static size_t state_of_seed(uint64_t seed, blob_t out)
{
	uint64_t random = seed;
	const char *what = api_start(&one, next, &random);
	for (unsigned step = 0; what == NULL && step < 900; step++) {
		what = api_step(&one);
	}
	assert_null(what);
	return export_of(&one.p, out);
}

static size_t some_state(blob_t out)
{
	return state_of_seed(7, out);
}

/* The slot of a VM that is managed; POISE_VM_MAX if there is none. */
static uint32_t managed_slot(void)
{
	uint32_t slot = 0;
	while (slot < POISE_VM_MAX && one.p.vm[slot].state != POISE_VM_MANAGED) {
		slot++;
	}
	return slot;
}

static uint64_t word_of(const unsigned char *at, size_t word)
{
	uint64_t value = 0;
	for (int i = 7; i >= 0; i--) {
		value = value << 8 | at[word * 8 + (size_t)i];
	}
	return value;
}

static void set_word(unsigned char *at, size_t word, uint64_t value)
{
	for (size_t i = 0; i < 8; i++) {
		at[word * 8 + i] = (unsigned char)(value >> 8 * i);
	}
}

static void seal(unsigned char *at, size_t bytes)
{
	uint64_t sum = POISE_ABI_CHECKSUM_SEED;
	for (size_t i = 0; i + 1 < bytes / 8; i++) {
		sum = poise_abi_checksum(sum, word_of(at, i));
	}
	set_word(at, bytes / 8 - 1, sum);
}

/* An empty core; its port answers nothing, as nothing is asked of it. */
static struct poise fresh, kept;

static void start_fresh(void)
{
	static const struct poise_config config = {.pool_pages = 1000};
	static struct api quiet;
	static uint64_t random = 1;
	quiet.next = next;
	quiet.next_arg = &random;
	quiet.pool_pages = config.pool_pages;
	assert_int_equal(poise_init(&fresh, sizeof(fresh), &config, one.p.port, &quiet), POISE_OK);
	kept = fresh;
}

/* The import is refused with `err`, and nothing has changed but the counter. */
static void refused(const unsigned char *from, size_t bytes, enum poise_err err)
{
	assert_int_equal(poise_import(&fresh, from, bytes), err);
	kept.errors[-err]++;
	assert_memory_equal(&fresh, &kept, sizeof(fresh));
}

static void an_export_that_is_damaged_anywhere_is_refused(void **state)
{
	const size_t bytes = some_state(blob);
	(void)state;
	start_fresh();
	for (size_t i = 0; i < bytes; i++) {
		blob[i] ^= (unsigned char)(1u << i % 8);
		refused(blob, bytes, POISE_E_IMAGE);
		blob[i] ^= (unsigned char)(1u << i % 8);
	}
	for (size_t size = 0; size < bytes; size++) {
		refused(blob, size, POISE_E_IMAGE);
	}
	assert_int_equal(poise_import(&fresh, blob, bytes), POISE_OK);
}

/* Each word in turn, with each value that is special somewhere, and a checksum that is right. */
static void whatever_an_export_says_what_is_taken_holds(void **state)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  63,
					  64,
					  1000,
					  UINT16_MAX + UINT64_C(1),
					  UINT32_MAX,
					  POISE_PAGES_MAX,
					  POISE_PAGES_MAX + 1,
					  UINT64_C(1) << 50,
					  (UINT64_C(1) << 50) + 1,
					  UINT64_C(1) << 63,
					  UINT64_MAX - 1,
					  UINT64_MAX};
	const size_t bytes = some_state(other);
	unsigned taken = 0, tried = 0;
	(void)state;
	for (size_t word = 0; word + 1 < bytes / 8; word++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			memcpy(blob, other, bytes);
			set_word(blob, word, values[i]);
			seal(blob, bytes);
			start_fresh();
			const enum poise_err err = poise_import(&fresh, blob, bytes);
			tried++;
			if (err != POISE_OK) {
				kept.errors[-err]++;
				assert_memory_equal(&fresh, &kept, sizeof(fresh));
				continue;
			}
			taken++;
			for (uint64_t ms = 1000; ms <= 5000; ms += 1000) {
				assert_int_equal(poise_check(&fresh), 0);
				assert_int_equal(poise_tick(&fresh, fresh.now_ms + ms), POISE_OK);
			}
		}
	}
	print_message("# %u of %u taken\n", taken, tried);
	assert_true(taken > 100 && tried - taken > 500);
}

static void an_older_export_has_fewer_words_and_a_newer_one_is_refused(void **state)
{
	const size_t bytes = some_state(other);
	const uint64_t counts = word_of(other, 2);
	const size_t core_words = counts & 0xffff, vm_words = counts >> 16 & 0xffff;
	const size_t vms = (size_t)(counts >> 32);
	size_t at = 0;
	(void)state;
	assert_true(vms > 0);
	/* Without the last word of each VM, the rule that shaped its goal. */
	for (size_t word = 0; word < bytes / 8; word++) {
		const size_t of_vms = word - 3 - core_words;
		if (word < 3 + core_words || of_vms >= vms * (1 + vm_words) ||
		    of_vms % (1 + vm_words) != vm_words) {
			set_word(blob, at++, word_of(other, word));
		}
	}
	set_word(blob, 1, at * 8);
	set_word(blob, 2, core_words | (vm_words - 1) << 16 | (uint64_t)vms << 32);
	seal(blob, at * 8);
	start_fresh();
	assert_int_equal(poise_import(&fresh, blob, at * 8), POISE_OK);
	assert_int_equal(fresh.vm[word_of(blob, 3 + core_words)].rule, POISE_RULE_NONE);
	/* A core that knows a word more of itself. */
	memcpy(blob, other, 8 * (3 + core_words));
	memset(blob + 8 * (3 + core_words), 0, 8);
	memcpy(blob + 8 * (4 + core_words), other + 8 * (3 + core_words),
	       bytes - 8 * (3 + core_words));
	set_word(blob, 1, bytes + 8);
	set_word(blob, 2, counts + 1);
	seal(blob, bytes + 8);
	start_fresh();
	refused(blob, bytes + 8, POISE_E_NEWER);
	/* One that knows a word more of its VMs, and has none. */
	const size_t alone = 8 * (3 + core_words + 1);
	set_word(blob, 1, alone);
	set_word(blob, 2, core_words | (vm_words + 1) << 16);
	seal(blob, alone);
	refused(blob, alone, POISE_E_NEWER);
}

/*
 * A state as core 0.2.0 wrote it: each later core has to take it, whatever its compiler, its
 * machine and the size of its table. Never change these words.
 */
static const uint64_t published[] = {
	0x3154534553494f50,
	0x368,
	0x100370031,
	0x4e20,
	0x1b58,
	0x1b58,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x0,
	0x3e8,
	0x1770,
	0x2328,
	0x64,
	0x0,
	0x0,
	0x2,
	0x0,
	0x0,
	0x1,
	0x1770,
	0x1770,
	0x1770,
	0x1770,
	0x0,
	0x0,
	0x1770,
	0x0,
	0x0,
	0x0,
	0x4d,
	0x1ff,
	0x7,
	0x189c,
	0x2328,
	0xbb8,
	0xb54,
	0x0,
	0x0,
	0x0,
	0xc1c,
	0x0,
	0x0,
	0x0,
	0x0,
	0x4d,
	0x0,
	0x0,
	0x138f,
	0x0,
	0x0,
	0x4b0,
	0x1b58,
	0x12c0000,
	0x8fc0000,
	0xc1c,
	0x1770,
	0xe74,
	0x2e,
	0x0,
	0x1b58,
	0x2,
	0x0,
	0x64,
	0x0,
	0x91408f93182004ca,
};

static size_t published_state(uint64_t slot)
{
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		set_word(blob, i, published[i]);
	}
	if (slot != 0) {
		set_word(blob, 3 + (published[2] & 0xffff), slot);
		seal(blob, sizeof(published));
	}
	return sizeof(published);
}

static void a_state_that_was_published_is_taken_for_ever(void **state)
{
	const struct poise_vm *v = &fresh.vm[0];
	(void)state;
	(void)some_state(blob);
	start_fresh();
	assert_int_equal(poise_import(&fresh, blob, published_state(0)), POISE_OK);
	assert_true(fresh.config.pool_pages == 20000 && fresh.free_pages == 14000);
	assert_true(fresh.now_ms == 7000 && fresh.ticked_ms == 7000 && fresh.epoch == 0);
	assert_int_equal(v->state, POISE_VM_MANAGED);
	assert_true(v->config.min_pages == 1000 && v->config.boot_pages == 6000 &&
		    v->config.max_pages == 9000 && v->config.weight == 100);
	assert_true(v->actual_pages == 6000 && v->target_pages == 6000);
	assert_true(v->last.boot_id == 77 && v->last.body.sample == 7 &&
		    v->last.body.total_pages == 9000 && v->last.body.balloon_pages == 3000 &&
		    v->last.body.free_pages == 2900 && v->last.body.floor_pages == 1200);
	assert_true(v->forecast.delta_q16 == 300 << 16 && v->forecast.size_pages == 6000 &&
		    v->forecast.steps == 2 && v->sample_ms == 7000);
	/* And it is written in the same way, with what has been added since behind it. */
	const size_t head = 3 * sizeof(uint64_t);
	const size_t words = sizeof(published) - head - sizeof(uint64_t);
	assert_true(export_of(&fresh, other) >= sizeof(published));
	assert_memory_equal(blob + head, other + head, words);
}

static void a_slot_beyond_the_table_is_refused(void **state)
{
	(void)state;
	(void)some_state(blob);
	start_fresh();
	if (POISE_VM_MAX < 64) {
		refused(blob, published_state(POISE_VM_MAX), POISE_E_ROOM);
	}
	refused(blob, published_state(64), POISE_E_IMAGE);
	assert_int_equal(poise_import(&fresh, blob, published_state(POISE_VM_MAX - 1)), POISE_OK);
	assert_int_equal(fresh.vm[POISE_VM_MAX - 1].state, POISE_VM_MANAGED);
}

static void calls_that_make_no_sense_are_refused(void **state)
{
	static const struct poise_vm_config vm = {.min_pages = 1, .max_pages = 10};
	size_t bytes = some_state(blob);
	size_t none = 0;
	(void)state;
	start_fresh();
	assert_int_equal(poise_export(NULL, blob, sizeof(blob), &none), POISE_E_ARG);
	assert_int_equal(poise_export(&fresh, NULL, sizeof(blob), &none), POISE_E_ARG);
	assert_int_equal(poise_export(&fresh, blob, sizeof(blob), NULL), POISE_E_ARG);
	assert_int_equal(poise_export(&fresh, blob, POISE_EXPORT_BYTES - 1, &none), POISE_E_ARG);
	fresh.magic++;
	assert_int_equal(poise_export(&fresh, blob, sizeof(blob), &none), POISE_E_CONTEXT);
	assert_int_equal(poise_import(&fresh, blob, bytes), POISE_E_CONTEXT);
	fresh.magic--;
	fresh.busy = 1;
	assert_int_equal(poise_export(&fresh, blob, sizeof(blob), &none), POISE_E_STATE);
	assert_int_equal(poise_import(&fresh, blob, bytes), POISE_E_STATE);
	fresh.busy = 0;
	assert_int_equal(poise_import(NULL, blob, bytes), POISE_E_ARG);
	assert_int_equal(poise_import(&fresh, NULL, bytes), POISE_E_ARG);
	assert_int_equal(poise_vm_add(&fresh, 0, &vm, 5), POISE_OK);
	assert_int_equal(poise_import(&fresh, blob, bytes), POISE_E_STATE);
	assert_int_equal(fresh.vm[0].actual_pages, 5);
}

static void bytes_behind_the_last_word_are_refused(void **state)
{
	const size_t bytes = some_state(blob);
	(void)state;
	set_word(blob, 1, bytes + 1);
	seal(blob, bytes);
	start_fresh();
	refused(blob, bytes + 1, POISE_E_IMAGE);
}

/* --- one VM --- */

/* Where a field stands among a VM's words. */
enum {
#define POISE_SAVED_VM(key, member, kind, most) VM_WORD_##key,
#include "poise_saved.def"
};

/* Damaged, or with numbers that do not fit together: no peak, but memory in use. */
static void a_vm_that_cannot_be_is_not_imported(void **state)
{
	const struct poise_vm_config config = {.min_pages = 1000, .max_pages = 9000};
	const size_t bytes = published_state(0);
	const size_t held = 3 + (published[2] & 0xffff) + 1 + VM_WORD_peak_in_use_pages;
	(void)state;
	(void)some_state(other);
	start_fresh();
	assert_int_equal(poise_pool_set(&fresh, 20000), POISE_OK);
	blob[bytes - 1] ^= 1;
	assert_int_equal(poise_vm_import(&fresh, 0, &config, 6000, blob, bytes, 0), POISE_E_IMAGE);
	(void)published_state(0);
	assert_int_not_equal(word_of(blob, held), 0);
	set_word(blob, held, 0);
	seal(blob, bytes);
	assert_int_equal(poise_vm_import(&fresh, 0, &config, 6000, blob, bytes, 0), POISE_E_IMAGE);
	assert_int_equal(fresh.vm[0].state, POISE_VM_EMPTY);
	assert_true(fresh.free_pages == 20000);
	assert_int_equal(poise_check(&fresh), 0);
}

static void a_vm_that_is_imported_keeps_its_history_and_has_the_books_of_the_host(void **state)
{
	size_t bytes = 0;
	struct poise_vm_config config;
	(void)state;
	for (uint64_t seed = 1; bytes == 0 || managed_slot() == POISE_VM_MAX; seed++) {
		assert_true(seed < 100);
		bytes = state_of_seed(seed, blob);
	}
	const uint32_t slot = managed_slot();
	const struct poise_vm before = one.p.vm[slot];
	config = before.config;
	start_fresh();
	assert_int_equal(poise_pool_set(&fresh, one.p.config.pool_pages), POISE_OK);
	const uint64_t actual = config.min_pages + 1;
	const uint32_t to = POISE_VM_MAX - 1;
	assert_int_equal(poise_vm_import(&fresh, to, &config, actual, blob, bytes, slot), POISE_OK);
	const struct poise_vm *v = &fresh.vm[to];
	assert_int_equal(v->state, POISE_VM_MANAGED);
	assert_memory_equal(&v->forecast, &before.forecast, sizeof(v->forecast));
	assert_memory_equal(&v->last.body, &before.last.body, sizeof(v->last.body));
	assert_int_equal(v->last_direction, before.last_direction);
	assert_int_equal(v->backoff_exponent, before.backoff_exponent);
	assert_true(v->actual_pages == actual && v->target_pages == actual);
	assert_true(v->goal_pages == actual && v->epoch == 0);
	assert_true(fresh.now_ms == one.p.now_ms);
	assert_int_equal(poise_check(&fresh), 0);
	/* The slot is taken now; others cannot be had, or are of no use. */
	assert_int_equal(poise_vm_import(&fresh, to, &config, actual, blob, bytes, slot),
			 POISE_E_DUP);
	assert_int_equal(poise_vm_remove(&fresh, to), POISE_OK);
	assert_int_equal(poise_vm_import(&fresh, to, &config, actual, blob, bytes, 60),
			 POISE_E_NOT_FOUND);
	assert_int_equal(poise_vm_import(&fresh, POISE_VM_MAX, &config, actual, blob, bytes, slot),
			 POISE_E_ARG);
	assert_int_equal(poise_vm_import(&fresh, to, NULL, actual, blob, bytes, slot), POISE_E_ARG);
	assert_int_equal(poise_vm_import(&fresh, to, &config, UINT64_MAX, blob, bytes, slot),
			 POISE_E_ARG);
	config.flags ^= POISE_VM_FREEZE;
	assert_int_equal(poise_vm_import(&fresh, to, &config, actual, blob, bytes, slot),
			 POISE_E_STATE);
	config.min_pages = 0;
	assert_int_equal(poise_vm_import(&fresh, to, &config, actual, blob, bytes, slot),
			 POISE_E_CONFIG);
	assert_int_equal(fresh.vm[to].state, POISE_VM_EMPTY);
	assert_int_equal(poise_check(&fresh), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_inputs_give_equal_decisions_after_an_import_at_any_point),
		cmocka_unit_test(an_export_that_is_damaged_anywhere_is_refused),
		cmocka_unit_test(whatever_an_export_says_what_is_taken_holds),
		cmocka_unit_test(an_older_export_has_fewer_words_and_a_newer_one_is_refused),
		cmocka_unit_test(a_state_that_was_published_is_taken_for_ever),
		cmocka_unit_test(a_slot_beyond_the_table_is_refused),
		cmocka_unit_test(calls_that_make_no_sense_are_refused),
		cmocka_unit_test(bytes_behind_the_last_word_are_refused),
		cmocka_unit_test(a_vm_that_cannot_be_is_not_imported),
		cmocka_unit_test(
			a_vm_that_is_imported_keeps_its_history_and_has_the_books_of_the_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
