/* SPDX-License-Identifier: MIT */
/* Checked access to libconfig's settings; see setting.h. */
#include "setting.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define PAGES_PER_MIB 256.0
#define MIB_MAX       65536.0

void setting_error(struct setting_reader *r, const config_setting_t *at, const char *reason)
{
	if (!r->failed) {
		r->failed = true;
		snprintf(r->error, r->size, "%s:%u: %s", r->path, config_setting_source_line(at),
			 reason);
	}
}

void setting_known(struct setting_reader *r, const config_setting_t *group, const char *names)
{
	char reason[256];

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned int)i);
		const char *name = config_setting_name(s);

		if (name == NULL || text_find_word(names, name) < 0) {
			snprintf(reason, sizeof(reason), "no such setting: %.64s; there are %s",
				 name != NULL ? name : "(no name)", names);
			setting_error(r, s, reason);
			return;
		}
	}
}

config_setting_t *setting_group(struct setting_reader *r, config_setting_t *parent,
				const char *name, const char *known)
{
	config_setting_t *group = config_setting_get_member(parent, name);
	char reason[128];

	if (group == NULL) {
		return NULL;
	}
	if (!config_setting_is_group(group)) {
		snprintf(reason, sizeof(reason), "%s has to be a group, { ... }", name);
		setting_error(r, group, reason);
		return NULL;
	}
	setting_known(r, group, known);
	return group;
}

double setting_number(struct setting_reader *r, config_setting_t *group, const char *name,
		      double least, double most, double fallback)
{
	config_setting_t *s = group == NULL ? NULL : config_setting_get_member(group, name);
	char reason[128];
	double value = 0.0;

	if (s == NULL) {
		if (isnan(fallback)) {
			snprintf(reason, sizeof(reason), "%s is missing", name);
			setting_error(r, group, reason);
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
		snprintf(reason, sizeof(reason), "%s has to be a number", name);
		setting_error(r, s, reason);
		return least;
	}
	if (!(value >= least && value <= most)) {
		snprintf(reason, sizeof(reason), "%s has to be in %g..%g", name, least, most);
		setting_error(r, s, reason);
		return least;
	}
	return value;
}

bool setting_flag(struct setting_reader *r, config_setting_t *group, const char *name,
		  bool fallback)
{
	config_setting_t *s = group == NULL ? NULL : config_setting_get_member(group, name);
	char reason[128];

	if (s == NULL) {
		return fallback;
	}
	if (config_setting_type(s) != CONFIG_TYPE_BOOL) {
		snprintf(reason, sizeof(reason), "%s has to be true or false", name);
		setting_error(r, s, reason);
		return fallback;
	}
	return config_setting_get_bool(s) != 0;
}

void setting_text(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback)
{
	config_setting_t *s = group == NULL ? NULL : config_setting_get_member(group, name);
	const char *text = fallback;
	char reason[128];

	out[0] = '\0';
	if (s != NULL) {
		text = config_setting_type(s) == CONFIG_TYPE_STRING ? config_setting_get_string(s)
								    : "";
	} else if (text == NULL) {
		snprintf(reason, sizeof(reason), "%s is missing", name);
		setting_error(r, group, reason);
		return;
	}
	if (strlen(text) >= size || (s != NULL && text[0] == '\0')) {
		snprintf(reason, sizeof(reason), "%s has to be a text of 1..%zu characters", name,
			 size - 1u);
		setting_error(r, s != NULL ? s : group, reason);
		return;
	}
	memcpy(out, text, strlen(text) + 1u);
}

uint64_t setting_mib(struct setting_reader *r, config_setting_t *group, const char *name,
		     double least, double fallback)
{
	return (uint64_t)(setting_number(r, group, name, least, MIB_MAX, fallback) * PAGES_PER_MIB);
}

uint32_t setting_ms(struct setting_reader *r, config_setting_t *group, const char *name,
		    double least, double fallback)
{
	return (uint32_t)(setting_number(r, group, name, least, 1e4, fallback) * 1000.0);
}

int setting_choice(struct setting_reader *r, config_setting_t *group, const char *name,
		   const char *words)
{
	char text[SIM_NAME_MAX];
	char reason[256];
	int place;

	if (group == NULL || config_setting_get_member(group, name) == NULL) {
		return 0;
	}
	setting_text(r, group, name, text, sizeof(text), NULL);
	place = text_find_word(words, text);
	if (place < 0) {
		snprintf(reason, sizeof(reason), "%s has to be one of %s", name, words);
		setting_error(r, config_setting_get_member(group, name), reason);
		return 0;
	}
	return place;
}
