/* SPDX-License-Identifier: MIT */
/* One run from a scenario and the name of a policy to a result. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* The core's settings as options. */
#define CORE_OPTIONS                                                                           \
	"alpha,headroom,reserve,urgent,urgent_gap,dead_band,slew,idle_tax,hold,freeze,answer," \
	"progress,rules_off"

static const struct {
	const char *name, *text;
} core_policies[] = {
	{"poise", "the core's default policy; options " CORE_OPTIONS},
	{"paper", "the core's reference: Kim et al. 2014, equations (1) to (4)"},
	{"static", "the core's fall-back: configured sizes, for ever"},
	{"best", "every VM has all that it can use, on a machine that large"},
};
#define CORE_POLICIES 3u
#define BUILT_IN      4u

const char *sim_run_policy(unsigned n, const char **text)
{
	if (n < BUILT_IN) {
		*text = core_policies[n].text;
		return core_policies[n].name;
	}
	/* Sentinel at the end, and nobody asks beyond it. */
	if (sim_policies[n - BUILT_IN] == NULL) {
		return NULL;
	}
	*text = sim_policies[n - BUILT_IN]->text;
	return sim_policies[n - BUILT_IN]->name;
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
	bool bad = sim_option_unknown(o, CORE_OPTIONS) != NULL;

	c->alpha_q10 = number(o, "alpha", 1024.0, &bad);
	c->headroom_permille = number(o, "headroom", 1.0, &bad);
	c->reserve_permille = number(o, "reserve", 1.0, &bad);
	c->urgent_permille = number(o, "urgent", 1.0, &bad);
	c->urgent_gap_ms = number(o, "urgent_gap", 1.0, &bad);
	c->dead_band_permille = number(o, "dead_band", 1.0, &bad);
	c->slew_permille = number(o, "slew", 1.0, &bad);
	c->idle_tax_permille = number(o, "idle_tax", 1.0, &bad);
	c->hold_intervals = number(o, "hold", 1.0, &bad);
	c->freeze_intervals = number(o, "freeze", 1.0, &bad);
	c->answer_intervals = number(o, "answer", 1.0, &bad);
	c->progress_permille = number(o, "progress", 1.0, &bad);
	c->rules_off = number(o, "rules_off", 1.0, &bad);
	return bad ? "options are " CORE_OPTIONS ", each with a number" : NULL;
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
		.pool_pages = h->total_pages,
		.interval_ms = h->scenario->interval_ms,
	};

	if (policy != NULL) {
		return sim_rival_start(h, policy, options, error);
	}
	for (unsigned i = 0; i < CORE_POLICIES; i++) {
		if (strlen(core_policies[i].name) == length &&
		    strncmp(core_policies[i].name, name, length) == 0) {
			/* Their order is that of enum poise_policy. */
			config.policy = i;
			*error = read_core_options(&config, options);
			return *error == NULL && sim_core_start(h, &config, error);
		}
	}
	*error = "no such policy";
	if (length == 4u && strncmp(name, "best", length) == 0) {
		*error = options[0] == '\0' ? NULL : "takes no options";
	}
	return *error == NULL;
}

static void write_series_head(const struct sim_host *h, FILE *out)
{
	fputs("t_ms", out);
	for (uint32_t i = 0; i < h->scenario->vm_count; i++) {
		const char *name = h->config[i].name;

		fprintf(out, ",%s.size,%s.target,%s.anon,%s.file,%s.swap,%s.swap_out,%s.stall_ms",
			name, name, name, name, name, name, name);
	}
	fputs(",free\n", out);
}

static void write_series_row(const struct sim_host *h, FILE *out)
{
	const unsigned long long k = h->scenario->granule;

	fprintf(out, "%llu", (unsigned long long)h->now_us / 1000u);
	for (uint32_t i = 0; i < h->scenario->vm_count; i++) {
		const struct sim_guest *g = &h->guest[i];
		const struct mm *m = &g->mm;

		fprintf(out, ",%llu,%llu,%llu,%llu,%llu,%llu,%llu",
			(unsigned long long)sim_guest_pages(g), m->balloon.target * k,
			(m->lru_pages[LRU_ACTIVE_ANON] + m->lru_pages[LRU_INACTIVE_ANON]) * k,
			(m->lru_pages[LRU_ACTIVE_FILE] + m->lru_pages[LRU_INACTIVE_FILE]) * k,
			m->swap_used * k, (unsigned long long)m->swap_out * k,
			(unsigned long long)g->stall_us / 1000u);
	}
	fprintf(out, ",%llu\n", (unsigned long long)h->free_pages);
}

static void run_all(struct sim_host *h, const struct sim_run_options *options)
{
	const uint64_t end_us = h->scenario->end_ms * 1000u;
	uint64_t next_us = 0;

	if (options->series != NULL) {
		write_series_head(h, options->series);
	}
	while (h->now_us < end_us && h->failure[0] == '\0') {
		if (h->now_us >= next_us) {
			next_us += 1000000u;
			if (options->series != NULL) {
				write_series_row(h, options->series);
			}
			if (options->progress != NULL) {
				options->progress(options->ctx, h->now_us / 1000u,
						  h->scenario->end_ms);
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
	if (length == 4u && strncmp(policy, "best", length) == 0) {
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
			ok = h->failure[0] == '\0';
			if (ok) {
				sim_meter_finish(h, result);
				snprintf(result->policy, sizeof(result->policy), "%s", policy);
			} else {
				snprintf(error, SIM_ERROR_MAX, "%s", h->failure);
			}
		}
		sim_host_stop(h);
	}
	free(h);
	free(large);
	return ok;
}
