/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: an exported state that somebody has edited, with a checksum that is right. It
 * is refused and nothing has changed, or every invariant holds, now and after any calls that
 * follow.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "poise.h"

#define WORD_BYTES 8u
#define EDIT_SIZE  4u

static const struct poise_config config = {.pool_pages = 20000};
static struct poise made, p, before;
static unsigned char good[POISE_EXPORT_BYTES], blob[POISE_EXPORT_BYTES];
static size_t good_bytes;

static enum poise_err resize(void *ctx, uint32_t vm, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)target;
	return epoch % 7 == vm ? POISE_E_BUSY : POISE_OK;
}

static enum poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	const struct poise *from = ctx;
	*pages = from->vm[vm].target_pages;
	return vm % 3 == 2 ? POISE_E_PORT : POISE_OK;
}

static void notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	if (vm >= POISE_VM_MAX || notice->target_pages == 0) {
		abort();
	}
}

static void event(void *ctx, const struct poise_event *e)
{
	(void)ctx;
	if (e->code >= POISE_EVENT_COUNT || e->vm >= POISE_VM_MAX) {
		abort();
	}
}

static const struct poise_port port = {
	.resize = resize, .measure = measure, .notify = notify, .event = event};

static void must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static struct poise_sample sample(uint32_t vm, uint64_t number, uint64_t used)
{
	struct poise_sample s = {.boot_id = vm + 1u, .features = POISE_GF_KNOWN};
	s.body.sample = number;
	s.body.total_pages = 8000;
	s.body.inactive_anon_pages = used;
	s.body.free_pages = 8000 - used;
	s.body.swap_in_pages = number * used;
	return s;
}

/* Three VMs in the midst of things. */
static void make_good(void)
{
	static const struct poise_vm_config vm = {
		.min_pages = 1000, .boot_pages = 6000, .max_pages = 9000};
	must(poise_init(&made, sizeof(made), &config, &port, &made) == POISE_OK);
	for (uint32_t i = 0; i < 3; i++) {
		must(poise_vm_add(&made, i, &vm, 6000) == POISE_OK);
	}
	for (uint64_t t = 1; t < 8; t++) {
		for (uint32_t i = 0; i < 3; i++) {
			const struct poise_sample s = sample(i, t, 100 + t * 900 * i / 2);
			must(poise_report(&made, i, t * 1000, &s) == POISE_OK);
		}
		must(poise_tick(&made, t * 1000) == POISE_OK);
	}
	must(poise_export(&made, good, sizeof(good), &good_bytes) == POISE_OK);
}

static void set_word(size_t word, uint64_t value)
{
	for (size_t i = 0; i < WORD_BYTES; i++) {
		blob[word * WORD_BYTES + i] = (unsigned char)(value >> 8 * i);
	}
}

static uint64_t get_word(size_t word)
{
	uint64_t value = 0;
	for (size_t i = WORD_BYTES; i > 0; i--) {
		value = value << 8 | blob[word * WORD_BYTES + i - 1];
	}
	return value;
}

/* One edit: which word, and how it is changed. */
static void edit(const uint8_t *e, size_t words)
{
	const size_t word = ((size_t)e[0] << 8 | e[1]) % words;
	const uint64_t value = get_word(word);
	switch (e[2] % 6u) {
	case 0:
		set_word(word, e[3]);
		break;
	case 1:
		set_word(word, value + e[3]);
		break;
	case 2:
		set_word(word, value - e[3]);
		break;
	case 3:
		set_word(word, UINT64_C(1) << e[3] % 64u);
		break;
	case 4:
		set_word(word, UINT64_MAX << e[3] % 64u);
		break;
	default:
		set_word(word, value ^ UINT64_C(1) << e[3] % 64u);
		break;
	}
}

static void call(const uint8_t *e)
{
	const uint32_t vm = e[0] % 4u;
	const uint64_t now = p.now_ms + e[1] * 50u;
	const struct poise_sample s = sample(vm, p.vm[vm].last.body.sample + 1, e[3] * 31u);
	enum poise_err err;
	switch (e[2] % 6u) {
	case 0:
	case 1:
		err = poise_tick(&p, now);
		break;
	case 2:
		err = poise_report(&p, vm, now, &s);
		break;
	case 3:
		err = poise_urgent(&p, vm, now);
		break;
	case 4:
		err = poise_ack(&p, vm, p.vm[vm].epoch, e[3] * 31u, now);
		break;
	default:
		err = e[3] % 2u != 0 ? poise_vm_remove(&p, vm) : poise_pool_set(&p, e[3] * 100u);
		break;
	}
	(void)err;
	must(poise_check(&p) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t edits, bytes;
	enum poise_err err;
	if (good_bytes == 0) {
		make_good();
	}
	if (size < 2) {
		return 0;
	}
	bytes = good_bytes;
	edits = data[0] % 8u;
	memcpy(blob, good, bytes);
	if (data[1] == 0) {
		bytes = size - 2 < sizeof(blob) ? size - 2
						: sizeof(blob); /* Not edited: as it is. */
		memcpy(blob, data + 2, bytes);
	}
	data += 2;
	size -= 2;
	for (; edits > 0 && size >= EDIT_SIZE && bytes == good_bytes; edits--) {
		edit(data, bytes / WORD_BYTES);
		data += EDIT_SIZE;
		size -= EDIT_SIZE;
	}
	if (bytes >= WORD_BYTES) {
		uint64_t sum = POISE_ABI_CHECKSUM_SEED;
		for (size_t i = 0; i + 1 < bytes / WORD_BYTES; i++) {
			sum = poise_abi_checksum(sum, get_word(i));
		}
		set_word(bytes / WORD_BYTES - 1, sum);
	}
	must(poise_init(&p, sizeof(p), &config, &port, &p) == POISE_OK);
	before = p;
	err = poise_import(&p, blob, bytes);
	if (err != POISE_OK) {
		before.errors[-(int)err]++;
		must(memcmp(&p, &before, sizeof(p)) == 0);
		return 0;
	}
	must(poise_check(&p) == 0);
	for (; size >= EDIT_SIZE; size -= EDIT_SIZE, data += EDIT_SIZE) {
		call(data);
	}
	return 0;
}
