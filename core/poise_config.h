/* SPDX-License-Identifier: MIT */
/*
 * Configuration: sizes fixed at build time, and what poise_init and poise_vm_add are given. Set
 * another size with -D; library and caller must agree (poise_init checks).
 */
#ifndef POISE_CONFIG_H
#define POISE_CONFIG_H

#include <stdint.h>

/* Table size: how many VMs one `struct poise` holds, 1..64. Costs POISE_STATE_BYTES_PER_VM_MAX at
 * most each. */
#ifndef POISE_VM_MAX
#define POISE_VM_MAX 16
#endif

/* Called with a condition that the core itself must keep true; never sees guest data. Nothing by
 * default. */
#ifndef POISE_ASSERT
#define POISE_ASSERT(cond) ((void)0)
#endif

/* What a VM may cost in `struct poise`, asserted in poise.h. */
#define POISE_STATE_BYTES_PER_VM_MAX 512

#if POISE_VM_MAX < 1 || POISE_VM_MAX > 64
#error "POISE_VM_MAX must be 1..64: the core's loops and the port's identifiers are bounded by it."
#endif

/* Largest pool and largest VM: 16 TiB. */
#define POISE_PAGES_MAX (UINT64_C(1) << 32)

enum poise_policy {
#define POISE_POLICY(code, number, name, words) POISE_POLICY_##code = (number),
#include "poise_policies.def"
#undef POISE_POLICY
	POISE_POLICY_COUNT
};

/* Which pages count as memory in use, the M of equation (1). */
enum poise_basis {
#define POISE_BASIS(code, number, name, words) POISE_BASIS_##code = (number),
#include "poise_bases.def"
#undef POISE_BASIS
	POISE_BASIS_COUNT
};

/* The rules that shape decisions. The numbers name the bit in poise_config.rules_off. */
enum poise_rule {
#define POISE_RULE(name, number, switchable, words) POISE_RULE_##name = (number),
#include "poise_rules.def"
#undef POISE_RULE
	POISE_RULE_COUNT
};
#define POISE_RULE_BIT(rule) (1u << (rule))
/* Every rule that can be switched off; with all of them off policy `poise` decides as `paper`. */
enum {
	POISE_RULES_SWITCHABLE = 0
#define POISE_RULE(name, number, switchable, words) | (switchable) << (number)
#include "poise_rules.def"
#undef POISE_RULE
};
#define POISE_RULES_NEUTRAL ((uint32_t)POISE_RULES_SWITCHABLE)

/*
 * Start-up configuration. Zero in any field but pool_pages means its default. The tunables, their
 * ranges and defaults are those of poise_tunables.def.
 */
struct poise_config {
	uint64_t pool_pages; /* memory to share out, 1..POISE_PAGES_MAX */
	uint32_t policy;     /* enum poise_policy */
	uint32_t rules_off;  /* POISE_RULE_BIT()s out of POISE_RULES_NEUTRAL */
#define POISE_TUNABLE(field, name, unit, least, most, standard, words) uint32_t field;
#include "poise_tunables.def"
#undef POISE_TUNABLE
};

/* One VM's configuration. min <= boot <= max. */
struct poise_vm_config {
	uint64_t min_pages;  /* reservation: no plan goes below, 1..max */
	uint64_t boot_pages; /* what it starts with, its static share: min..max; 0 = min */
	uint64_t max_pages;  /* limit: no plan goes above, boot..pool */
	uint32_t weight;     /* share when memory is short: 1..65535, 0 = 100 */
	uint32_t basis;      /* enum poise_basis */
	uint32_t flags;      /* POISE_VM_* */
	uint32_t reserved;   /* write 0 */
};
/* By the administrator, or paused, suspended: nothing is decided for it. */
#define POISE_VM_FREEZE 1u
/* Not trusted to report: keeps its boot size. */
#define POISE_VM_STATIC 2u
#define POISE_VM_FLAGS  3u

#endif
