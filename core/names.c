/* SPDX-License-Identifier: MIT */
/* Names and words, from the lists. */
#include "poise_names.h"
#include "poise.h"

struct entry {
	const char *name, *words;
};

static const struct entry rules[POISE_RULE_COUNT] = {
#define POISE_RULE(rule, number, switchable, text) [number] = {.name = #rule, .words = text},
#include "poise_rules.def"
#undef POISE_RULE
};

static const struct entry events[POISE_EVENT_COUNT] = {
#define POISE_EVENT(code, event, text) [POISE_EVENT_##code] = {.name = #event, .words = text},
#include "poise_events.def"
#undef POISE_EVENT
};

static const struct entry states[POISE_VM_STATE_COUNT] = {
#define POISE_STATE(code, number, called, text) [number] = {.name = called, .words = text},
#include "poise_states.def"
#undef POISE_STATE
};

static const struct entry policies[POISE_POLICY_COUNT] = {
#define POISE_POLICY(code, number, called, text) [number] = {.name = called, .words = text},
#include "poise_policies.def"
#undef POISE_POLICY
};

static const struct entry bases[POISE_BASIS_COUNT] = {
#define POISE_BASIS(code, number, called, text) [number] = {.name = called, .words = text},
#include "poise_bases.def"
#undef POISE_BASIS
};

#define NAME(list, at)  ((at) < sizeof(list) / sizeof((list)[0]) ? (list)[at].name : "?")
#define WORDS(list, at) ((at) < sizeof(list) / sizeof((list)[0]) ? (list)[at].words : "?")

const char *poise_rule_name(uint32_t rule)
{
	return NAME(rules, rule);
}

const char *poise_rule_words(uint32_t rule)
{
	return WORDS(rules, rule);
}

const char *poise_event_name(uint32_t code)
{
	return NAME(events, code);
}

const char *poise_event_words(uint32_t code)
{
	return WORDS(events, code);
}

const char *poise_state_name(uint32_t state)
{
	return NAME(states, state);
}

const char *poise_state_words(uint32_t state)
{
	return WORDS(states, state);
}

const char *poise_policy_name(uint32_t policy)
{
	return NAME(policies, policy);
}

const char *poise_policy_words(uint32_t policy)
{
	return WORDS(policies, policy);
}

const char *poise_basis_name(uint32_t basis)
{
	return NAME(bases, basis);
}

static const struct poise_tunable tunables[] = {
#define POISE_TUNABLE(member, option, measure, lowest, highest, normal, text) \
	{.field = #member,                                                    \
	 .name = #option,                                                     \
	 .words = text,                                                       \
	 .offset = offsetof(struct poise_config, member),                     \
	 .unit = POISE_UNIT_##measure,                                        \
	 .least = lowest,                                                     \
	 .most = highest,                                                     \
	 .standard = normal},
#include "poise_tunables.def"
#undef POISE_TUNABLE
};

const struct poise_tunable *poise_tunable(uint32_t at)
{
	return at < sizeof(tunables) / sizeof(tunables[0]) ? &tunables[at] : NULL;
}
