/* SPDX-License-Identifier: MIT */
/*
 * Sizes fixed at build time. Set another value with -D; library and caller must agree (poise_init
 * checks).
 */
#ifndef POISE_CONFIG_H
#define POISE_CONFIG_H

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

#endif
