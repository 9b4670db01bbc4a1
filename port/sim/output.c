/* SPDX-License-Identifier: MIT */
/* Results as tables for people and as JSON for machines; and the policies there are. */
#include <jansson.h>
#include <math.h>

#include "cli.h"
#include "run.h"

static double mib(double pages)
{
	return pages / 256.0;
}

static void print_vms(const struct sim_result *r)
{
	printf("  %-16s %10s %10s %10s %10s %7s %5s\n", "vm", "swap-out", "swap-in", "refault",
	       "stall s", "work %", "kills");
	for (uint32_t i = 0; i < r->vm_count; i++) {
		const struct sim_vm_result *v = &r->vm[i];

		printf("  %-16.16s %10.1f %10.1f %10.1f %10.2f %7.2f %5llu\n", v->name,
		       mib((double)v->swap_out), mib((double)v->swap_in),
		       mib((double)(v->refault_anon + v->refault_file)), v->stall_ms / 1000.0,
		       v->work * 100.0, (unsigned long long)v->oom_kills);
	}
}

void cli_print_table(const struct sim_result *result, unsigned count, bool vms)
{
	printf("%-18s %9s %9s %9s %9s %7s %7s %9s %6s %5s %9s %9s %8s %5s\n", "MiB", "swap-out",
	       "swap-in", "refault", "stall s", "work %", "worst %", "moved", "turns", "viol.",
	       "relief ms", "worst ms", "idle", "kills");
	for (unsigned i = 0; i < count; i++) {
		const struct sim_result *r = &result[i];

		printf("%-18.32s %9.1f %9.1f %9.1f %9.2f %7.2f %7.2f %9.1f %6llu %5llu %9.0f "
		       "%9.0f %8.1f %5llu\n",
		       r->policy, mib((double)r->swap_out), mib((double)r->swap_in),
		       mib((double)r->refault), r->stall_ms / 1000.0, r->work * 100.0,
		       r->worst_work * 100.0, mib((double)r->moved),
		       (unsigned long long)r->reversals, (unsigned long long)r->violations,
		       r->relief_ms_median, r->relief_ms_worst, mib(r->idle_pages),
		       (unsigned long long)r->oom_kills);
		if (vms) {
			print_vms(r);
		}
	}
}

static json_t *vm_json(const struct sim_vm_result *v)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I}", "vm", v->name,
			 "swap_out", (json_int_t)v->swap_out, "swap_in", (json_int_t)v->swap_in,
			 "refault", (json_int_t)(v->refault_anon + v->refault_file), "refault_anon",
			 (json_int_t)v->refault_anon, "refault_file", (json_int_t)v->refault_file,
			 "stall_ms", v->stall_ms, "work", v->work, "mean_pages", v->mean_pages,
			 "oom_kills", (json_int_t)v->oom_kills, "urgent", (json_int_t)v->urgent);
}

static json_t *policy_json(const struct sim_result *r)
{
	json_t *vms = json_array();

	for (uint32_t i = 0; i < r->vm_count; i++) {
		json_array_append_new(vms, vm_json(&r->vm[i]));
	}
	return json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:f, s:f, s:I, "
			 "s:I, s:I, s:o}",
			 "policy", r->policy, "swap_out", (json_int_t)r->swap_out, "swap_in",
			 (json_int_t)r->swap_in, "refault", (json_int_t)r->refault, "stall_ms",
			 r->stall_ms, "work", r->work, "worst_work", r->worst_work, "moved",
			 (json_int_t)r->moved, "reversals", (json_int_t)r->reversals, "violations",
			 (json_int_t)r->violations, "relief_ms_median", r->relief_ms_median,
			 "relief_ms_worst", r->relief_ms_worst, "idle_pages", r->idle_pages,
			 "oom_kills", (json_int_t)r->oom_kills, "probes", (json_int_t)r->probes,
			 "checks", (json_int_t)r->checks, "vms", vms);
}

static json_t *scenario_json(const char *scenario, uint64_t seed, const struct sim_result *result,
			     unsigned count)
{
	json_t *policies = json_array();

	for (unsigned i = 0; i < count; i++) {
		json_array_append_new(policies, policy_json(&result[i]));
	}
	return json_pack("{s:s, s:I, s:o}", "scenario", scenario, "seed", (json_int_t)seed,
			 "policies", policies);
}

static void print(json_t *all)
{
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

void cli_print_json(const char *scenario, uint64_t seed, const struct sim_result *result,
		    unsigned count)
{
	print(scenario_json(scenario, seed, result, count));
}

/* JSON has neither infinity nor NAN. */
static json_t *number_json(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *summary_json(const struct cli_set *set, const struct sim_summary *s)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:f, s:I, s:f, "
			 "s:s, s:o}",
			 "policy", s->policy, "swap_out", (json_int_t)s->swap_out, "swap_in",
			 (json_int_t)s->swap_in, "refault", (json_int_t)s->refault, "stall_ms",
			 s->stall_ms, "work", s->work, "worst_work", s->worst_work, "moved",
			 (json_int_t)s->moved, "reversals", (json_int_t)s->reversals, "violations",
			 (json_int_t)s->violations, "relief_ms_worst", s->relief_ms_worst,
			 "idle_pages", s->idle_pages, "oom_kills", (json_int_t)s->oom_kills,
			 "behind_ms", s->behind_ms, "behind_at", set->scenario[s->behind_at]->name,
			 "over_oracle", number_json(s->over_oracle));
}

void cli_print_set_json(const struct cli_set *set, const struct sim_summary *summary)
{
	json_t *scenarios = json_array();
	json_t *summaries = json_array();

	for (unsigned i = 0; i < set->scenarios; i++) {
		json_array_append_new(scenarios, scenario_json(set->scenario[i]->name, set->seed[i],
							       &set->result[i * set->policies],
							       set->policies));
	}
	for (unsigned k = 0; k < set->policies; k++) {
		json_array_append_new(summaries, summary_json(set, &summary[k]));
	}
	print(json_pack("{s:o, s:o}", "scenarios", scenarios, "summary", summaries));
}

void cli_print_summary(const struct cli_set *set, const struct sim_summary *summary)
{
	printf("%-14s %8s %7s %8s %9s %9s %6s %7s %6s %5s %5s %7s %6s  %s\n", "", "stall s",
	       "oracle%", "swap-out", "refault", "moved", "turns", "relief s", "idle", "viol.",
	       "kills", "work %", "worst", "most s behind");
	for (unsigned k = 0; k < set->policies; k++) {
		const struct sim_summary *s = &summary[k];
		char oracle[16] = "";
		char behind[96] = "";

		if (isfinite(s->over_oracle)) {
			snprintf(oracle, sizeof(oracle), "%+.1f", s->over_oracle * 100.0);
		}
		if (s->behind_ms > 0.0) {
			snprintf(behind, sizeof(behind), "%.1f %s", s->behind_ms / 1000.0,
				 set->scenario[s->behind_at]->name);
		}
		printf("%-14.40s %8.1f %7s %8.0f %9.0f %9.0f %6llu %8.1f %6.0f %5llu %5llu %7.2f "
		       "%6.2f  %s\n",
		       s->policy, s->stall_ms / 1000.0, oracle, mib((double)s->swap_out),
		       mib((double)s->refault), mib((double)s->moved),
		       (unsigned long long)s->reversals, s->relief_ms_worst / 1000.0,
		       mib(s->idle_pages), (unsigned long long)s->violations,
		       (unsigned long long)s->oom_kills, s->work * 100.0, s->worst_work * 100.0,
		       behind);
	}
}

int cli_policies_help(const char *usage)
{
	const char *text;
	const char *name;

	fputs(usage, stdout);
	puts("\npolicies:");
	for (unsigned i = 0; (name = sim_run_policy(i, &text)) != NULL; i++) {
		printf("  %-16s %s\n", name, text);
	}
	return CLI_OK;
}
