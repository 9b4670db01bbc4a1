/* SPDX-License-Identifier: MIT */
/*
 * Which domains there are, and which of them is which VM. A domain is found by its name, once
 * xenstored knows it. The daemon's thread.
 */
#ifndef XEN_DOMAINS_H
#define XEN_DOMAINS_H

#include "vm.h"

/* A domain that Xen lists, configured or not. */
struct xen_known {
	bool used;
	bool seen; /* in this scan */
	bool told; /* that it is none of ours */
	bool open; /* it may be one of ours, and nobody is charged for it yet */
	uint32_t domid;
	uint32_t scans;
	uint8_t handle[XEN_HANDLE_BYTES];
	struct xen_info info;
	struct xen_vm *vm; /* NULL: none that we know of */
};

struct xen_domains {
	struct xen_context *c;
	struct xen_vm *vm; /* the daemon's POISE_VM_MAX slots */
	bool crowded;      /* too many domains in this scan: some are not looked at */
	bool full;         /* the same: told */
	bool listed;       /* Xen has listed its domains, at least once */
	bool settled;      /* all domains that were there at the start have been found */
	bool no_list;      /* Xen does not list its domains: told */
	struct xen_known known[XEN_DOMAINS_MAX];
};

/* Looks who has come, who has gone, and what has changed; tells the daemon. */
void xen_domains_scan(struct xen_domains *d);
/*
 * Likewise, among those that the last scan has seen. At the start nobody is looked at before
 * xenstored has told about each of them; then all are started in one go: a VM that is found first
 * would else grow into memory that another one has, which only has not been found yet.
 */
void xen_domains_refresh(struct xen_domains *d);
/* A VM has been configured, or will be no more: the next scan finds out who is who. */
void xen_domains_reconsider(struct xen_domains *d, const struct xen_vm *vm);
/*
 * Whether a domain has memory that nobody is charged for, and may be one of ours: until xenstored
 * has told its name; while it has none and is being built; while it cannot be taken in, or dies.
 */
bool xen_domains_uncharged(const struct xen_domains *d);

#endif
