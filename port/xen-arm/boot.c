/* SPDX-License-Identifier: MIT */
/*
 * The children of /chosen that are domains, by libfdt.
 */
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>

#include "boot.h"

#define TREE_MAX (2u << 20) /* as Linux itself: no larger device tree can be mapped */

static enum xen_boot_kind kind_of(const void *tree, int node)
{
	if (fdt_getprop(tree, node, "direct-map", NULL) != NULL) {
		return XEN_BOOT_DIRECT; /* It has static memory, too: Xen demands it. */
	}
	return fdt_getprop(tree, node, "xen,static-mem", NULL) != NULL ? XEN_BOOT_STATIC
								       : XEN_BOOT_NORMAL;
}

const char *xen_boot_parse(const void *tree, size_t size, struct xen_boot *out)
{
	*out = (struct xen_boot){0};
	if (fdt_check_full(tree, size) != 0) {
		return "the device tree is malformed";
	}
	const int chosen = fdt_path_offset(tree, "/chosen");
	int node;
	fdt_for_each_subnode(node, tree, chosen)
	{
		if (fdt_node_check_compatible(tree, node, "xen,domain") == 0 &&
		    out->count < XEN_BOOT_MAX) {
			out->kind[out->count++] = kind_of(tree, node);
		}
	}
	return NULL;
}

const char *xen_boot_read(const char *path, struct xen_boot *out)
{
	*out = (struct xen_boot){0};
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		return errno == ENOENT ? NULL : "the device tree cannot be opened";
	}
	void *tree = malloc(TREE_MAX);
	const char *wrong =
		tree != NULL ? xen_boot_parse(tree, fread(tree, 1, TREE_MAX, f), out) : "no memory";
	free(tree);
	fclose(f);
	return wrong;
}

enum xen_boot_kind xen_boot_kind(const struct xen_boot *boot, uint32_t domid)
{
	return domid != 0 && domid <= boot->count ? boot->kind[domid - 1] : XEN_BOOT_OTHER;
}
