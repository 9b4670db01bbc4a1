/* SPDX-License-Identifier: MIT */
/* Results as tables for people and as JSON for machines. */
#include <jansson.h>

#include "cli.h"

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
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I}", "vm", v->name,
			 "swap_out", (json_int_t)v->swap_out, "swap_in", (json_int_t)v->swap_in,
			 "refault", (json_int_t)(v->refault_anon + v->refault_file), "refault_anon",
			 (json_int_t)v->refault_anon, "refault_file", (json_int_t)v->refault_file,
			 "stall_ms", v->stall_ms, "work", v->work, "oom_kills",
			 (json_int_t)v->oom_kills, "urgent", (json_int_t)v->urgent);
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

void cli_print_json(const char *scenario, uint64_t seed, const struct sim_result *result,
		    unsigned count)
{
	json_t *policies = json_array();
	json_t *all;

	for (unsigned i = 0; i < count; i++) {
		json_array_append_new(policies, policy_json(&result[i]));
	}
	all = json_pack("{s:s, s:I, s:o}", "scenario", scenario, "seed", (json_int_t)seed,
			"policies", policies);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}
