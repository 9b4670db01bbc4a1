/* SPDX-License-Identifier: MIT */
/*
 * Recordings: one list, poise_events.def, says which fields an event has and where they are; the
 * writer and the reader both walk it, so that what is written can always be read back.
 */
#include "record.h"

#include <string.h>

#include "poise_names.h"

enum place { IN_poise_event, IN_poise_config, IN_poise_vm_config, IN_poise_sample, IN_poise_vm };
enum kind { U64, U32, I64, ERR, RULE, POLICY, BASIS, STATE, RULES, FLAGS };
/* Whether a line may leave the key out: its value is zero then, which stands for the default. */
enum need { NEEDED, OPTIONAL };

struct field {
	const char *key; /* NULL: the fields of the next event follow */
	uint16_t offset;
	uint8_t place, kind, size, need;
};

#define FIELD(named, type, member, kind_of, need_of) \
	{.key = #named,                              \
	 .offset = offsetof(struct type, member),    \
	 .place = IN_##type,                         \
	 .kind = kind_of,                            \
	 .size = sizeof(((struct type *)0)->member), \
	 .need = need_of},

static const struct field fields[] = {
#define POISE_EVENT(code, name, words)                {.key = NULL},
#define POISE_FIELD(code, key, type, member, kind)    FIELD(key, type, member, kind, NEEDED)
#define POISE_OPTIONAL(code, key, type, member, kind) FIELD(key, type, member, kind, OPTIONAL)
#include "poise_events.def"
#undef POISE_EVENT
	{.key = NULL},
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

/* --- names of values --- */

/* The bits of POISE_VM_FLAGS, from the lowest on. */
#define FLAG_BITS 2u
static const char *flag_name(uint32_t bit)
{
	static const char *const names[FLAG_BITS] = {"freeze", "static"};
	return bit < FLAG_BITS ? names[bit] : "?";
}

static const char *err_name(uint32_t at)
{
	return poise_err_name((enum poise_err)(0 - (int32_t)at));
}

/* What a kind of value is called, and the names that it can have: of a number, or of a bit. */
static const struct {
	const char *what;
	const char *(*name)(uint32_t);
	uint32_t count;
	uint8_t is_set;  /* 1: names of bits, with commas between; "-" for none */
	uint8_t numbers; /* 1: format 1 has the number, and it has always meant the same */
} kinds[] = {
	[U64] = {"a whole number that fits", NULL, 0, 0, 0},
	[U32] = {"a whole number that fits", NULL, 0, 0, 0},
	[I64] = {"a whole number that fits", NULL, 0, 0, 0},
	[ERR] = {"the name of an error", err_name, POISE_ERR_COUNT, 0, 0},
	[RULE] = {"the name of a rule", poise_rule_name, POISE_RULE_COUNT, 0, 0},
	[POLICY] = {"the name of a policy", poise_policy_name, POISE_POLICY_COUNT, 0, 1},
	[BASIS] = {"the name of a basis", poise_basis_name, POISE_BASIS_COUNT, 0, 1},
	[STATE] = {"the name of a state", poise_state_name, POISE_VM_STATE_COUNT, 0, 1},
	[RULES] = {"a list of rules", poise_rule_name, POISE_RULE_COUNT, 1, 0},
	[FLAGS] = {"a list of flags", flag_name, FLAG_BITS, 1, 1},
};

/* --- writing --- */

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

static void put_set(struct writer *w, uint64_t set, uint8_t kind)
{
	const char *before = "";
	for (uint32_t bit = 0; bit < 64; bit++) {
		if ((set >> bit & 1) != 0) {
			put_text(w, before);
			put_text(w, kinds[kind].name(bit));
			before = ",";
		}
	}
	if (set == 0) {
		put_text(w, "-");
	}
}

/* A field's value, widened; an error's is negated. */
static uint64_t load(const struct field *field, const struct poise_event *event, const void *data)
{
	const char *at =
		(field->place == IN_poise_event ? (const char *)event : (const char *)data) +
		field->offset;
	uint64_t wide;
	uint32_t narrow;
	if (field->size == sizeof(wide)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return field->kind == ERR ? 0u - narrow : narrow;
}

static void put_value(struct writer *w, const struct field *field, uint64_t value)
{
	if (kinds[field->kind].is_set != 0) {
		put_set(w, value, field->kind);
	} else if (kinds[field->kind].name != NULL) {
		put_text(w, value <= UINT32_MAX ? kinds[field->kind].name((uint32_t)value) : "?");
	} else if (field->kind == I64 && (int64_t)value < 0) {
		put_text(w, "-");
		put_number(w, 0 - value);
	} else {
		put_number(w, value);
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
			put_text(&w, " ");
			put_text(&w, f->key);
			put_text(&w, "=");
			put_value(&w, f, load(f, event, event->data));
		}
	}
	put_text(&w, "\n");
	*w.to = '\0';
	return (size_t)(w.to - line);
}

bool record_begin(const struct poise *p, bool (*write)(void *ctx, const char *line, size_t size),
		  void *ctx)
{
	char line[RECORD_LINE_MAX];
	struct poise_event event = {.code = POISE_EVENT_INIT, .data = &p->config};
	bool taken = write(ctx, RECORD_HEADER "\n", sizeof(RECORD_HEADER)) &&
		     write(ctx, line, record_format(&event, line, sizeof(line)));
	event = (struct poise_event){.now_ms = p->now_ms,
				     .code = POISE_EVENT_IMPORT,
				     .vm = p->round_robin_start,
				     .a = p->config.pool_pages,
				     .b = p->ticked_ms,
				     .c = p->epoch};
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		event.d += p->vm[i].state != POISE_VM_EMPTY;
	}
	taken = taken && write(ctx, line, record_format(&event, line, sizeof(line)));
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		event = (struct poise_event){.now_ms = p->now_ms,
					     .code = POISE_EVENT_IMPORT_VM,
					     .vm = i,
					     .data = &p->vm[i]};
		taken = taken && (p->vm[i].state == POISE_VM_EMPTY ||
				  write(ctx, line, record_format(&event, line, sizeof(line))));
	}
	return taken;
}

/* --- reading --- */

static int ends_word(char c)
{
	return c == ' ' || c == '\n' || c == '\0';
}

/* Somebody else's text up to the next space: short, and printable. */
static void put_word(struct writer *w, const char *text)
{
	for (size_t i = 0; i < 40 && !ends_word(text[i]); i++) {
		const char c[2] = {text[i] > ' ' && text[i] <= '~' ? text[i] : '?', '\0'};
		put_text(w, c);
	}
}

/* Says what is wrong: words, what stands in the line, words, a name or NULL. */
static const char *refuse(struct record *record, const char *before, const char *word,
			  const char *after, const char *name)
{
	struct writer w = {record->reason, sizeof(record->reason)};
	put_text(&w, before);
	put_word(&w, word);
	put_text(&w, after);
	put_text(&w, name != NULL ? name : "");
	*w.to = '\0';
	return record->reason;
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

/* Takes one of `count` names off the front of the text. */
static int take_name(const char **text, uint32_t count, const char *(*name)(uint32_t),
		     uint64_t *value)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *rest = *text;
		/* Numbers without a name of their own are not to be had by the name of all such. */
		if (*rest != '?' && skip(&rest, name(i)) && (ends_word(*rest) || *rest == ',')) {
			*text = rest;
			*value = i;
			return 1;
		}
	}
	return 0;
}

static int take_set(const char **text, uint8_t kind, uint64_t *set)
{
	uint64_t bit;
	*set = 0;
	if (skip(text, "-")) {
		return 1;
	}
	do {
		if (!take_name(text, kinds[kind].count, kinds[kind].name, &bit) ||
		    (*set >> bit & 1) != 0) {
			return 0;
		}
		*set |= UINT64_C(1) << bit;
	} while (skip(text, ","));
	return 1;
}

/* Takes a field's value off the front of the text. Returns 0 if it is none. */
static int take_value(const char **text, unsigned format, const struct field *field,
		      uint64_t *value)
{
	const uint8_t kind = field->kind;
	const uint64_t most = kind == I64                       ? INT64_MAX
			      : field->size == sizeof(uint32_t) ? UINT32_MAX
								: UINT64_MAX;
	if (kinds[kind].name == NULL) {
		const int negative = kind == I64 && skip(text, "-");
		if (!take_number(text, value) || *value > most) {
			return 0;
		}
		*value = negative ? 0 - *value : *value;
	} else if (format == 1 && kind != ERR && kind != RULE) {
		const uint64_t count = kinds[kind].is_set != 0 ? UINT64_C(1) << kinds[kind].count
							       : kinds[kind].count;
		return take_number(text, value) && ends_word(**text) &&
		       *value < (kinds[kind].numbers != 0 ? count : 1);
	} else if (kinds[kind].is_set != 0) {
		return take_set(text, kind, value) && ends_word(**text);
	} else if (!take_name(text, kinds[kind].count, kinds[kind].name, value)) {
		return 0;
	}
	return ends_word(**text);
}

static void store(const struct field *field, struct record *record, uint64_t value)
{
	char *at =
		(field->place == IN_poise_event ? (char *)&record->event : (char *)&record->data) +
		field->offset;
	const uint32_t narrow = field->kind == ERR ? 0u - (uint32_t)value : (uint32_t)value;
	if (field->size == sizeof(value)) {
		memcpy(at, &value, sizeof(value));
	} else {
		memcpy(at, &narrow, sizeof(narrow));
	}
}

static const char *refuse_value(struct record *record, unsigned format, const struct field *field,
				const char *value)
{
	struct writer w = {record->reason, sizeof(record->reason)};
	put_text(&w, field->key);
	put_text(&w, "=");
	put_word(&w, value);
	if (format == 1 && field->kind == RULES) {
		put_text(&w, ": format 1 has rules by number, and does not say of which core");
	} else {
		put_text(&w, " is not ");
		put_text(&w, kinds[field->kind].what);
		put_text(&w, kinds[field->kind].name != NULL ? " in core " POISE_VERSION : "");
	}
	*w.to = '\0';
	return record->reason;
}

/* Takes " key=" off the front of the text. */
static int take_key(const char **text, const char *key)
{
	const char *at = *text;
	if (!skip(&at, " ") || !skip(&at, key) || !skip(&at, "=")) {
		return 0;
	}
	*text = at;
	return 1;
}

const char *record_parse(const char *line, unsigned format, struct record *record)
{
	const char *const start = line;
	uint64_t value, bit = 1;
	memset(record, 0, sizeof(*record));
	record->event.data = &record->data;
	if (!take_number(&line, &record->event.now_ms) || !skip(&line, " ")) {
		return refuse(record, "\"", start, "\" where the time in milliseconds should be",
			      NULL);
	}
	if (!take_name(&line, POISE_EVENT_COUNT, poise_event_name, &value)) {
		return refuse(record, "no event is called \"", line, "\" in core ", POISE_VERSION);
	}
	record->event.code = (uint32_t)value;
	for (const struct field *f = fields_of((uint32_t)value); f->key != NULL; f++, bit <<= 1) {
		if (!take_key(&line, f->key)) {
			if (f->need == OPTIONAL) {
				continue;
			}
			line += *line == ' ';
			return refuse(record, "\"", line, "\" where this key should be: ", f->key);
		}
		const char *at = line;
		if (!take_value(&line, format, f, &value)) {
			return refuse_value(record, format, f, at);
		}
		store(f, record, value);
		record->given |= bit;
	}
	(void)skip(&line, "\n");
	if (*line != '\0') {
		line += *line == ' ';
		return refuse(record, "\"", line, "\" is unknown, twice there or out of order",
			      NULL);
	}
	if (record->event.code == POISE_EVENT_SAMPLE) {
		const enum poise_err err =
			poise_sample_check(&record->data.sample, POISE_PAGES_MAX);
		if (err != POISE_OK) {
			return refuse(record, "no guest can have reported this: ", "", "",
				      poise_strerror(err));
		}
	}
	return NULL;
}

const char *record_difference(const struct record *record, const struct poise_event *event,
			      const char *but)
{
	uint64_t bit = 1;
	if (record->event.code != event->code) {
		return "event";
	}
	if (record->event.now_ms != event->now_ms) {
		return "time";
	}
	for (const struct field *f = fields_of(event->code); f->key != NULL; f++, bit <<= 1) {
		if ((record->given & bit) != 0 && (but == NULL || strcmp(f->key, but) != 0) &&
		    load(f, &record->event, &record->data) != load(f, event, event->data)) {
			return f->key;
		}
	}
	return NULL;
}
