/* SPDX-License-Identifier: MIT */
/*
 * An eye of its own on Xen, for the tests in dom0: asks Xen, not poised.
 *
 *	look watch DIR		ten times a second: all domains but dom0 together have no more MiB
 *				than file DIR/pool says, each that runs no less than DIR/min, and
 * Xen itself no less free than DIR/free; domains whose numbers stand in DIR/ignore do not count.
 *"broken ..." whenever that does not hold, "looked ..." twice a second. look domain NAME	its
 * number, its pages, its limit
 *	look sum | free		pages of all domains but dom0; pages that Xen has free
 */
#undef __STRICT_ANSI__ /* Xen's headers need GNU C. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenstore.h>

#define DOMAINS   32
#define MIB_PAGES 256u
/* What Xen itself adds to each domain beyond its memory: shared pages. */
#define EXTRA_PAGES 16u

static uint64_t number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	uint64_t number = 0;
	if (f != NULL) {
		if (fscanf(f, "%" SCNu64, &number) != 1) {
			number = 0;
		}
		fclose(f);
	}
	return number;
}

static int ignored(const char *path, unsigned domid)
{
	FILE *f = fopen(path, "r");
	unsigned number;
	int found = 0;
	while (f != NULL && !found && fscanf(f, "%u", &number) == 1) {
		found = number == domid;
	}
	if (f != NULL) {
		fclose(f);
	}
	return found;
}

static uint64_t sum_of(xc_interface *xc, uint64_t min, const char *ignore)
{
	xc_domaininfo_t info[DOMAINS];
	const int count = xc_domain_getinfolist(xc, 1, DOMAINS, info);
	uint64_t sum = 0;
	for (int i = 0; i < count; i++) {
		if (ignored(ignore, info[i].domain)) {
			continue;
		}
		sum += info[i].tot_pages > EXTRA_PAGES ? info[i].tot_pages - EXTRA_PAGES : 0;
		if ((info[i].flags & (XEN_DOMINF_dying | XEN_DOMINF_paused)) == 0 &&
		    info[i].tot_pages < min) {
			printf("broken domain %u has %" PRIu64 " pages\n", info[i].domain,
			       (uint64_t)info[i].tot_pages);
		}
	}
	return count < 0 ? UINT64_MAX : sum;
}

static uint64_t free_of(xc_interface *xc)
{
	xc_physinfo_t info;
	memset(&info, 0, sizeof(info));
	return xc_physinfo(xc, &info) == 0 ? info.free_pages : 0;
}

/* All domains, for whoever wants to know who it was. */
static void list(xc_interface *xc)
{
	xc_domaininfo_t info[DOMAINS];
	const int count = xc_domain_getinfolist(xc, 1, DOMAINS, info);
	printf("  at %" PRIu64 " s:", number_in("/proc/uptime"));
	for (int i = 0; i < count; i++) {
		printf(" domain %u: %" PRIu64 " of %" PRIu64 ",", info[i].domain,
		       (uint64_t)info[i].tot_pages, (uint64_t)info[i].max_pages);
	}
	printf("\n");
}

static uint64_t wish(const char *directory, const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return number_in(path) * MIB_PAGES;
}

static _Noreturn void watch(xc_interface *xc, const char *directory)
{
	char ignore[128];
	snprintf(ignore, sizeof(ignore), "%s/ignore", directory);
	for (unsigned i = 0;; i++) {
		const uint64_t pool = wish(directory, "pool"), least = wish(directory, "free");
		const uint64_t sum = sum_of(xc, wish(directory, "min"), ignore);
		const uint64_t left = free_of(xc);
		if (sum > pool || left < least) {
			printf("broken sum %" PRIu64 " of %" PRIu64 " pages, %" PRIu64
			       " free of %" PRIu64 "\n",
			       sum, pool, left, least);
			list(xc);
		}
		if (i % 5 == 0) {
			printf("looked sum %" PRIu64 " free %" PRIu64 "\n", sum, left);
		}
		fflush(stdout);
		usleep(100000);
	}
}

static int domain(xc_interface *xc, const char *name)
{
	xc_domaininfo_t info[DOMAINS];
	struct xs_handle *xs = xs_open(0);
	const int count = xs != NULL ? xc_domain_getinfolist(xc, 1, DOMAINS, info) : 0;
	for (int i = 0; i < count; i++) {
		char path[64];
		unsigned length;
		snprintf(path, sizeof(path), "/local/domain/%u/name", info[i].domain);
		char *found = xs_read(xs, XBT_NULL, path, &length);
		if (found != NULL && strcmp(found, name) == 0) {
			printf("%u %" PRIu64 " %" PRIu64 "\n", info[i].domain,
			       (uint64_t)info[i].tot_pages, (uint64_t)info[i].max_pages);
			return 0;
		}
		free(found);
	}
	return 1;
}

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	if (xc == NULL) {
		return 1;
	}
	if (argc == 3 && strcmp(argv[1], "watch") == 0) {
		watch(xc, argv[2]);
	}
	if (argc == 3 && strcmp(argv[1], "domain") == 0) {
		return domain(xc, argv[2]);
	}
	if (argc == 2 && strcmp(argv[1], "sum") == 0) {
		printf("%" PRIu64 "\n", sum_of(xc, 0, ""));
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "free") == 0) {
		printf("%" PRIu64 "\n", free_of(xc));
		return 0;
	}
	return 2;
}
