/* SPDX-License-Identifier: MIT */
/* The list of the simulator's own policies. */
#include <string.h>

#include "policy.h"

extern const struct sim_policy sim_policy_equal;
extern const struct sim_policy sim_policy_naive;
extern const struct sim_policy sim_policy_autoballoon;
extern const struct sim_policy sim_policy_proxmox;
extern const struct sim_policy sim_policy_mom;
extern const struct sim_policy sim_policy_squeezed;
extern const struct sim_policy sim_policy_qmemman;
extern const struct sim_policy sim_policy_esx;
extern const struct sim_policy sim_policy_hyperv;
extern const struct sim_policy sim_policy_chromeos;
extern const struct sim_policy sim_policy_vmmms;
extern const struct sim_policy sim_policy_selfballoon;
extern const struct sim_policy sim_policy_qemuspi;
extern const struct sim_policy sim_policy_hypeman;
extern const struct sim_policy sim_policy_senpai;
extern const struct sim_policy sim_policy_counters;
extern const struct sim_policy sim_policy_dirty;
extern const struct sim_policy sim_policy_accessed;
extern const struct sim_policy sim_policy_cagma;
extern const struct sim_policy sim_policy_oracle;
extern const struct sim_policy sim_policy_proportional;

const struct sim_policy *const sim_policies[] = {
	&sim_policy_equal,        &sim_policy_naive,
	&sim_policy_autoballoon,  &sim_policy_proxmox,
	&sim_policy_mom,          &sim_policy_squeezed,
	&sim_policy_qmemman,      &sim_policy_esx,
	&sim_policy_hyperv,       &sim_policy_chromeos,
	&sim_policy_vmmms,        &sim_policy_selfballoon,
	&sim_policy_qemuspi,      &sim_policy_hypeman,
	&sim_policy_senpai,       &sim_policy_counters,
	&sim_policy_dirty,        &sim_policy_accessed,
	&sim_policy_cagma,        &sim_policy_oracle,
	&sim_policy_proportional, NULL,
};

const struct sim_policy *sim_policy_find(const char *name, size_t length)
{
	for (const struct sim_policy *const *p = sim_policies; *p != NULL; p++) {
		if (strlen((*p)->name) == length && strncmp((*p)->name, name, length) == 0) {
			return *p;
		}
	}
	return NULL;
}
