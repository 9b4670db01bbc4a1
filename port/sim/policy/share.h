/* SPDX-License-Identifier: MIT */
/*
 * Handing a machine's memory out when every VM's need is known, for policies that have an estimate
 * and no rule of their own for that. Sizes are pages. A need counts within the VM's limits.
 */
#ifndef SIM_POLICY_SHARE_H
#define SIM_POLICY_SHARE_H

#include "../policy.h"

/*
 * Every VM gets its reservation, then what it needs, if all of that is there; if not, parts of the
 * rest by weight, to nobody more than it needs. What nobody needs stays with the host.
 */
void sim_share_by_weight(const struct sim_view *view, const double *need, uint64_t *size);

/*
 * Every VM gets its reservation; then VMs of the largest weight get what they need, then those of
 * the next; equal ones share alike. What nobody needs goes to all in proportion to their needs.
 */
void sim_share_by_rank(const struct sim_view *view, const double *need, uint64_t *size);

#endif
