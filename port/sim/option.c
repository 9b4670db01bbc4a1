/* SPDX-License-Identifier: MIT */
/* The options behind a policy's name; see policy.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* Steps to the next option. Returns false at the end. */
static bool next_option(const char **cursor, const char **key, size_t *length)
{
	while (**cursor == ':') {
		(*cursor)++;
	}
	if (**cursor == '\0') {
		return false;
	}
	*key = *cursor;
	*length = strcspn(*cursor, "=:");
	*cursor += strcspn(*cursor, ":");
	return true;
}

double sim_option(const char *options, const char *key, double fallback)
{
	const char *found;
	size_t length;

	while (next_option(&options, &found, &length)) {
		if (strlen(key) == length && strncmp(found, key, length) == 0) {
			const char *text = found + length + 1u;
			char *end;
			double value;

			if (found[length] != '=') {
				return NAN;
			}
			value = strtod(text, &end);
			return end == text || (*end != '\0' && *end != ':') || !isfinite(value)
				       ? NAN
				       : value;
		}
	}
	return fallback;
}

/* Is this one of the names in a list with commas? */
static bool is_listed(const char *name, size_t length, const char *list)
{
	while (*list != '\0') {
		const size_t size = strcspn(list, ",");

		if (size == length && strncmp(list, name, length) == 0) {
			return true;
		}
		list += size;
		list += *list == ',';
	}
	return false;
}

const char *sim_option_unknown(const char *options, const char *keys)
{
	const char *found;
	size_t length;

	while (next_option(&options, &found, &length)) {
		if (!is_listed(found, length, keys)) {
			return found;
		}
	}
	return NULL;
}
