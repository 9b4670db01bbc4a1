/* SPDX-License-Identifier: MIT */
/*
 * libxenctrl's structures -> ours. The only file that knows them.
 */
/* Xen's public headers need GNU C (anonymous members, attributes of their own), and say so only by
 * this. */
#undef __STRICT_ANSI__
#include <string.h>
#include <xenctrl.h>

#include "hyper.h"

#define LIST_MAX   16 /* in one hypercall */
#define KIB_A_PAGE 4

_Static_assert(sizeof(xen_domain_handle_t) == XEN_HANDLE_BYTES, "Xen's UUIDs have changed size");

/* Ours is only a name for theirs, so that no other file needs their header. */
static xc_interface *interface(struct xen_hyper *xc)
{
	return (xc_interface *)(void *)xc;
}

struct xen_hyper *xen_hyper_open(xentoollog_logger *logger)
{
	return (struct xen_hyper *)(void *)xc_interface_open(logger, logger, 0);
}

void xen_hyper_close(struct xen_hyper *xc)
{
	if (xc != NULL) {
		xc_interface_close(interface(xc));
	}
}

static void convert(const xc_domaininfo_t *from, struct xen_info *to)
{
	*to = (struct xen_info){
		.domid = from->domain,
		.pages = from->tot_pages,
		.max_pages = from->max_pages,
		.dying = (from->flags & XEN_DOMINF_dying) != 0,
		.stopped = (from->flags & XEN_DOMINF_shutdown) != 0,
		.paused = (from->flags & XEN_DOMINF_paused) != 0,
		.ran = from->cpu_time != 0,
	};
	memcpy(to->handle, from->handle, sizeof(to->handle));
}

int xen_hyper_list(struct xen_hyper *xc, uint32_t first, struct xen_info *info, unsigned count)
{
	xc_domaininfo_t list[LIST_MAX];
	const unsigned most = count < LIST_MAX ? count : LIST_MAX;
	const int found = xc_domain_getinfolist(interface(xc), first, most, list);
	for (int i = 0; i < found && i < (int)most; i++) {
		convert(&list[i], &info[i]);
	}
	return found > (int)most ? (int)most : found;
}

bool xen_hyper_get(struct xen_hyper *xc, uint32_t domid, const uint8_t handle[XEN_HANDLE_BYTES],
		   struct xen_info *info)
{
	/* Asked for one that is not there, Xen answers with the next one. */
	return xen_hyper_list(xc, domid, info, 1) == 1 && info->domid == domid &&
	       memcmp(info->handle, handle, sizeof(info->handle)) == 0;
}

bool xen_hyper_limit(struct xen_hyper *xc, uint32_t domid, uint64_t pages)
{
	return xc_domain_setmaxmem(interface(xc), domid, pages * KIB_A_PAGE) == 0;
}

bool xen_hyper_free(struct xen_hyper *xc, uint64_t *pages)
{
	xc_physinfo_t info;
	memset(&info, 0, sizeof(info));
	if (xc_physinfo(interface(xc), &info) != 0 || info.free_pages > info.total_pages) {
		return false;
	}
	*pages = info.free_pages > info.outstanding_pages ? info.free_pages - info.outstanding_pages
							  : 0;
	return true;
}
