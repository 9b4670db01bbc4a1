/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the files of the Linux guest module share.
 *
 *	find_pci.c find_dt.c find_xen.c		find the two pages, ring the doorbell
 *	main.c					publishes: the only user of publish.c
 *	counters.c				reads the kernel's counters
 *	pressure.c				notices that memory is short
 *	debug.c					shows what was published
 *	judge.c					pure decisions
 */
#ifndef POISE_LINUX_GUEST_H
#define POISE_LINUX_GUEST_H

#include <linux/types.h>

#include "publish.h"

#define POISE_NAME "poise_guest"

/* Where pages were found. Owned by its finder; valid from poise_attach to the end of poise_detach.
 */
struct poise_source {
	const char *kind; /* "ivshmem", "device-tree" or "xen" */
	const char *name; /* which one of that kind */
	struct poise_guest_page *guest;
	const struct poise_host_page *host;
	void (*doorbell)(struct poise_source *source); /* NULL: none; context: a work item */
};

/*
 * Starts publishing to a source's pages, with a new boot generation, at once.
 * Returns 0; -EBUSY when there is a source already; -EINVAL for misaligned pages. Context: may
 * sleep.
 */
int poise_attach(struct poise_source *source);

/* Stops using a source's pages; does nothing if it is not the attached one. Context: may sleep. */
void poise_detach(struct poise_source *source);

/*
 * Splits a mapped region into the two pages of `source`, or takes `host` from a second region of
 * its own if that is not NULL. Returns 0, or -EBUSY (said in the log) when something else lives
 * there.
 */
int poise_region(struct poise_source *source, void *region, void *host);

/* Length of a region that can be Poise's, in bytes. */
#define POISE_REGION_MIN (2u * POISE_ABI_PAGE_BYTES)
#define POISE_REGION_MAX (1024u * 1024u)

/* Each finder: registers and unregisters itself with the kernel. Nothing found is no error. */
int poise_find_pci_init(void);
void poise_find_pci_exit(void);
int poise_find_dt_init(void);
void poise_find_dt_exit(void);
int poise_find_xen_init(void);
void poise_find_xen_exit(void);

/* Counters. `init` returns 0 or a negative errno; needs /proc compiled into the kernel. */
int poise_counters_init(void);
void poise_counters_exit(void);
/* Memory that the guest has, balloon included, in pages of 4 KiB. */
u64 poise_counters_total(void);
/*
 * Fills in all counters; sample, total and floor are the caller's. Context: may sleep, one at a
 * time.
 */
void poise_counters_read(struct poise_abi_guest *body);

/* Pressure: shrinker and OOM notifier. Signs are JUDGE_* of judge.h. */
int poise_pressure_init(void);
void poise_pressure_exit(void);
/* Returns the signs since the last call and forgets them. */
u32 poise_pressure_take(void);
/* How often each sign was noticed since load: background, direct, OOM. */
void poise_pressure_counts(u64 counts[3]);
/* main.c's end of it: memory is short. Context: reclaim; neither sleeps nor allocates. */
void poise_kick(u32 sign);

/* What debugfs shows. Copied under the lock. */
struct poise_status {
	char kind[16];
	char name[48];
	struct gd gd;
	struct gd_host host; /* all 0 before the host's first update */
	struct poise_abi_guest body;
	u64 interval_ms;
	u64 generations; /* attached, resumed or resized since load */
	u64 updates;
	u64 raised[3];   /* urgent words raised for background, direct, OOM */
	u64 cost_ns[3];  /* one update's cost: last, highest, sum */
	u64 write_ns[3]; /* of it, writing the page */
};
void poise_status(struct poise_status *status);

int poise_debug_init(void);
void poise_debug_exit(void);

#endif
