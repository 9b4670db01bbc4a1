/* SPDX-License-Identifier: MIT */
/* Counters out of /proc; see counters.h. */
#include "counters.h"

#include <string.h>

#define KIB_A_PAGE 4u
#define SIZE_MAX_  (UINT64_C(1) << 32)

/* Takes the number out of the line "NAME:   123 kB" or "NAME 123". Returns 0, or -1 for none. */
static int field(const char *text, const char *name, uint64_t *out)
{
	const size_t length = strlen(name);
	uint64_t value = 0;

	while (strncmp(text, name, length) != 0 || (text[length] != ':' && text[length] != ' ')) {
		text = strchr(text, '\n');
		if (text == NULL) {
			return -1;
		}
		text++;
	}
	text += length + 1u;
	text += strspn(text, " \t");
	if (*text < '0' || *text > '9') {
		return -1;
	}
	for (; *text >= '0' && *text <= '9'; text++) {
		if (value > UINT64_MAX / 16u) {
			return -1; /* No counter of a Linux machine. */
		}
		value = value * 10u + (uint64_t)(*text - '0');
	}
	*out = value;
	return 0;
}

/* The sum of the fields that are there, as `names` lists them, "A,B,C"; 0 for the others. */
static uint64_t sum(const char *text, const char *names)
{
	uint64_t total = 0;

	while (*names != '\0') {
		const size_t length = strcspn(names, ",");
		char name[32];
		uint64_t value;

		if (length < sizeof(name)) {
			memcpy(name, names, length);
			name[length] = '\0';
			if (field(text, name, &value) == 0) {
				total += value;
			}
		}
		names += length + (names[length] == ',');
	}
	return total;
}

static uint64_t over(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/*
 * What nobody's name stands at. A balloon that is not counted as such (UML's `config mem=-N`, a
 * driver of somebody else's) lets it grow; zram's memory has a name in vmstat only.
 */
static uint64_t unnamed(const char *meminfo, const char *vmstat)
{
	const uint64_t named =
		sum(meminfo, "MemFree,Active,Inactive,Unevictable,Slab,KernelStack,PageTables,"
			     "SecPageTables,Percpu,VmallocUsed") /
			KIB_A_PAGE +
		sum(vmstat, "nr_zspages");

	return over(sum(meminfo, "MemTotal") / KIB_A_PAGE, named);
}

/* Counted by the kernel's balloon list, whatever the driver tells the page allocator. */
static uint64_t counted_balloon(const char *vmstat)
{
	return over(sum(vmstat, "balloon_inflate"), sum(vmstat, "balloon_deflate"));
}

int counters_start(struct counters *c, const char *meminfo, const char *vmstat, int mglru)
{
	uint64_t value;

	if (field(meminfo, "MemTotal", &value) != 0 || value / KIB_A_PAGE == 0 ||
	    value / KIB_A_PAGE > SIZE_MAX_ || field(vmstat, "pswpout", &value) != 0) {
		return -1;
	}
	*c = (struct counters){0};
	c->total_pages = sum(meminfo, "MemTotal") / KIB_A_PAGE + counted_balloon(vmstat);
	c->unnamed_pages = unnamed(meminfo, vmstat);
	c->features = POISE_GF_SWAP_FLOW | POISE_GF_COMMITTED | POISE_GF_RECLAIM;
	if (field(meminfo, "MemAvailable", &value) == 0) {
		c->features |= POISE_GF_AVAILABLE;
	}
	/* Of the same release, 5.9: refaults of anonymous pages, which start as inactive. */
	if (field(vmstat, "workingset_refault_anon", &value) == 0) {
		c->features |= POISE_GF_REFAULT | POISE_GF_ANON_INACTIVE;
	}
	if (mglru != 0) {
		c->features |= POISE_GF_MGLRU;
	}
	return 0;
}

int counters_read(struct counters *c, const char *meminfo, const char *vmstat,
		  struct poise_abi_guest *body)
{
	const uint64_t grown = over(unnamed(meminfo, vmstat), c->unnamed_pages);
	const uint64_t counted = counted_balloon(vmstat);
	struct poise_abi_guest b = {.total_pages = c->total_pages};
	uint64_t value;
	uint64_t left;

	if (field(meminfo, "MemFree", &value) != 0 || field(vmstat, "pswpout", &value) != 0) {
		return -1;
	}
	b.balloon_pages = counted > grown ? counted : grown;
	if (b.balloon_pages >= b.total_pages) {
		b.balloon_pages = b.total_pages - 1u;
	}
	b.active_file_pages = sum(meminfo, "Active(file)") / KIB_A_PAGE;
	b.inactive_file_pages = sum(meminfo, "Inactive(file)") / KIB_A_PAGE;
	b.active_anon_pages = sum(meminfo, "Active(anon)") / KIB_A_PAGE;
	b.inactive_anon_pages = sum(meminfo, "Inactive(anon)") / KIB_A_PAGE;
	b.unevictable_pages = sum(meminfo, "Unevictable") / KIB_A_PAGE;
	b.swap_used_pages = over(sum(meminfo, "SwapTotal"), sum(meminfo, "SwapFree")) / KIB_A_PAGE;
	b.swap_out_pages = sum(vmstat, "pswpout");
	b.swap_in_pages = sum(vmstat, "pswpin");
	b.refault_anon_pages = sum(vmstat, "workingset_refault_anon");
	b.refault_file_pages = sum(vmstat, "workingset_refault_file");
	b.committed_pages = sum(meminfo, "Committed_AS") / KIB_A_PAGE;
	b.direct_reclaims = sum(vmstat, "allocstall_dma,allocstall_dma32,allocstall_normal,"
					"allocstall_movable,allocstall_device");
	b.oom_kills = sum(vmstat, "oom_kill");
	/* The numbers are of slightly different moments: what is free comes last. */
	left = over(b.total_pages - b.balloon_pages,
		    b.active_file_pages + b.inactive_file_pages + b.active_anon_pages +
			    b.inactive_anon_pages + b.unevictable_pages);
	b.free_pages = sum(meminfo, "MemFree") / KIB_A_PAGE;
	b.free_pages = b.free_pages < left ? b.free_pages : left;
	b.available_pages = sum(meminfo, "MemAvailable") / KIB_A_PAGE;
	left = b.total_pages - b.balloon_pages;
	b.available_pages = b.available_pages < left ? b.available_pages : left;
	c->direct_reclaims = b.direct_reclaims;
	*body = b;
	return 0;
}
