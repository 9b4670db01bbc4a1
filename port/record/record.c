/* SPDX-License-Identifier: MIT */
/*
 * Recordings: one table says which fields an event has and where they are; the writer and the
 * reader both walk it, so that what is written can always be read back.
 */
#include "record.h"

#include <string.h>

enum place { EVENT, DATA };
enum kind { U64, U32, I64, ERR, RULE };

struct field {
	const char *key;
	uint16_t offset;
	uint8_t place, kind;
};

#define AT_EVENT(key, member, kind)                                    \
	{                                                              \
		key, offsetof(struct poise_event, member), EVENT, kind \
	}
#define AT_DATA(type, member, kind)                                \
	{                                                          \
#member, offsetof(struct type, member), DATA, kind \
	}
#define AT_BODY(member)                                                        \
	{                                                                      \
#member, offsetof(struct poise_sample, body.member), DATA, U64 \
	}
#define LAST                  \
	{                     \
		NULL, 0, 0, 0 \
	}
#define VM AT_EVENT("vm", vm, U32)

static const struct field init_fields[] = {
	AT_DATA(poise_config, pool_pages, U64),
	AT_DATA(poise_config, policy, U32),
	AT_DATA(poise_config, rules_off, U32),
	AT_DATA(poise_config, interval_ms, U32),
	AT_DATA(poise_config, alpha_q10, U32),
	AT_DATA(poise_config, headroom_permille, U32),
	AT_DATA(poise_config, reserve_permille, U32),
	AT_DATA(poise_config, urgent_permille, U32),
	AT_DATA(poise_config, urgent_gap_ms, U32),
	AT_DATA(poise_config, dead_band_permille, U32),
	AT_DATA(poise_config, slew_permille, U32),
	AT_DATA(poise_config, idle_tax_permille, U32),
	AT_DATA(poise_config, hold_intervals, U32),
	AT_DATA(poise_config, freeze_intervals, U32),
	AT_DATA(poise_config, answer_intervals, U32),
	AT_DATA(poise_config, progress_permille, U32),
	LAST,
};

#define VM_CONFIG                                                                                \
	AT_DATA(poise_vm_config, min_pages, U64), AT_DATA(poise_vm_config, boot_pages, U64),     \
		AT_DATA(poise_vm_config, max_pages, U64), AT_DATA(poise_vm_config, weight, U32), \
		AT_DATA(poise_vm_config, basis, U32), AT_DATA(poise_vm_config, flags, U32)

static const struct field add_fields[] = {VM, VM_CONFIG, AT_EVENT("actual", a, U64), LAST};
static const struct field set_fields[] = {VM, VM_CONFIG, LAST};
static const struct field remove_fields[] = {VM, AT_EVENT("back", a, U64), LAST};
static const struct field restart_fields[] = {VM, AT_EVENT("actual", a, U64), LAST};
static const struct field pool_fields[] = {AT_EVENT("pool_pages", a, U64), LAST};
static const struct field sample_fields[] = {
	VM,
	AT_DATA(poise_sample, boot_id, U64),
	AT_DATA(poise_sample, features, U32),
	AT_BODY(sample),
	AT_BODY(guest_ms),
	AT_BODY(total_pages),
	AT_BODY(balloon_pages),
	AT_BODY(free_pages),
	AT_BODY(active_file_pages),
	AT_BODY(inactive_file_pages),
	AT_BODY(active_anon_pages),
	AT_BODY(inactive_anon_pages),
	AT_BODY(unevictable_pages),
	AT_BODY(swap_used_pages),
	AT_BODY(available_pages),
	AT_BODY(swap_out_pages),
	AT_BODY(swap_in_pages),
	AT_BODY(refault_anon_pages),
	AT_BODY(refault_file_pages),
	AT_BODY(committed_pages),
	AT_BODY(direct_reclaims),
	AT_BODY(oom_kills),
	AT_BODY(floor_pages),
	LAST,
};
static const struct field bad_fields[] = {VM, AT_EVENT("err", err, ERR), LAST};
static const struct field urgent_fields[] = {VM, AT_EVENT("due", a, U64), LAST};
static const struct field tick_fields[] = {AT_EVENT("at", a, U64), LAST};
static const struct field ack_fields[] = {VM, AT_EVENT("epoch", a, U64), AT_EVENT("pages", b, U64),
					  AT_EVENT("err", err, ERR), LAST};
static const struct field measure_fields[] = {VM, AT_EVENT("pages", a, U64),
					      AT_EVENT("err", err, ERR), LAST};
static const struct field resize_fields[] = {
	VM, AT_EVENT("target", a, U64), AT_EVENT("epoch", b, U64), AT_EVENT("err", err, ERR), LAST};
static const struct field plan_fields[] = {VM,
					   AT_EVENT("rule", rule, RULE),
					   AT_EVENT("size", a, U64),
					   AT_EVENT("delta_q16", b, I64),
					   AT_EVENT("reclaimable_q16", c, I64),
					   AT_EVENT("goal", d, U64),
					   LAST};
static const struct field state_fields[] = {VM, AT_EVENT("from", a, U64), AT_EVENT("to", b, U64),
					    LAST};

static const struct {
	const char *name;
	const struct field *fields;
} events[POISE_EVENT_COUNT] = {
	[POISE_EVENT_INIT] = {"init", init_fields},
	[POISE_EVENT_ADD] = {"add", add_fields},
	[POISE_EVENT_SET] = {"set", set_fields},
	[POISE_EVENT_REMOVE] = {"remove", remove_fields},
	[POISE_EVENT_RESTART] = {"restart", restart_fields},
	[POISE_EVENT_POOL] = {"pool", pool_fields},
	[POISE_EVENT_SAMPLE] = {"sample", sample_fields},
	[POISE_EVENT_BAD] = {"bad", bad_fields},
	[POISE_EVENT_URGENT] = {"urgent", urgent_fields},
	[POISE_EVENT_TICK] = {"tick", tick_fields},
	[POISE_EVENT_ACK] = {"ack", ack_fields},
	[POISE_EVENT_MEASURE] = {"measure", measure_fields},
	[POISE_EVENT_RESIZE] = {"resize", resize_fields},
	[POISE_EVENT_PLAN] = {"plan", plan_fields},
	[POISE_EVENT_STATE] = {"state", state_fields},
};

static const char *const rules[POISE_RULE_COUNT] = {
	[POISE_RULE_NONE] = "NONE",           [POISE_RULE_EQUATION] = "EQUATION",
	[POISE_RULE_SHORTFALL] = "SHORTFALL", [POISE_RULE_PRESSURE] = "PRESSURE",
	[POISE_RULE_URGENT] = "URGENT",       [POISE_RULE_RESERVE] = "RESERVE",
	[POISE_RULE_FLOOR] = "FLOOR",         [POISE_RULE_IDLE_TAX] = "IDLE_TAX",
	[POISE_RULE_TIGHT] = "TIGHT",         [POISE_RULE_CLAIM] = "CLAIM",
	[POISE_RULE_GENTLE] = "GENTLE",       [POISE_RULE_DEAD_BAND] = "DEAD_BAND",
	[POISE_RULE_SLEW] = "SLEW",           [POISE_RULE_FAIR] = "FAIR",
	[POISE_RULE_BACK_OFF] = "BACK_OFF",   [POISE_RULE_STALE] = "STALE",
	[POISE_RULE_STATIC] = "STATIC",       [POISE_RULE_FROZEN] = "FROZEN",
	[POISE_RULE_BOUNDS] = "BOUNDS",
};

const char *record_rule_name(uint32_t rule)
{
	return rule < POISE_RULE_COUNT ? rules[rule] : "?";
}

const char *record_event_name(uint32_t code)
{
	return code < POISE_EVENT_COUNT ? events[code].name : "?";
}

/* Where a line is being written; what does not fit is dropped, and the caller's size rules that
 * out. */
struct writer {
	char *to;
	size_t left;
};

static void put_text(struct writer *w, const char *text)
{
	for (; *text != '\0' && w->left > 1; text++, w->left--) {
		*w->to++ = *text;
	}
}

static void put_number(struct writer *w, uint64_t value)
{
	char digits[21];
	char *at = &digits[sizeof(digits) - 1];
	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	put_text(w, at);
}

static void put_field(struct writer *w, const struct poise_event *event, const struct field *field)
{
	const char *base = field->place == EVENT ? (const char *)event : event->data;
	uint64_t wide;
	uint32_t narrow;
	put_text(w, " ");
	put_text(w, field->key);
	put_text(w, "=");
	if (field->kind == U64 || field->kind == I64) {
		memcpy(&wide, base + field->offset, sizeof(wide));
		if (field->kind == I64 && (int64_t)wide < 0) {
			put_text(w, "-");
			wide = 0 - wide;
		}
		put_number(w, wide);
		return;
	}
	memcpy(&narrow, base + field->offset, sizeof(narrow));
	if (field->kind == U32) {
		put_number(w, narrow);
	} else {
		put_text(w, field->kind == ERR ? poise_err_name((enum poise_err)(int32_t)narrow)
					       : record_rule_name(narrow));
	}
}

size_t record_format(const struct poise_event *event, char *line, size_t size)
{
	struct writer w = {line, size};
	put_number(&w, event->now_ms);
	put_text(&w, " ");
	put_text(&w, record_event_name(event->code));
	if (event->code < POISE_EVENT_COUNT) {
		for (const struct field *f = events[event->code].fields; f->key != NULL; f++) {
			put_field(&w, event, f);
		}
	}
	put_text(&w, "\n");
	*w.to = '\0';
	return (size_t)(w.to - line);
}

/* Takes `word` off the front of the text. */
static int skip(const char **text, const char *word)
{
	const size_t length = strlen(word);
	if (strncmp(*text, word, length) != 0) {
		return 0;
	}
	*text += length;
	return 1;
}

/* Takes a decimal number off the front of the text; no sign, no overflow, no leading zeros. */
static int take_number(const char **text, uint64_t *value)
{
	const char *at = *text;
	*value = 0;
	while (*at >= '0' && *at <= '9') {
		const uint64_t digit = (uint64_t)(*at - '0');
		if (*value > (UINT64_MAX - digit) / 10 || (at > *text && *value == 0)) {
			return 0;
		}
		*value = *value * 10 + digit;
		at++;
	}
	if (at == *text) {
		return 0;
	}
	*text = at;
	return 1;
}

static int ends_word(char c)
{
	return c == ' ' || c == '\n' || c == '\0';
}

/* Takes one of `count` names off the front of the text. */
static int take_name(const char **text, uint32_t count, const char *(*name)(uint32_t),
		     uint32_t *value)
{
	for (*value = 0; *value < count; ++*value) {
		const char *rest = *text;
		/* Numbers without a name of their own are not to be had by the name of all such. */
		if (*rest != '?' && skip(&rest, name(*value)) && ends_word(*rest)) {
			*text = rest;
			return 1;
		}
	}
	return 0;
}

static const char *err_name(uint32_t at)
{
	return poise_err_name((enum poise_err)(0 - (int32_t)at));
}

/* Reads a field's value into its place. Returns 0 if it is none. */
static int take_field(const char **text, struct record *record, const struct field *field)
{
	char *base = field->place == EVENT ? (char *)&record->event : (char *)&record->data;
	uint64_t wide;
	uint32_t narrow;
	if (field->kind == ERR) {
		if (!take_name(text, POISE_ERR_COUNT, err_name, &narrow)) {
			return 0;
		}
		narrow = 0u - narrow;
	} else if (field->kind == RULE) {
		if (!take_name(text, POISE_RULE_COUNT, record_rule_name, &narrow)) {
			return 0;
		}
	} else {
		const int negative = field->kind == I64 && skip(text, "-");
		if (!take_number(text, &wide) || !ends_word(**text) ||
		    (field->kind == I64 && wide > INT64_MAX) ||
		    (field->kind == U32 && wide > UINT32_MAX)) {
			return 0;
		}
		wide = negative ? 0 - wide : wide;
		if (field->kind != U32) {
			memcpy(base + field->offset, &wide, sizeof(wide));
			return 1;
		}
		narrow = (uint32_t)wide;
	}
	memcpy(base + field->offset, &narrow, sizeof(narrow));
	return 1;
}

const char *record_parse(const char *line, struct record *record)
{
	memset(record, 0, sizeof(*record));
	record->event.data = &record->data;
	if (!take_number(&line, &record->event.now_ms) || !skip(&line, " ")) {
		return "does not start with a time";
	}
	if (!take_name(&line, POISE_EVENT_COUNT, record_event_name, &record->event.code)) {
		return "unknown event";
	}
	for (const struct field *f = events[record->event.code].fields; f->key != NULL; f++) {
		if (!skip(&line, " ") || !skip(&line, f->key) || !skip(&line, "=")) {
			return "a key is missing or in the wrong place";
		}
		if (!take_field(&line, record, f)) {
			return "a value is not of its key's kind, or out of range";
		}
	}
	(void)skip(&line, "\n");
	return *line == '\0' ? NULL : "something follows the last key";
}
