/* SPDX-License-Identifier: MIT */
/* Checked access to libconfig's settings; see setting.h. */
#include "setting.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define PAGES_PER_MIB 256u
#define MIB_MAX       65536.0
#define SECONDS_MAX   1e4
#define REASON_MAX    384
#define SIZE_TEXT_MAX 32

void setting_error(struct setting_reader *r, const config_setting_t *at, const char *reason, ...)
{
	char text[REASON_MAX];
	va_list arguments;

	if (r->failed) {
		return;
	}
	va_start(arguments, reason);
	vsnprintf(text, sizeof(text), reason, arguments);
	va_end(arguments);
	r->failed = true;
	/* Root has no line of its own: what is missing there is missing at the file's end. */
	snprintf(r->error, r->size, "%s:%u: %s", r->path,
		 at != NULL ? (unsigned)config_setting_source_line(at) : 0u, text);
}

void setting_known(struct setting_reader *r, const config_setting_t *group, const char *names,
		   const char *more)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(s);

		if (name == NULL ||
		    (text_find_word(names, name) < 0 && text_find_word(more, name) < 0)) {
			setting_error(r, s, "no such setting: %.64s; there are %s%s%s",
				      name != NULL ? name : "(no name)", names,
				      *more != '\0' ? "," : "", more);
			return;
		}
	}
}

static config_setting_t *member(config_setting_t *group, const char *name)
{
	return group == NULL ? NULL : config_setting_get_member(group, name);
}

config_setting_t *setting_group(struct setting_reader *r, config_setting_t *parent,
				const char *name, const char *known)
{
	config_setting_t *group = member(parent, name);

	if (group != NULL && !config_setting_is_group(group)) {
		setting_error(r, group, "%s has to be a group, { ... }", name);
		return NULL;
	}
	if (group != NULL) {
		setting_known(r, group, known, "");
	}
	return group;
}

/* A whole number of either width; false: something else, or below zero. */
static bool whole(const config_setting_t *s, uint64_t *value)
{
	long long number;

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
		number = config_setting_get_int(s);
		break;
	case CONFIG_TYPE_INT64:
		number = config_setting_get_int64(s);
		break;
	default:
		return false;
	}
	*value = (uint64_t)number;
	return number >= 0;
}

uint64_t setting_whole(struct setting_reader *r, config_setting_t *group, const char *name,
		       uint64_t least, uint64_t most, uint64_t fallback)
{
	config_setting_t *s = member(group, name);
	uint64_t value;

	if (s == NULL) {
		return fallback;
	}
	if (!whole(s, &value) || value < least || value > most) {
		setting_error(r, s, "%s has to be a whole number in %llu..%llu", name,
			      (unsigned long long)least, (unsigned long long)most);
		return least;
	}
	return value;
}

double setting_number(struct setting_reader *r, config_setting_t *group, const char *name,
		      double least, double most, double fallback)
{
	config_setting_t *s = member(group, name);
	double value;

	if (s == NULL) {
		if (isnan(fallback)) {
			setting_error(r, group, "%s is missing", name);
			return least;
		}
		return fallback;
	}
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
		value = config_setting_get_int(s);
		break;
	case CONFIG_TYPE_INT64:
		value = (double)config_setting_get_int64(s);
		break;
	case CONFIG_TYPE_FLOAT:
		value = config_setting_get_float(s);
		break;
	default:
		setting_error(r, s, "%s has to be a number", name);
		return least;
	}
	if (!(value >= least && value <= most)) {
		setting_error(r, s, "%s has to be in %g..%g", name, least, most);
		return least;
	}
	return value;
}

uint64_t setting_mib(struct setting_reader *r, config_setting_t *group, const char *name,
		     double least, double fallback)
{
	return (uint64_t)(setting_number(r, group, name, least, MIB_MAX, fallback) * PAGES_PER_MIB);
}

uint32_t setting_ms(struct setting_reader *r, config_setting_t *group, const char *name,
		    double least, double fallback)
{
	return (uint32_t)(setting_number(r, group, name, least, SECONDS_MAX, fallback) * 1000.0);
}

bool setting_parse_pages(const char *text, uint64_t most, uint64_t *pages)
{
	uint64_t value = 0;
	const char *at = text;

	for (; isdigit((unsigned char)*at); at++) {
		if (value > UINT32_MAX) {
			return false; /* Far above any limit, and no risk of wrapping. */
		}
		value = value * 10u + (uint64_t)(*at - '0');
	}
	if (at == text || (*at != '\0' && at[1] != '\0')) {
		return false;
	}
	switch (*at) {
	case 'K':
		value /= 4u;
		break;
	case '\0':
	case 'M':
		value *= PAGES_PER_MIB;
		break;
	case 'G':
		value *= PAGES_PER_MIB * 1024u;
		break;
	default:
		return false;
	}
	if (value == 0 || value > most) {
		return false;
	}
	*pages = value;
	return true;
}

uint64_t setting_pages(struct setting_reader *r, config_setting_t *group, const char *name,
		       uint64_t most, uint64_t fallback)
{
	config_setting_t *s = member(group, name);
	char text[SIZE_TEXT_MAX] = "";
	uint64_t value = 0;

	if (s == NULL) {
		if (fallback == 0) {
			setting_error(r, group, "%s is missing", name);
		}
		return fallback;
	}
	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		snprintf(text, sizeof(text), "%s", config_setting_get_string(s));
	} else if (whole(s, &value)) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	}
	if (!setting_parse_pages(text, most, &value)) {
		setting_error(r, s,
			      "%s has to be a size of at most %lluM: whole MiB, or a text as "
			      "\"65536K\", \"64M\", \"2G\"",
			      name, (unsigned long long)(most / PAGES_PER_MIB));
		return 1;
	}
	return value;
}

bool setting_flag(struct setting_reader *r, config_setting_t *group, const char *name,
		  bool fallback)
{
	config_setting_t *s = member(group, name);

	if (s == NULL) {
		return fallback;
	}
	if (config_setting_type(s) != CONFIG_TYPE_BOOL) {
		setting_error(r, s, "%s has to be true or false", name);
		return fallback;
	}
	return config_setting_get_bool(s) != 0;
}

static bool printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (!isprint((unsigned char)*text)) {
			return false;
		}
	}
	return true;
}

void setting_text(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback)
{
	config_setting_t *s = member(group, name);
	const char *text = fallback;

	out[0] = '\0';
	if (s == NULL && fallback == NULL) {
		setting_error(r, group, "%s is missing", name);
		return;
	}
	if (s != NULL) {
		text = config_setting_type(s) == CONFIG_TYPE_STRING ? config_setting_get_string(s)
								    : "";
		if (text[0] == '\0' || strlen(text) >= size || (r->printable && !printable(text))) {
			setting_error(r, s, "%s has to be a text of 1..%zu %scharacters", name,
				      size - 1u, r->printable ? "printable " : "");
			return;
		}
	}
	memcpy(out, text, strlen(text) + 1u);
}

void setting_path(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback)
{
	setting_text(r, group, name, out, size, fallback);
	if (out[0] != '\0' && out[0] != '/') {
		setting_error(r, member(group, name), "%s has to be a path from the root, \"/...\"",
			      name);
	}
}

unsigned setting_choice(struct setting_reader *r, config_setting_t *group, const char *name,
			const char *words, unsigned fallback)
{
	config_setting_t *s = member(group, name);
	int place;

	if (s == NULL) {
		return fallback;
	}
	place = config_setting_type(s) == CONFIG_TYPE_STRING
			? text_find_word(words, config_setting_get_string(s))
			: -1;
	if (place < 0) {
		setting_error(r, s, "%s has to be one of %s", name, words);
		return fallback;
	}
	return (unsigned)place;
}
