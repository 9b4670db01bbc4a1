/* SPDX-License-Identifier: MIT */
/*
 * A core's state as bytes and back, for a live update of the firmware or a restart of the program
 * that holds it. The fields are those of poise_saved.def, each a 64-bit little-endian word, so that
 * another compiler, another table size or another layout of the structs reads the same. In a file
 * of its own: a hypervisor that does not call these does not link them.
 *
 *	word	0	magic, with the number of the format in its last byte
 *		1	length in bytes
 *		2	words of the core | words of a VM << 16 | VMs << 32
 *		3...	the core's words
 *		...	each VM: its slot, its words
 *		last	checksum of all before it
 *
 * What is imported is taken for hostile: nothing is used before it has been checked, and an error
 * leaves everything as it was.
 */
#include "internal.h"

/* "POISEST" and the format. */
#define MAGIC UINT64_C(0x3154534553494f50)

enum { HEAD_WORDS = 3, TAIL_WORDS = 1 };

/* The largest table that a core can be built with. */
#define SLOTS_MAX 64

/* Ranges that are no numbers of their own. */
#define ANY    UINT64_MAX
#define NOW    (UINT64_MAX - 1)
#define LATER  (UINT64_MAX - 2)
#define EPOCH  (UINT64_MAX - 3)
#define PAGES  POISE_PAGES_MAX
#define USED   (4 * POISE_PAGES_MAX)
#define DELTA  (USED << POISE_FRACTION_BITS)
#define SLOT   (SLOTS_MAX - 1)
#define WEIGHT UINT16_MAX
#define GAP    60000
/* Furthest that a time may lie ahead: the longest interval, doubled with each backoff. */
#define AHEAD_MS (UINT64_C(60000) << POISE_BACKOFF_EXPONENT_MAX)

struct saved {
	uint16_t offset;
	uint8_t size, is_signed;
	uint64_t most;
};

#define SIZE_OF(type, member) sizeof(((struct type *)0)->member)
#define SAVED(type, member, signed_value, at_most)                                      \
	{                                                                               \
		.offset = offsetof(struct type, member), .size = SIZE_OF(type, member), \
		.is_signed = signed_value, .most = at_most                              \
	}
#define IS_SIGNED_I64   1
#define IS_SIGNED_U64   0
#define IS_SIGNED_U32   0
#define IS_SIGNED_BASIS 0
#define IS_SIGNED_FLAGS 0
#define IS_SIGNED_STATE 0
#define IS_SIGNED_RULE  0

static const struct saved core_fields[] = {
#define POISE_SAVED(key, member, most) SAVED(poise, member, 0, most),
#include "poise_saved.def"
};

/* Where each stands among the core's words. */
enum {
#define POISE_SAVED(key, member, most) WORD_##key,
#include "poise_saved.def"
};

static const struct saved vm_fields[] = {
#define POISE_SAVED_VM(key, member, kind, most) SAVED(poise_vm, member, IS_SIGNED_##kind, most),
#include "poise_saved.def"
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
enum {
	CORE_FIELDS = COUNT(core_fields),
	CORE_WORDS = CORE_FIELDS + POISE_ERR_COUNT,
	VM_WORDS = COUNT(vm_fields)
};
POISE_ABI_ASSERT(POISE_EXPORT_BYTES == sizeof(uint64_t) * (HEAD_WORDS + CORE_WORDS + TAIL_WORDS +
							   POISE_VM_MAX * (1 + VM_WORDS)),
		 "POISE_EXPORT_BYTES does not match the lists");

/* Every member is in the lists, once: their sizes add up. */
enum {
	LISTED_BYTES = 0
#define POISE_SAVED(key, member, most) +SIZE_OF(poise, member)
#define POISE_UNSAVED(member)          +SIZE_OF(poise, member)
#include "poise_saved.def"
	,
	LISTED_VM_BYTES = 0
#define POISE_SAVED_VM(key, member, kind, most) +SIZE_OF(poise_vm, member)
#define POISE_UNSAVED_VM(member)                +SIZE_OF(poise_vm, member)
#include "poise_saved.def"
};
/* The pool is in one list as itself and in the other with the rest of the configuration. */
POISE_ABI_ASSERT(sizeof(struct poise) + SIZE_OF(poise, config.pool_pages) == LISTED_BYTES,
		 "a member of struct poise is missing in poise_saved.def");
POISE_ABI_ASSERT(sizeof(struct poise_vm) == LISTED_VM_BYTES,
		 "a member of struct poise_vm is missing in poise_saved.def");

static uint64_t load(const void *base, const struct saved *field)
{
	uint64_t wide;
	uint32_t narrow;
	const char *at = (const char *)base + field->offset;
	if (field->size == sizeof(wide)) {
		__builtin_memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	__builtin_memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

static void store(void *base, const struct saved *field, uint64_t value)
{
	const uint32_t narrow = (uint32_t)value;
	char *at = (char *)base + field->offset;
	if (field->size == sizeof(value)) {
		__builtin_memcpy(at, &value, sizeof(value));
	} else {
		__builtin_memcpy(at, &narrow, sizeof(narrow));
	}
}

/* --- words, wherever they lie --- */

static uint64_t get(const void *blob, size_t word)
{
	const unsigned char *at = (const unsigned char *)blob + word * sizeof(uint64_t);
	uint64_t value = 0;
	for (unsigned i = sizeof(value); i > 0; i--) {
		value = value << 8 | at[i - 1];
	}
	return value;
}

static void put(void *blob, size_t word, uint64_t value)
{
	unsigned char *at = (unsigned char *)blob + word * sizeof(uint64_t);
	for (unsigned i = 0; i < sizeof(value); i++) {
		at[i] = (unsigned char)(value >> (8 * i));
	}
}

static uint64_t checksum(const void *blob, size_t words)
{
	uint64_t sum = POISE_ABI_CHECKSUM_SEED;
	for (size_t i = 0; i < words; i++) {
		sum = poise_abi_checksum(sum, get(blob, i));
	}
	return sum;
}

enum poise_err poise_export(const struct poise *p, void *out, size_t room, size_t *bytes)
{
	size_t at = HEAD_WORDS;
	uint64_t vms = 0;
	if (p == NULL || out == NULL || bytes == NULL || room < POISE_EXPORT_BYTES) {
		return POISE_E_ARG;
	}
	if (p->magic != POISE_MAGIC) {
		return POISE_E_CONTEXT;
	}
	if (p->busy != 0) {
		return POISE_E_STATE;
	}
	for (size_t i = 0; i < CORE_FIELDS; i++) {
		put(out, at++, load(p, &core_fields[i]));
	}
	for (size_t i = 0; i < POISE_ERR_COUNT; i++) {
		put(out, at++, p->errors[i]);
	}
	for (uint32_t slot = 0; slot < POISE_VM_MAX; slot++) {
		if (p->vm[slot].state == POISE_VM_EMPTY) {
			continue;
		}
		vms++;
		put(out, at++, slot);
		for (size_t i = 0; i < VM_WORDS; i++) {
			put(out, at++, load(&p->vm[slot], &vm_fields[i]));
		}
	}
	put(out, 0, MAGIC);
	put(out, 1, (at + TAIL_WORDS) * sizeof(uint64_t));
	put(out, 2, CORE_WORDS | VM_WORDS << 16 | vms << 32);
	put(out, at, checksum(out, at));
	*bytes = (at + TAIL_WORDS) * sizeof(uint64_t);
	return POISE_OK;
}

/* --- import --- */

/* An exported state whose form is right; what stands in it is still to be checked. */
struct image {
	const void *blob;
	size_t core_words, vm_words; /* as many as its writer knew */
	uint32_t vms;
	uint64_t now_ms, epoch;
};

static enum poise_err open_image(struct image *image, const void *blob, size_t bytes)
{
	const size_t words = bytes / sizeof(uint64_t);
	*image = (struct image){.blob = blob};
	if (words < HEAD_WORDS + CORE_FIELDS + TAIL_WORDS || get(blob, 0) != MAGIC ||
	    get(blob, 1) != bytes) {
		return POISE_E_IMAGE;
	}
	image->core_words = get(blob, 2) & 0xffff;
	image->vm_words = get(blob, 2) >> 16 & 0xffff;
	image->vms = (uint32_t)(get(blob, 2) >> 32);
	image->now_ms = get(blob, HEAD_WORDS + WORD_now_ms);
	image->epoch = get(blob, HEAD_WORDS + WORD_epoch);
	/* A part of the words may be missing, since the writer may be older; never the first ones.
	 */
	if (image->core_words < CORE_FIELDS || image->vms > SLOTS_MAX ||
	    bytes % sizeof(uint64_t) != 0 ||
	    words != HEAD_WORDS + image->core_words + TAIL_WORDS +
			     image->vms * (1 + image->vm_words) ||
	    get(blob, words - 1) != checksum(blob, words - 1)) {
		return POISE_E_IMAGE;
	}
	return image->core_words > CORE_WORDS || image->vm_words > VM_WORDS ? POISE_E_NEWER
									    : POISE_OK;
}

static size_t vm_at(const struct image *image, uint32_t number)
{
	return HEAD_WORDS + image->core_words + number * (1 + image->vm_words);
}

static bool in_range(const struct image *image, const struct saved *field, uint64_t value)
{
	switch (field->most) {
	case ANY:
		return true;
	case NOW:
		return value <= image->now_ms;
	case LATER:
		return value <= image->now_ms || value - image->now_ms <= AHEAD_MS;
	case EPOCH:
		return value <= image->epoch;
	default:
		return (field->is_signed != 0 && (int64_t)value < 0 ? 0 - value : value) <=
		       field->most;
	}
}

/* Whether the values of one VM fit together, as far as poise_check does not look at that. */
static bool is_sound(const struct poise_vm *v)
{
	const struct poise_vm_config *c = &v->config;
	/* A VM that has never reported has no sample; any other has one that a page could hold. */
	return v->state != POISE_VM_EMPTY && c->min_pages != 0 && c->min_pages <= c->boot_pages &&
	       c->boot_pages <= c->max_pages && c->weight != 0 && v->urgent_gap != 0 &&
	       (v->last.boot_id == 0 ? v->forecast.steps == 0
				     : poise_sample_check(&v->last, POISE_PAGES_MAX) == POISE_OK);
}

/* Takes a VM of the image into an empty slot. Returns: POISE_OK; POISE_E_IMAGE, and the slot may
 * hold anything. */
static enum poise_err take_vm(struct poise_vm *v, const struct image *image, uint32_t number)
{
	const size_t at = vm_at(image, number) + 1;
	for (size_t i = 0; i < image->vm_words; i++) {
		const uint64_t value = get(image->blob, at + i);
		if (!in_range(image, &vm_fields[i], value)) {
			return POISE_E_IMAGE;
		}
		store(v, &vm_fields[i], value);
	}
	return is_sound(v) ? POISE_OK : POISE_E_IMAGE;
}

static bool is_empty(const struct poise *p)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (p->vm[i].state != POISE_VM_EMPTY) {
			return false;
		}
	}
	return true;
}

/* Whether every invariant holds but the one that no call is under way. */
static bool holds(struct poise *p)
{
	p->busy = 0;
	const unsigned broken = poise_check(p);
	p->busy = 1;
	return broken == 0;
}

/* Everything of the image but the counters, into a core without VMs. */
static enum poise_err take_all(struct poise *p, const struct image *image)
{
	for (size_t i = 0; i < CORE_FIELDS; i++) {
		const uint64_t value = get(image->blob, HEAD_WORDS + i);
		if (!in_range(image, &core_fields[i], value)) {
			return POISE_E_IMAGE;
		}
		store(p, &core_fields[i], value);
	}
	p->round_robin_start = p->round_robin_start < POISE_VM_MAX ? p->round_robin_start : 0;
	p->free_pages = (int64_t)p->config.pool_pages;
	uint64_t next = 0;
	for (uint32_t i = 0; i < image->vms; i++) {
		const uint64_t slot = get(image->blob, vm_at(image, i));
		if (slot < next || slot > SLOT) {
			return POISE_E_IMAGE; /* Each slot once, in their order. */
		}
		if (slot >= POISE_VM_MAX) {
			return POISE_E_ROOM;
		}
		next = slot + 1;
		struct poise_vm *v = &p->vm[slot];
		const enum poise_err err = take_vm(v, image, i);
		if (err != POISE_OK) {
			return err;
		}
		p->free_pages -= (int64_t)poise_vm_charge(v);
	}
	return holds(p) ? POISE_OK : POISE_E_IMAGE;
}

/* Every VM is told anew, and the record has all that what follows rests on. */
static void tell_all(struct poise *p, uint32_t vms)
{
	struct poise_event event = {.now_ms = p->now_ms,
				    .code = POISE_EVENT_IMPORT,
				    .vm = p->round_robin_start,
				    .a = p->config.pool_pages,
				    .b = p->ticked_ms,
				    .c = p->epoch,
				    .d = vms};
	p->port->event(p->ctx, &event);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (p->vm[i].state != POISE_VM_EMPTY) {
			poise_emit_data(p, POISE_EVENT_IMPORT_VM, i, 0, &p->vm[i]);
		}
	}
	poise_tell(p);
}

/* Opens a call that imports. `vm`: as for poise_enter. */
static enum poise_err enter(struct poise *p, struct image *image, const void *blob, size_t bytes)
{
	enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	err = blob == NULL ? POISE_E_ARG : open_image(image, blob, bytes);
	return err == POISE_OK ? err : poise_leave(p, err);
}

enum poise_err poise_import(struct poise *p, const void *blob, size_t bytes)
{
	struct image image;
	enum poise_err err = enter(p, &image, blob, bytes);
	if (err != POISE_OK) {
		return err;
	}
	if (!is_empty(p)) {
		return poise_leave(p, POISE_E_STATE);
	}
	/* What an error has to bring back; the slots are empty then. */
	const uint64_t pool_pages = p->config.pool_pages;
	const uint64_t now_ms = p->now_ms;
	const uint64_t ticked_ms = p->ticked_ms;
	const uint64_t epoch = p->epoch;
	const int64_t free_pages = p->free_pages;
	const uint32_t start = p->round_robin_start;
	err = take_all(p, &image);
	if (err != POISE_OK) {
		__builtin_memset(p->vm, 0, sizeof(p->vm));
		p->config.pool_pages = pool_pages;
		p->now_ms = now_ms;
		p->ticked_ms = ticked_ms;
		p->epoch = epoch;
		p->free_pages = free_pages;
		p->round_robin_start = start;
		return poise_leave(p, err);
	}
	p->now_ms = poise_max(p->now_ms, now_ms);
	p->epoch = poise_max(p->epoch, epoch);
	for (size_t i = 0; i < image.core_words - CORE_FIELDS; i++) {
		p->errors[i] = get(blob, HEAD_WORDS + CORE_FIELDS + i);
	}
	tell_all(p, image.vms);
	return poise_leave(p, POISE_OK);
}

/* Which of the image's VMs was in that slot; image->vms if none was. */
static uint32_t find_vm(const struct image *image, uint32_t slot)
{
	uint32_t number = 0;
	while (number < image->vms && get(image->blob, vm_at(image, number)) != slot) {
		number++;
	}
	return number;
}

/* What of a VM is not its history: the books are the host's, and nothing is under way. */
static void start_books(struct poise *p, struct poise_vm *v, const struct poise_vm_config *config,
			uint64_t actual_pages)
{
	v->config = *config;
	v->actual_pages = 0;
	v->target_pages = 0;
	v->goal_pages = poise_min(poise_max(actual_pages, config->min_pages), config->max_pages);
	v->ticked_pages = actual_pages;
	v->epoch = 0;
	v->window_pages = actual_pages;
	v->unsent = 0;
	/* The way it last went is kept, although the ledger takes it for one that has grown. */
	const uint32_t last_direction = v->last_direction;
	poise_ledger_set(p, v, actual_pages, actual_pages);
	v->last_direction = last_direction;
}

enum poise_err poise_vm_import(struct poise *p, uint32_t vm, const struct poise_vm_config *config,
			       uint64_t actual_pages, const void *blob, size_t bytes, uint32_t slot)
{
	struct image image;
	enum poise_err err = enter(p, &image, blob, bytes);
	if (err != POISE_OK) {
		return err;
	}
	if (vm >= POISE_VM_MAX || config == NULL || actual_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	if (v->state != POISE_VM_EMPTY) {
		return poise_leave(p, POISE_E_DUP);
	}
	struct poise_vm_config complete = *config;
	err = poise_vm_config_complete(p, v, &complete);
	const uint32_t number = find_vm(&image, slot);
	if (err == POISE_OK && number == image.vms) {
		err = POISE_E_NOT_FOUND;
	}
	if (err == POISE_OK) {
		err = take_vm(v, &image, number);
	}
	if (err == POISE_OK && poise_vm_starts_anew(&v->config, &complete)) {
		err = POISE_E_STATE;
	}
	if (err == POISE_OK) {
		start_books(p, v, &complete, actual_pages);
		if (!holds(p)) {
			poise_ledger_set(p, v, 0, 0);
			err = POISE_E_IMAGE;
		}
	}
	if (err != POISE_OK) {
		*v = (struct poise_vm){0};
		return poise_leave(p, err);
	}
	poise_clock(p, image.now_ms);
	v->window_ms = p->now_ms;
	poise_emit_data(p, POISE_EVENT_IMPORT_VM, vm, 0, v);
	poise_resize_settle(p);
	poise_tell(p);
	return poise_leave(p, POISE_OK);
}
