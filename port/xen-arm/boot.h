/* SPDX-License-Identifier: MIT */
/*
 * Which domains Xen itself has built when it started (dom0less), and how their memory is. Xen
 * numbers them from 1, in the order in which they stand in the device tree, and hands that part of
 * the tree on to dom0. No hypercall of Xen 4.17 says the same.
 */
#ifndef XEN_BOOT_H
#define XEN_BOOT_H

#include <stddef.h>
#include <stdint.h>

#define XEN_BOOT_MAX  32 /* domains; those beyond are not told apart from others */
#define XEN_BOOT_TREE "/sys/firmware/fdt"

enum xen_boot_kind {
	XEN_BOOT_OTHER, /* not built by Xen when it started */
	XEN_BOOT_NORMAL,
	XEN_BOOT_STATIC, /* property xen,static-mem */
	XEN_BOOT_DIRECT  /* property direct-map */
};

struct xen_boot {
	size_t count;
	enum xen_boot_kind kind[XEN_BOOT_MAX]; /* of domain number + 1 */
};

/*
 * Reads a flattened device tree. Returns NULL and fills *out, or says what is wrong (a constant
 * text); then *out is empty. A pure function that never reads beyond the `size` bytes.
 */
const char *xen_boot_parse(const void *tree, size_t size, struct xen_boot *out);

/* Likewise from a file. One that is not there is no error: nothing has been built then. */
const char *xen_boot_read(const char *path, struct xen_boot *out);

enum xen_boot_kind xen_boot_kind(const struct xen_boot *boot, uint32_t domid);

#endif
