/* SPDX-License-Identifier: MIT */
/*
 * Recordings: one list, poise_events.def, says which fields an event has and where they are; the
 * writer and the reader both walk it, so that what is written can always be read back.
 */
#include "record.h"

#include <string.h>

#include "poise_names.h"

enum place { IN_poise_event, IN_poise_config, IN_poise_vm_config, IN_poise_sample };
enum kind { U64, U32, I64, ERR, RULE };

struct field {
	const char *key; /* NULL: the fields of the next event follow */
	uint16_t offset;
	uint8_t place, kind;
};

static const struct field fields[] = {
#define POISE_EVENT(code, name, words) {NULL, 0, 0, 0},
#define POISE_FIELD(code, key, type, member, kind) \
	{#key, offsetof(struct type, member), IN_##type, kind},
#include "poise_events.def"
#undef POISE_EVENT
	{NULL, 0, 0, 0},
};

/* Where each event's fields start, less one: this list has a name for each line of that. */
enum {
#define POISE_EVENT(code, name, words)             AT_##code,
#define POISE_FIELD(code, key, type, member, kind) AT_##code##_##key,
#include "poise_events.def"
#undef POISE_EVENT
};
static const uint16_t starts[POISE_EVENT_COUNT] = {
#define POISE_EVENT(code, name, words) AT_##code,
#include "poise_events.def"
#undef POISE_EVENT
};

/* The first of an event's fields; its key is NULL behind the last. */
static const struct field *fields_of(uint32_t code)
{
	return &fields[starts[code] + 1];
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
	const char *base = field->place == IN_poise_event ? (const char *)event : event->data;
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
					       : poise_rule_name(narrow));
	}
}

size_t record_format(const struct poise_event *event, char *line, size_t size)
{
	struct writer w = {line, size};
	put_number(&w, event->now_ms);
	put_text(&w, " ");
	put_text(&w, poise_event_name(event->code));
	if (event->code < POISE_EVENT_COUNT) {
		for (const struct field *f = fields_of(event->code); f->key != NULL; f++) {
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
	char *base =
		field->place == IN_poise_event ? (char *)&record->event : (char *)&record->data;
	uint64_t wide;
	uint32_t narrow;
	if (field->kind == ERR) {
		if (!take_name(text, POISE_ERR_COUNT, err_name, &narrow)) {
			return 0;
		}
		narrow = 0u - narrow;
	} else if (field->kind == RULE) {
		if (!take_name(text, POISE_RULE_COUNT, poise_rule_name, &narrow)) {
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
	if (!take_name(&line, POISE_EVENT_COUNT, poise_event_name, &record->event.code)) {
		return "unknown event";
	}
	for (const struct field *f = fields_of(record->event.code); f->key != NULL; f++) {
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
