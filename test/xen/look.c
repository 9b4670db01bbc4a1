/* SPDX-License-Identifier: MIT */
/*
 * An eye of its own on Xen, for the tests in dom0: asks Xen, not poised.
 *
 *	look watch POOL MIN IGNORE	ten times a second: the sum of all domains but dom0 against
 *the number of MiB in file POOL, each domain that runs against that in MIN; domains whose numbers
 *stand in file IGNORE do not count. A line "broken ..." for each time that it does not hold; "worst
 *..." now and then. look pages DOMID	its pages and its limit look limit DOMID KIB	what xl
 *mem-set does to Xen: sets its limit
 *	look storm PATH TEXT	writes a node of xenstore as fast as it can, until it is killed
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

static uint64_t look(xc_interface *xc, const char *min, const char *ignore)
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
		    info[i].tot_pages < number_in(min) * MIB_PAGES) {
			printf("broken domain %u has %" PRIu64 " pages\n", info[i].domain,
			       (uint64_t)info[i].tot_pages);
		}
	}
	return count < 0 ? UINT64_MAX : sum;
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

static _Noreturn void watch(xc_interface *xc, char **argument)
{
	uint64_t worst = 0;
	for (unsigned i = 0;; i++) {
		const uint64_t pool = number_in(argument[0]) * MIB_PAGES;
		const uint64_t sum = look(xc, argument[1], argument[2]);
		if (sum > pool) {
			printf("broken sum %" PRIu64 " of %" PRIu64 " pages\n", sum, pool);
			list(xc);
		}
		worst = sum > worst ? sum : worst;
		if (i % 50 == 0) {
			printf("worst %" PRIu64 "\n", worst);
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

static int storm(const char *path, const char *text)
{
	struct xs_handle *xs = xs_open(0);
	while (xs != NULL && xs_write(xs, XBT_NULL, path, text, (unsigned)strlen(text))) {}
	return 1;
}

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	if (xc == NULL) {
		return 1;
	}
	if (argc == 5 && strcmp(argv[1], "watch") == 0) {
		watch(xc, argv + 2);
	}
	if (argc == 4 && strcmp(argv[1], "storm") == 0) {
		return storm(argv[2], argv[3]);
	}
	if (argc == 4 && strcmp(argv[1], "limit") == 0) {
		return xc_domain_setmaxmem(xc, (uint32_t)atoi(argv[2]),
					   strtoull(argv[3], NULL, 10)) != 0;
	}
	if (argc == 3 && strcmp(argv[1], "domain") == 0) {
		return domain(xc, argv[2]);
	}
	if (argc == 2 && strcmp(argv[1], "sum") == 0) {
		printf("%" PRIu64 "\n", look(xc, "", ""));
		return 0;
	}
	return 2;
}
