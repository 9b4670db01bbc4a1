/* SPDX-License-Identifier: MIT */
/*
 * One configured VM and the domain that it is at present: its size, its limit, its target. All
 * calls in the daemon's thread.
 *
 *	ABSENT --found--> LEFT_OUT                       direct-mapped, static memory: never touched
 *	ABSENT --found--> BUILDING --it runs--> RUNNING  charged for all that it can get meanwhile
 *	any    --Xen lists it no more--> ABSENT
 *
 * Size, to the core, is pages - offset: `offset` is what a domain has beyond its target when it is
 * at rest (shared pages, what the toolstack added), found when it is first seen.
 *
 * The limit (Xen's max_pages) is never above max(target, size): raised before a growth is asked
 * for, lowered as pages come back, and always before their return is told. So the domain cannot
 * have more than it is charged for, whatever its kernel does.
 */
#ifndef XEN_VM_H
#define XEN_VM_H

#include "backend.h"
#include "boot.h"
#include "hyper.h"
#include "share.h"
#include "store.h"

enum xen_phase { XEN_ABSENT, XEN_LEFT_OUT, XEN_BUILDING, XEN_RUNNING };

enum xen_memory { XEN_MEMORY_AUTO, XEN_MEMORY_NORMAL, XEN_MEMORY_DIRECT, XEN_MEMORY_STATIC };

struct backend_vm_settings {
	char domain[BACKEND_NAME_MAX]; /* the name that xl list shows */
	unsigned memory;               /* enum xen_memory; what the integrator says */
};

/* What all VMs share. */
struct xen_context {
	const struct backend_env *env;
	struct xen_hyper *xc;
	struct xen_store *store;
	struct xen_share share;
	struct xen_boot boot;
};

struct xen_vm {
	const struct backend_vm_settings *settings; /* NULL: not configured */
	const char *name;
	uint64_t max_pages;
	uint32_t index;
	enum xen_phase phase;
	struct xen_info info; /* as last seen */
	const char *left_out; /* why; LEFT_OUT only */

	struct xen_store_domain store; /* as last read */
	uint64_t reads;
	int64_t offset_pages;

	uint64_t target_pages; /* last asked for */
	uint64_t epoch;
	bool unwritten;  /* the target still has to get into xenstore */
	int write_error; /* why it has not, an errno */
	bool moving;     /* the size is looked at often */
	unsigned still;  /* looks without a change */
	uint64_t notified_pages;

	bool held;   /* an administrator has set the target */
	bool paused; /* as the daemon was told */

	struct xen_shared shared;
	struct xen_announce tried; /* what could not be mapped */
	unsigned try_again;        /* polls until it is tried again */
	const char *page_error;    /* a constant text, or NULL */
	bool no_bell;

	uint64_t first_boot;  /* boot_id for which these two hold */
	uint64_t first_gifts; /* pages + balloon at its first look */
	unsigned unfreed;     /* looks at which the balloon had more than has come back */
};

/* A domain of that name has been found. `result`: what xenstore says. */
void xen_vm_found(struct xen_context *c, struct xen_vm *vm, const struct xen_info *info,
		  const struct xen_store_result *result);
/* What Xen and xenstore say now; tells the daemon what has changed. */
void xen_vm_refresh(struct xen_context *c, struct xen_vm *vm, const struct xen_info *info,
		    const struct xen_store_result *result);
/* Xen does not list it any more, or (`quiet`) it is none of our business from now on. */
void xen_vm_lost(struct xen_context *c, struct xen_vm *vm, bool quiet);
/* Looks how far a domain on the move has come. Returns whether to look again soon. */
bool xen_vm_watch(struct xen_context *c, struct xen_vm *vm);
/* Once an interval: maps, unmaps, tries again what has failed. */
void xen_vm_poll(struct xen_context *c, struct xen_vm *vm);

enum poise_err xen_vm_resize(struct xen_context *c, struct xen_vm *vm, uint64_t target_pages,
			     uint64_t epoch);
enum poise_err xen_vm_measure(struct xen_context *c, struct xen_vm *vm, uint64_t *pages);
void xen_vm_status(struct xen_context *c, const struct xen_vm *vm, struct backend_status *out);

/* Pages that it may still take from Xen without anybody being asked. */
uint64_t xen_vm_claim(const struct xen_vm *vm);

/* Why a domain's memory cannot be moved, or NULL. `memory`: enum xen_memory. */
const char *xen_vm_unfit(uint32_t domid, unsigned memory, enum xen_boot_kind kind);

/*
 * What a domain has beyond its target at rest. `pages`: it has now; `target_pages`: it was told to
 * have, 0 if unknown. A difference that is too large for that is a domain on the move: 0.
 */
int64_t xen_vm_calibrate(uint64_t pages, uint64_t target_pages);

#endif
