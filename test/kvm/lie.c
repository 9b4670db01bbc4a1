/* SPDX-License-Identifier: MIT */
/*
 * A guest that does not play fair, for the tests: writes to its shared page from user space, with
 * the module unloaded.
 *
 *	lie starve SECONDS	publishes updates in due form that claim desperate need, and rings
 *	lie scribble SECONDS	writes random bytes all over the region, the host's page included
 *
 * The region is BAR 2 of the ivshmem device, mapped by way of sysfs: write-combining, which is not
 * what the ABI asks for, but a liar need not care, and emulated memory has no caches.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "publish.h"

#define PAGE     4096u
#define REGION   (2u * PAGE)
#define ROUND_MS 100u

static void die(const char *what)
{
	fprintf(stderr, "lie: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int is_ivshmem(const char *resource)
{
	char path[256], id[16] = "";
	const char *slash = strrchr(resource, '/');
	snprintf(path, sizeof(path), "%.*s/device", (int)(slash - resource), resource);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		return 0;
	}
	const int found = fgets(id, sizeof(id), f) != NULL && strncmp(id, "0x1110", 6) == 0;
	fclose(f);
	return found;
}

static uint8_t *map_region(void)
{
	glob_t found;
	if (glob("/sys/bus/pci/devices/*/resource2_wc", 0, NULL, &found) != 0) {
		die("no BAR 2 that can be mapped");
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (!is_ivshmem(found.gl_pathv[i])) {
			continue;
		}
		const int fd = open(found.gl_pathv[i], O_RDWR);
		void *region =
			fd < 0 ? MAP_FAILED
			       : mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (region == MAP_FAILED) {
			die(found.gl_pathv[i]);
		}
		globfree(&found);
		return region;
	}
	errno = ENODEV;
	die("ivshmem");
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void pause_ms(unsigned ms)
{
	const struct timespec t = {(time_t)(ms / 1000u), (long)(ms % 1000u) * 1000000};
	nanosleep(&t, NULL);
}

static void starve(uint8_t *region, uint64_t end_ms)
{
	const uint32_t features = POISE_GF_ANON_INACTIVE | POISE_GF_SWAP_FLOW | POISE_GF_REFAULT |
				  POISE_GF_COMMITTED | POISE_GF_URGENT;
	const uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES);
	struct poise_guest_page *page = (struct poise_guest_page *)(void *)region;
	const struct poise_host_page *host =
		(const struct poise_host_page *)(void *)(region + PAGE);
	struct gd gd;
	if (gd_init(&gd, page, host, now_ms() | 1u, total, features) != 0) {
		errno = EINVAL;
		die("gd_init");
	}
	struct poise_abi_guest claim = {.swap_used_pages = total, .committed_pages = 4u * total};
	while (now_ms() < end_ms) {
		/* All in use, nothing free, and ever more in swap and read back from there. */
		claim.guest_ms = now_ms();
		claim.active_anon_pages = total - 16u;
		claim.swap_out_pages += total;
		claim.swap_in_pages += total;
		claim.refault_anon_pages += total;
		gd_publish(&gd, &claim);
		gd_urgent(&gd, now_ms(), 0);
		pause_ms(ROUND_MS);
	}
}

static void scribble(uint8_t *region, uint64_t end_ms)
{
	uint64_t seed = 1;
	while (now_ms() < end_ms) {
		for (size_t i = 0; i < REGION / sizeof(uint64_t); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			((volatile uint64_t *)(void *)region)[i] = seed ^ (seed >> 29);
		}
		pause_ms(ROUND_MS / 10u);
	}
}

int main(int argc, char **argv)
{
	char *end = NULL;
	const long seconds = argc == 3 ? strtol(argv[2], &end, 10) : 0;
	if (seconds < 1 || seconds > 600 || *end != '\0') {
		fprintf(stderr, "usage: lie starve|scribble SECONDS\n");
		return 2;
	}
	const uint64_t end_ms = now_ms() + (uint64_t)seconds * 1000u;
	if (strcmp(argv[1], "starve") == 0) {
		starve(map_region(), end_ms);
	} else if (strcmp(argv[1], "scribble") == 0) {
		scribble(map_region(), end_ms);
	} else {
		fprintf(stderr, "lie: what is '%s'?\n", argv[1]);
		return 2;
	}
	printf("lied\n");
	return 0;
}
