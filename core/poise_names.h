/* SPDX-License-Identifier: MIT */
/*
 * Names and words of what the lists (poise_*.def) hold, for whoever prints or reads records and
 * settings. Nothing else in the core needs them, so a hypervisor that does not either is not linked
 * with them. Context of all: any.
 */
#ifndef POISE_NAMES_H
#define POISE_NAMES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each returns "?" for a number that is none. Name: as in records, for example "SHORTFALL",
 * "sample", "managed", "poise", "auto". */
const char *poise_rule_name(uint32_t rule);
const char *poise_event_name(uint32_t code);
const char *poise_state_name(uint32_t state);
const char *poise_policy_name(uint32_t policy);
const char *poise_basis_name(uint32_t basis);

/* Likewise what it means, in words: of a rule for the VM whose size it has shaped. */
const char *poise_rule_words(uint32_t rule);
const char *poise_event_words(uint32_t code);
const char *poise_state_words(uint32_t state);
const char *poise_policy_words(uint32_t policy);

enum poise_unit { POISE_UNIT_MS, POISE_UNIT_PERMILLE, POISE_UNIT_INTERVALS, POISE_UNIT_Q10 };

/* One tunable of struct poise_config, a uint32_t; see poise_tunables.def. */
struct poise_tunable {
	const char *field, *name, *words;
	uint32_t offset; /* in struct poise_config */
	uint32_t unit;   /* enum poise_unit */
	uint32_t least, most, standard;
};

/* Returns the tunable at a place in the list, from 0 on; a null pointer behind the end. */
const struct poise_tunable *poise_tunable(uint32_t at);

#ifdef __cplusplus
}
#endif

#endif
