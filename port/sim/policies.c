/* SPDX-License-Identifier: MIT */
/* The list of the simulator's own policies, and how they read their options. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

extern const struct sim_policy sim_policy_equal;
extern const struct sim_policy sim_policy_naive;
extern const struct sim_policy sim_policy_autoballoon;
extern const struct sim_policy sim_policy_proxmox;
extern const struct sim_policy sim_policy_mom;
extern const struct sim_policy sim_policy_squeezed;
extern const struct sim_policy sim_policy_qmemman;
extern const struct sim_policy sim_policy_esx;
extern const struct sim_policy sim_policy_hyperv;
extern const struct sim_policy sim_policy_chromeos;
extern const struct sim_policy sim_policy_vmmms;
extern const struct sim_policy sim_policy_selfballoon;
extern const struct sim_policy sim_policy_qemuspi;
extern const struct sim_policy sim_policy_hypeman;
extern const struct sim_policy sim_policy_senpai;
extern const struct sim_policy sim_policy_counters;
extern const struct sim_policy sim_policy_dirty;
extern const struct sim_policy sim_policy_accessed;
extern const struct sim_policy sim_policy_cagma;
extern const struct sim_policy sim_policy_oracle;
extern const struct sim_policy sim_policy_proportional;

const struct sim_policy *const sim_policies[] = {
	&sim_policy_equal,        &sim_policy_naive,
	&sim_policy_autoballoon,  &sim_policy_proxmox,
	&sim_policy_mom,          &sim_policy_squeezed,
	&sim_policy_qmemman,      &sim_policy_esx,
	&sim_policy_hyperv,       &sim_policy_chromeos,
	&sim_policy_vmmms,        &sim_policy_selfballoon,
	&sim_policy_qemuspi,      &sim_policy_hypeman,
	&sim_policy_senpai,       &sim_policy_counters,
	&sim_policy_dirty,        &sim_policy_accessed,
	&sim_policy_cagma,        &sim_policy_oracle,
	&sim_policy_proportional, NULL,
};

const struct sim_policy *sim_policy_find(const char *name, size_t length)
{
	for (const struct sim_policy *const *p = sim_policies; *p != NULL; p++) {
		if (strlen((*p)->name) == length && strncmp((*p)->name, name, length) == 0) {
			return *p;
		}
	}
	return NULL;
}

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
