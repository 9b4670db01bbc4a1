/* SPDX-License-Identifier: MIT */
/* Set-up: what poise_init takes and refuses. */
#include "poise_support.h"

static void init_refuses_null_pointers_and_another_size(void **state)
{
	const struct poise_config config = {.pool_pages = 1};
	static struct poise p;
	(void)state;
	memset(&p, 0x5a, sizeof(p));
	assert_int_equal(poise_init(NULL, sizeof(p), &config, &fake_port, NULL), POISE_E_ARG);
	assert_int_equal(poise_init(&p, sizeof(p), NULL, &fake_port, NULL), POISE_E_ARG);
	assert_int_equal(poise_init(&p, sizeof(p), &config, NULL, NULL), POISE_E_ARG);
	for (size_t i = 0; i < sizeof(p); i++) {
		assert_int_equal(((unsigned char *)&p)[i], 0x5a);
	}
}

static void f42_port_functions_must_be_there(void **state)
{
	const struct poise_config config = {.pool_pages = POOL};
	static struct poise p;
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct poise_port port = fake_port;
		port.resize = i == 0 ? NULL : port.resize;
		port.measure = i == 1 ? NULL : port.measure;
		port.notify = i == 2 ? NULL : port.notify;
		port.event = i == 3 ? NULL : port.event;
		assert_int_equal(poise_init(&p, sizeof(p), &config, &port, NULL), POISE_E_CONFIG);
		assert_int_equal(p.magic, 0);
	}
}

/* Codes that no port should return: a failure like any other. */
static enum poise_err undefined_code;
static enum poise_err strange_resize(void *ctx, uint32_t at, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)at;
	(void)target;
	(void)epoch;
	return undefined_code;
}
static enum poise_err strange_measure(void *ctx, uint32_t at, uint64_t *pages)
{
	(void)ctx;
	(void)at;
	*pages = 1;
	return undefined_code;
}

static void f42_undefined_codes_are_failures(void **state)
{
	static const int codes[] = {1, 1000, -44, -1000, INT32_MIN, INT32_MAX, POISE_E_ARG};
	const struct poise_config config = {.pool_pages = POOL};
	const struct poise_vm_config small = {
		.min_pages = MIN, .boot_pages = BOOT, .max_pages = MAX};
	struct poise_port port = fake_port;
	(void)state;
	port.resize = strange_resize;
	port.measure = strange_measure;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		undefined_code = (enum poise_err)codes[i];
		assert_int_equal(poise_init(&fake.p, sizeof(fake.p), &config, &port, &fake),
				 POISE_OK);
		assert_int_equal(poise_vm_add(&fake.p, 0, &small, MIN), POISE_OK);
		assert_int_equal(vm(0)->unsent, 1);
		assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK);
		assert_int_equal(vm(0)->actual_pages, MIN);
		assert_true(errors(POISE_E_PORT) >= 2);
		assert_int_equal(poise_check(&fake.p), 0);
	}
}

/* F75: memory that is no context, a context of another build, a damaged one. */
static void f75_calls_on_what_is_no_context_are_refused(void **state)
{
	const struct poise_config config = {.pool_pages = POOL};
	const struct poise_vm_config c = {.min_pages = 1, .max_pages = 1};
	const struct poise_sample sample = {0};
	static struct poise p;
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		memset(&p, i == 0 ? 0 : i == 1 ? 0xff : 0xa5, sizeof(p));
		if (i == 3) {
			assert_int_equal(poise_init(&p, sizeof(p), &config, &fake_port, &fake),
					 POISE_OK);
			p.magic++;
		}
		const struct poise before = p;
		assert_int_equal(poise_vm_add(&p, 0, &c, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_vm_set(&p, 0, &c), POISE_E_CONTEXT);
		assert_int_equal(poise_vm_remove(&p, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_vm_restart(&p, 0, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_pool_set(&p, 1), POISE_E_CONTEXT);
		assert_int_equal(poise_poll(&p, 0, 0, NULL), POISE_E_CONTEXT);
		assert_int_equal(poise_report(&p, 0, 0, &sample), POISE_E_CONTEXT);
		assert_int_equal(poise_report_error(&p, 0, 0, POISE_E_TORN), POISE_E_CONTEXT);
		assert_int_equal(poise_urgent(&p, 0, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_tick(&p, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_ack(&p, 0, 1, 1, 1), POISE_E_CONTEXT);
		assert_int_equal(poise_check(&p), POISE_CHECK_CONTEXT);
		assert_memory_equal(&before, &p, sizeof(p));
	}
	assert_int_equal(poise_vm_add(NULL, 0, &c, 0), POISE_E_ARG);
	assert_int_equal(poise_vm_set(NULL, 0, &c), POISE_E_ARG);
	assert_int_equal(poise_vm_remove(NULL, 0), POISE_E_ARG);
	assert_int_equal(poise_vm_restart(NULL, 0, 0), POISE_E_ARG);
	assert_int_equal(poise_pool_set(NULL, 1), POISE_E_ARG);
	assert_int_equal(poise_poll(NULL, 0, 0, NULL), POISE_E_ARG);
	assert_int_equal(poise_urgent(NULL, 0, 0), POISE_E_ARG);
	assert_int_equal(poise_tick(NULL, 0), POISE_E_ARG);
	static const size_t sizes[] = {0, 1, sizeof(p) - 1, sizeof(p) + 1, SIZE_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(&p, 0x33, sizeof(p));
		assert_int_equal(poise_init(&p, sizes[i], &config, &fake_port, NULL),
				 POISE_E_CONTEXT);
		assert_int_equal(p.magic, 0x33333333);
	}
}

/* Initialising anew is allowed at any time and forgets everything. */
static void init_anew_forgets_everything(void **state)
{
	const struct poise_config config = {.pool_pages = 77};
	static struct poise p;
	(void)state;
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(poise_init(&p, sizeof(p), &config, &fake_port, &fake), POISE_OK);
	assert_int_equal(poise_check(&p), 0);
	assert_int_equal(p.free_pages, 77);
	assert_int_equal(p.epoch, 0);
	assert_int_equal(p.busy, 0);
	assert_ptr_equal(p.port, &fake_port);
	assert_ptr_equal(p.ctx, &fake);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_INIT, 0, 0);
	assert_non_null(r);
}

#define FIELD(name, lo, hi, normal)                                        \
	{                                                                  \
#name, offsetof(struct poise_config, name), lo, hi, normal \
	}
static const struct {
	const char *name;
	size_t offset;
	uint32_t least, most, normal;
} fields[] = {
	FIELD(interval_ms, 10, 60000, 1000),    FIELD(alpha_q10, 1, 1024, 768),
	FIELD(headroom_permille, 1, 500, 100),  FIELD(reserve_permille, 1, 500, 16),
	FIELD(urgent_permille, 1, 500, 8),      FIELD(urgent_gap_ms, 1, 60000, 100),
	FIELD(dead_band_permille, 1, 500, 20),  FIELD(slew_permille, 1, 10000, 2000),
	FIELD(idle_tax_permille, 1, 1000, 750), FIELD(hold_intervals, 1, 10, 3),
	FIELD(freeze_intervals, 3, 1000, 10),   FIELD(answer_intervals, 1, 1000, 3),
	FIELD(progress_permille, 1, 500, 2),
};

static uint32_t *field(struct poise_config *config, size_t offset)
{
	return (uint32_t *)(void *)((char *)config + offset);
}

static void init_fills_in_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		assert_int_equal(*field(&fake.p.config, fields[i].offset), fields[i].normal);
	}
	assert_int_equal(fake.p.config.policy, POISE_POLICY_POISE);
	assert_int_equal(fake.p.config.rules_off, 0);
}

/* Every tunable at, just inside and outside of its range, the others at their defaults. */
static void init_takes_tunables_within_their_range_only(void **state)
{
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct {
			uint32_t value;
			bool good;
		} rows[] = {
			{fields[i].least, true},
			{fields[i].most, true},
			/* Zero is the default, so nothing lies below a range that starts at 1. */
			{fields[i].least > 1 ? fields[i].least - 1 : UINT32_MAX, false},
			{fields[i].most + 1, false},
			{UINT32_MAX, false},
		};
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			struct poise_config config = {.pool_pages = POOL};
			*field(&config, fields[i].offset) = rows[k].value;
			const enum poise_err err =
				poise_init(&p, sizeof(p), &config, &fake_port, &fake);
			if (err != (rows[k].good ? POISE_OK : POISE_E_CONFIG)) {
				fail_msg("%s = %u", fields[i].name, rows[k].value);
			}
		}
	}
}

static void f74_init_refuses_a_wrong_configuration(void **state)
{
	static const struct {
		struct poise_config config;
		enum poise_err err;
	} rows[] = {
		{{.pool_pages = 0}, POISE_E_CONFIG},
		{{.pool_pages = 1}, POISE_OK},
		{{.pool_pages = POISE_PAGES_MAX}, POISE_OK},
		{{.pool_pages = POISE_PAGES_MAX + 1}, POISE_E_CONFIG},
		{{.pool_pages = UINT64_MAX}, POISE_E_CONFIG},
		{{.pool_pages = 9, .policy = POISE_POLICY_PAPER}, POISE_OK},
		{{.pool_pages = 9, .policy = POISE_POLICY_STATIC}, POISE_OK},
		{{.pool_pages = 9, .policy = POISE_POLICY_COUNT}, POISE_E_CONFIG},
		{{.pool_pages = 9, .policy = UINT32_MAX}, POISE_E_CONFIG},
		{{.pool_pages = 9, .rules_off = POISE_RULES_NEUTRAL}, POISE_OK},
		{{.pool_pages = 9, .rules_off = POISE_RULE_BIT(POISE_RULE_BOUNDS)}, POISE_E_CONFIG},
		{{.pool_pages = 9, .rules_off = 1}, POISE_E_CONFIG},
		{{.pool_pages = 9, .rules_off = UINT32_MAX}, POISE_E_CONFIG},
		{{.pool_pages = 9, .hold_intervals = 10}, POISE_OK},
		{{.pool_pages = 9, .hold_intervals = 11}, POISE_E_CONFIG},
		{{.pool_pages = 9, .freeze_intervals = 2}, POISE_E_CONFIG},
		{{.pool_pages = 9, .hold_intervals = 1000, .freeze_intervals = 1000}, POISE_OK},
		{{.pool_pages = 9, .hold_intervals = 1000, .freeze_intervals = 999},
		 POISE_E_CONFIG},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&p, 0, sizeof(p));
		assert_int_equal(poise_init(&p, sizeof(p), &rows[i].config, &fake_port, &fake),
				 rows[i].err);
		assert_int_equal(p.magic != 0, rows[i].err == POISE_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_refuses_null_pointers_and_another_size),
		cmocka_unit_test(f42_port_functions_must_be_there),
		cmocka_unit_test(f42_undefined_codes_are_failures),
		cmocka_unit_test(f75_calls_on_what_is_no_context_are_refused),
		cmocka_unit_test_setup(init_anew_forgets_everything, start),
		cmocka_unit_test_setup(init_fills_in_defaults, start),
		cmocka_unit_test_setup(init_takes_tunables_within_their_range_only, start),
		cmocka_unit_test_setup(f74_init_refuses_a_wrong_configuration, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
