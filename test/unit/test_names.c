/* SPDX-License-Identifier: MIT */
/* Names and words of the core's lists: each has its own, and the tunables are where they say. */
#include "poise_names.h"
#include "poise.h"
#include "support.h"

static void every_entry_has_a_name_of_its_own(const char *(*name)(uint32_t), uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		assert_non_null(name(i));
		assert_string_not_equal(name(i), "?");
		assert_string_not_equal(name(i), "");
		for (uint32_t j = 0; j < i; j++) {
			assert_string_not_equal(name(i), name(j));
		}
	}
	assert_string_equal(name(count), "?");
	assert_string_equal(name(UINT32_MAX), "?");
}

static void every_number_has_a_name_and_words_of_its_own(void **state)
{
	static const struct {
		const char *(*name)(uint32_t);
		uint32_t count;
	} lists[] = {
		{poise_rule_name, POISE_RULE_COUNT},      {poise_rule_words, POISE_RULE_COUNT},
		{poise_event_name, POISE_EVENT_COUNT},    {poise_event_words, POISE_EVENT_COUNT},
		{poise_state_name, POISE_VM_STATE_COUNT}, {poise_state_words, POISE_VM_STATE_COUNT},
		{poise_policy_name, POISE_POLICY_COUNT},  {poise_policy_words, POISE_POLICY_COUNT},
		{poise_basis_name, POISE_BASIS_COUNT},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		every_entry_has_a_name_of_its_own(lists[i].name, lists[i].count);
	}
}

static void set_tunable(struct poise_config *config, const struct poise_tunable *t, uint32_t value)
{
	memcpy((char *)config + t->offset, &value, sizeof(value));
}

static uint32_t get_tunable(const struct poise_config *config, const struct poise_tunable *t)
{
	uint32_t value;
	memcpy(&value, (const char *)config + t->offset, sizeof(value));
	return value;
}

static enum poise_err take_resize(void *ctx, uint32_t vm, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)vm;
	(void)target;
	(void)epoch;
	return POISE_OK;
}

static enum poise_err take_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	(void)ctx;
	(void)vm;
	(void)pages;
	return POISE_OK;
}

static void take_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static void take_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

/* What the list says of a tunable is what poise_init does with it. */
static void every_tunable_has_its_range_and_default(void **state)
{
	static const struct poise_port port = {.resize = take_resize,
					       .measure = take_measure,
					       .notify = take_notify,
					       .event = take_event};
	static struct poise p;
	const struct poise_tunable *t;
	uint32_t at = 0;
	(void)state;
	for (; (t = poise_tunable(at)) != NULL; at++) {
		const struct {
			uint32_t value;
			bool good;
			uint32_t becomes;
		} cases[] = {
			{0, true, t->standard},   {t->least, true, t->least},
			{t->most, true, t->most}, {t->least - 1, t->least == 1, t->standard},
			{t->most + 1, false, 0},  {UINT32_MAX, false, 0},
		};
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct poise_config config = {.pool_pages = 1000};
			if (t->offset == offsetof(struct poise_config, hold_intervals)) {
				config.freeze_intervals = t->most;
			} else if (t->offset == offsetof(struct poise_config, freeze_intervals)) {
				config.hold_intervals = t->least;
			}
			set_tunable(&config, t, cases[i].value);
			assert_int_equal(poise_init(&p, sizeof(p), &config, &port, NULL),
					 cases[i].good ? POISE_OK : POISE_E_CONFIG);
			if (cases[i].good) {
				assert_int_equal(get_tunable(&p.config, t), cases[i].becomes);
			}
		}
	}
	assert_true(at > 0);
	assert_null(poise_tunable(UINT32_MAX));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_a_name_and_words_of_its_own),
		cmocka_unit_test(every_tunable_has_its_range_and_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
