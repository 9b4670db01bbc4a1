/* SPDX-License-Identifier: MIT */
/* One run from a scenario and the name of a policy to a result. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "loop.h"
#include "rival.h"
#include "poise_names.h"

#define BEST "best"

/* Whether a tunable is an option of the core's policies; the interval is the scenario's. */
static bool is_option(const struct poise_tunable *t)
{
	return t->offset != offsetof(struct poise_config, interval_ms);
}

/* The core's tunables as options: "alpha,headroom,...". */
static const char *core_options(void)
{
	static char text[256];
	const struct poise_tunable *t;

	text[0] = '\0';
	for (uint32_t i = 0; (t = poise_tunable(i)) != NULL; i++) {
		if (is_option(t)) {
			strcat(strcat(text, t->name), ",");
		}
	}
	return strcat(text, "rules_off");
}

const char *sim_run_policy(unsigned n, const char **text)
{
	static char poise_text[320];
	const unsigned own = n - POISE_POLICY_COUNT - 1u;

	if (n == POISE_POLICY_POISE) {
		snprintf(poise_text, sizeof(poise_text), "%s; options %s", poise_policy_words(n),
			 core_options());
		*text = poise_text;
		return poise_policy_name(n);
	}
	if (n < POISE_POLICY_COUNT) {
		*text = poise_policy_words(n);
		return poise_policy_name(n);
	}
	if (n == POISE_POLICY_COUNT) {
		*text = "every VM has all that it can use, on a machine that large";
		return BEST;
	}
	/* Sentinel at the end, and nobody asks beyond it. */
	if (sim_policies[own] == NULL) {
		return NULL;
	}
	*text = sim_policies[own]->text;
	return sim_policies[own]->name;
}

static uint32_t number(const char *options, const char *key, double scale, bool *bad)
{
	const double value = sim_option(options, key, 0.0) * scale;

	if (!(value >= 0.0 && value <= 4294967295.0)) {
		*bad = true;
		return 0;
	}
	return (uint32_t)(value + 0.5);
}

/* Fills in the core's configuration; what is out of range the core says itself. */
static const char *read_core_options(struct poise_config *c, const char *o)
{
	static char wrong[320];
	const struct poise_tunable *t;
	bool bad = sim_option_unknown(o, core_options()) != NULL;

	for (uint32_t i = 0; (t = poise_tunable(i)) != NULL; i++) {
		if (is_option(t)) {
			const uint32_t value =
				number(o, t->name, t->unit == POISE_UNIT_Q10 ? 1024.0 : 1.0, &bad);

			memcpy((char *)c + t->offset, &value, sizeof(value));
		}
	}
	c->rules_off = number(o, "rules_off", 1.0, &bad);
	snprintf(wrong, sizeof(wrong), "options are %s, each with a number", core_options());
	return bad ? wrong : NULL;
}

/* The machine of policy `best`: each VM starts with its limit, and all limits fit. */
static void make_best(const struct sim_scenario *scenario, struct sim_scenario *large)
{
	*large = *scenario;
	large->total_pages = 0;
	for (uint32_t i = 0; i < large->vm_count; i++) {
		large->vm[i].boot_pages = large->vm[i].max_pages;
		large->total_pages += large->vm[i].max_pages;
	}
}

static bool start_policy(struct sim_host *h, const char *name, size_t length, const char *options,
			 const char **error)
{
	const struct sim_policy *policy = sim_policy_find(name, length);
	struct poise_config config = {
		.pool_pages = h->books.total_pages,
		.interval_ms = h->books.scenario->interval_ms,
	};

	if (policy != NULL) {
		return sim_rival_start(h, policy, options, error);
	}
	for (uint32_t i = 0; i < POISE_POLICY_COUNT; i++) {
		if (strlen(poise_policy_name(i)) == length &&
		    strncmp(poise_policy_name(i), name, length) == 0) {
			config.policy = i;
			*error = read_core_options(&config, options);
			return *error == NULL && sim_core_start(h, &config, error);
		}
	}
	*error = "no such policy";
	if (length == strlen(BEST) && strncmp(name, BEST, length) == 0) {
		*error = options[0] == '\0' ? NULL : "takes no options";
	}
	return *error == NULL;
}

static void write_series_head(const struct sim_host *h, FILE *out)
{
	fputs("t_ms", out);
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		const char *name = h->books.config[i].name;

		fprintf(out, ",%s.size,%s.target,%s.anon,%s.file,%s.swap,%s.swap_out,%s.stall_ms",
			name, name, name, name, name, name, name);
	}
	fputs(",free\n", out);
}

static void write_series_row(const struct sim_host *h, FILE *out)
{
	const unsigned long long k = h->books.scenario->granule;

	fprintf(out, "%llu", (unsigned long long)h->books.now_us / 1000u);
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		const struct sim_guest *g = &h->guest[i];
		const struct mm *m = &g->mm;

		fprintf(out, ",%llu,%llu,%llu,%llu,%llu,%llu,%llu",
			(unsigned long long)sim_guest_pages(g), m->balloon.target * k,
			(m->lru_pages[LRU_ACTIVE_ANON] + m->lru_pages[LRU_INACTIVE_ANON]) * k,
			(m->lru_pages[LRU_ACTIVE_FILE] + m->lru_pages[LRU_INACTIVE_FILE]) * k,
			m->swap_used * k, (unsigned long long)m->swap_out * k,
			(unsigned long long)g->stall_us / 1000u);
	}
	fprintf(out, ",%llu\n", (unsigned long long)h->books.free_pages);
}

static void run_all(struct sim_host *h, const struct sim_run_options *options)
{
	const uint64_t end_us = h->books.scenario->end_ms * 1000u;
	uint64_t next_us = 0;

	if (options->series != NULL) {
		write_series_head(h, options->series);
	}
	while (h->books.now_us < end_us && h->books.failure[0] == '\0') {
		if (h->books.now_us >= next_us) {
			next_us += 1000000u;
			if (options->series != NULL) {
				write_series_row(h, options->series);
			}
			if (options->progress != NULL) {
				options->progress(options->ctx, h->books.now_us / 1000u,
						  h->books.scenario->end_ms);
			}
		}
		sim_host_step(h);
	}
}

bool sim_run(const struct sim_scenario *scenario, const char *policy,
	     const struct sim_run_options *options, struct sim_result *result,
	     char error[SIM_ERROR_MAX])
{
	const size_t length = strcspn(policy, ":");
	const char *rest = policy[length] == ':' ? policy + length + 1u : "";
	struct sim_host *h = malloc(sizeof(*h));
	struct sim_scenario *large = malloc(sizeof(*large));
	const struct sim_scenario *s = scenario;
	const char *reason = NULL;
	bool ok = false;

	if (h == NULL || large == NULL) {
		snprintf(error, SIM_ERROR_MAX, "no memory");
		free(h);
		free(large);
		return false;
	}
	if (length == strlen(BEST) && strncmp(policy, BEST, length) == 0) {
		make_best(scenario, large);
		s = large;
	}
	if (!sim_host_start(h, s, s->vm, options->seed)) {
		snprintf(error, SIM_ERROR_MAX, "no memory for the VMs");
	} else {
		h->record = options->record;
		if (!start_policy(h, policy, length, rest, &reason)) {
			snprintf(error, SIM_ERROR_MAX, "policy %.64s: %s", policy, reason);
		} else {
			run_all(h, options);
			ok = h->books.failure[0] == '\0';
			if (ok) {
				sim_meter_finish(h, result);
				snprintf(result->policy, sizeof(result->policy), "%s", policy);
			} else {
				snprintf(error, SIM_ERROR_MAX, "%s", h->books.failure);
			}
		}
		sim_host_stop(h);
	}
	free(h);
	free(large);
	return ok;
}
