/* SPDX-License-Identifier: MIT */
/* Sums over a set of scenarios; summary.h says which. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_called(const char *policy, const char *name)
{
	const size_t length = strlen(name);

	return strncmp(policy, name, length) == 0 &&
	       (policy[length] == '\0' || policy[length] == ':');
}

bool sim_summary_is_hindsight(const char *policy)
{
	return is_called(policy, "oracle") || is_called(policy, "best");
}

static void add(struct sim_summary *s, const struct sim_result *r, unsigned scenarios)
{
	s->swap_out += r->swap_out;
	s->swap_in += r->swap_in;
	s->refault += r->refault;
	s->moved += r->moved;
	s->reversals += r->reversals;
	s->violations += r->violations;
	s->oom_kills += r->oom_kills;
	s->stall_ms += r->stall_ms;
	s->work += r->work / scenarios;
	s->idle_pages += r->idle_pages / scenarios;
	s->worst_work = fmin(s->worst_work, r->worst_work);
	s->relief_ms_worst = fmax(s->relief_ms_worst, r->relief_ms_worst);
}

/* The least stall in a scenario without hindsight. */
static double least_stall(const struct sim_result *result, unsigned policies)
{
	double least = INFINITY;

	for (unsigned k = 0; k < policies; k++) {
		if (!sim_summary_is_hindsight(result[k].policy)) {
			least = fmin(least, result[k].stall_ms);
		}
	}
	return least;
}

static int by_stall(const void *a, const void *b)
{
	const struct sim_summary *x = a;
	const struct sim_summary *y = b;
	const int order = (x->stall_ms > y->stall_ms) - (x->stall_ms < y->stall_ms);

	return order != 0 ? order : strcmp(x->policy, y->policy);
}

void sim_summary_make(const struct sim_result *result, unsigned scenarios, unsigned policies,
		      struct sim_summary *out)
{
	double oracle_ms = NAN;

	for (unsigned k = 0; k < policies; k++) {
		out[k] = (struct sim_summary){.policy = result[k].policy, .worst_work = 1.0};
	}
	for (unsigned i = 0; i < scenarios; i++) {
		const struct sim_result *row = &result[i * policies];
		const double least = least_stall(row, policies);

		for (unsigned k = 0; k < policies; k++) {
			const double behind = row[k].stall_ms - least;

			add(&out[k], &row[k], scenarios);
			if (behind > out[k].behind_ms) {
				out[k].behind_ms = behind;
				out[k].behind_at = i;
			}
		}
	}
	for (unsigned k = 0; k < policies; k++) {
		if (strcmp(out[k].policy, "oracle") == 0) {
			oracle_ms = out[k].stall_ms;
		}
	}
	for (unsigned k = 0; k < policies; k++) {
		out[k].over_oracle = out[k].stall_ms / oracle_ms - 1.0;
	}
	qsort(out, policies, sizeof(*out), by_stall);
}
