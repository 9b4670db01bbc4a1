/* SPDX-License-Identifier: MIT */
/* Demand against forecast: the equations by hand, both bases, errors, and the core's fixed point.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "poise.h"
#include "predict.h"

#define ROWS 13u

/* A trace of three seconds: the values of each second, held for its rows. */
static struct sim_trace make_trace(void)
{
	static const uint32_t active_anon[] = {100, 200, 150, 350};
	static const uint32_t inactive_anon[] = {40, 90, 90, 190};
	struct sim_trace t = {.rows = ROWS};

	t.row = calloc(ROWS, sizeof(*t.row));
	assert_non_null(t.row);
	for (uint32_t i = 0; i < ROWS; i++) {
		/* Rows are late by different times. */
		t.row[i].value[TRACE_T_MS] = i * 250u + (i * 7u) % 13u;
		t.row[i].value[TRACE_ACTIVE_ANON] = active_anon[i / 4u];
		t.row[i].value[TRACE_INACTIVE_ANON] = inactive_anon[i / 4u];
		t.row[i].value[TRACE_INACTIVE_FILE] = 30;
	}
	return t;
}

static void test_forecasts_are_those_worked_out_by_hand(void **state)
{
	struct sim_trace t = make_trace();
	struct sim_predict p;
	uint32_t row;

	(void)state;
	assert_null(sim_predict_run(&p, &t, 0.75, false, 1000, &row));
	assert_int_equal(p.rows, 3);
	assert_true(fabs(p.row[0].dm - 100.0) < 1e-9);
	assert_true(fabs(p.row[0].delta - 100.0) < 1e-9);
	assert_true(fabs(p.row[1].dm + 50.0) < 1e-9);
	assert_true(fabs(p.row[1].delta + 12.5) < 1e-9);
	assert_true(fabs(p.row[2].dm - 200.0) < 1e-9);
	assert_true(fabs(p.row[2].delta - 146.875) < 1e-9);
	/* Inactive page cache 30, free 1000 - (200 + 90 + 30), minus a tenth. */
	assert_true(fabs(p.row[0].r - (30.0 + 680.0 - 100.0)) < 1e-9);
	/* 100 was forecast for -50, -12.5 for 200. */
	assert_true(fabs(p.over - 150.0 / 2.0) < 1e-9);
	assert_true(fabs(p.under - 212.5 / 2.0) < 1e-9);
	assert_true(fabs(p.mean_abs - 362.5 / 2.0) < 1e-9);
	sim_predict_free(&p);
	sim_trace_free(&t);
}

static void test_resident_basis_counts_inactive_anonymous_pages(void **state)
{
	struct sim_trace t = make_trace();
	struct sim_predict p;
	uint32_t row;

	(void)state;
	assert_null(sim_predict_run(&p, &t, 1.0, true, 1000, &row));
	assert_true(fabs(p.row[0].dm - 150.0) < 1e-9);
	assert_true(fabs(p.row[2].delta - 300.0) < 1e-9);
	sim_predict_free(&p);
	sim_trace_free(&t);
}

static void test_the_vms_size_is_its_peak_within_its_limit(void **state)
{
	struct sim_trace t = make_trace();
	struct sim_predict p;
	uint32_t row;

	(void)state;
	assert_int_equal(sim_predict_total(&t), 570);
	t.max_usage_pages = 600;
	assert_int_equal(sim_predict_total(&t), 600);
	t.limit_pages = 580;
	assert_int_equal(sim_predict_total(&t), 580);
	assert_non_null(sim_predict_run(&p, &t, 1.0, true, 300, &row));
	assert_int_equal(row, 5);
	sim_predict_free(&p);
	sim_trace_free(&t);
}

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)vm;
	(void)target;
	(void)epoch;
	return POISE_OK;
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	(void)vm;
	*pages = *(const uint64_t *)ctx;
	return POISE_OK;
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	(void)ctx;
	(void)vm;
	(void)notice;
}

static void port_event(void *ctx, const struct poise_event *event)
{
	(void)ctx;
	(void)event;
}

/* The core is given what the trace says each second and has to forecast what the equations do. */
static void test_the_core_forecasts_the_same(void **state)
{
	static const struct poise_port port = {.resize = port_resize,
					       .measure = port_measure,
					       .notify = port_notify,
					       .event = port_event};
	static struct poise core;
	uint64_t total = 1u << 19;
	const struct poise_config config = {.pool_pages = total, .policy = POISE_POLICY_STATIC};
	const struct poise_vm_config vm = {.min_pages = 1, .boot_pages = total, .max_pages = total};
	char error[SIM_TRACE_ERROR_MAX];
	struct sim_predict p;
	struct sim_trace t;
	uint64_t now_ms = 0;
	uint32_t next = 0;
	uint32_t row;

	(void)state;
	assert_true(sim_trace_read(&t, "test/traces/p_web_512.csv", error));
	assert_null(sim_predict_run(&p, &t, 0.75, true, (uint32_t)total, &row));
	assert_int_equal(poise_init(&core, sizeof(core), &config, &port, &total), POISE_OK);
	assert_int_equal(poise_vm_add(&core, 0, &vm, total), POISE_OK);
	for (uint32_t i = 0; i < t.rows; i++) {
		const uint32_t *v = t.row[i].value;
		struct poise_sample sample = {
			.features = POISE_GF_ANON_INACTIVE,
			.boot_id = 1,
			.body =
				{
					.sample = i + 1u,
					.total_pages = total,
					.free_pages = total - sim_trace_used(&t.row[i]),
					.active_anon_pages = v[TRACE_ACTIVE_ANON],
					.inactive_anon_pages = v[TRACE_INACTIVE_ANON],
					.active_file_pages = v[TRACE_ACTIVE_FILE],
					.inactive_file_pages = v[TRACE_INACTIVE_FILE],
					.unevictable_pages = v[TRACE_UNEVICTABLE],
					.swap_used_pages = v[TRACE_SWAP_USED],
				},
		};

		if (i != 0 && (next == p.rows || v[TRACE_T_MS] != p.row[next].t_ms)) {
			continue;
		}
		/* An interval is an interval: the recorder's lateness is not the core's. */
		now_ms += 1000;
		assert_int_equal(poise_report(&core, 0, now_ms, &sample), POISE_OK);
		if (i != 0) {
			const struct poise_forecast *f = &core.vm[0].forecast;

			assert_true(fabs((double)f->delta_q16 / 65536.0 - p.row[next].delta) < 1.0);
			assert_true(fabs((double)f->reclaimable_q16 / 65536.0 - p.row[next].r) <
				    1.0);
			next++;
		}
		assert_int_equal(poise_tick(&core, now_ms), POISE_OK);
	}
	assert_int_equal(next, p.rows);
	sim_predict_free(&p);
	sim_trace_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forecasts_are_those_worked_out_by_hand),
		cmocka_unit_test(test_resident_basis_counts_inactive_anonymous_pages),
		cmocka_unit_test(test_the_vms_size_is_its_peak_within_its_limit),
		cmocka_unit_test(test_the_core_forecasts_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
