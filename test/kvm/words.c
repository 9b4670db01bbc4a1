/* SPDX-License-Identifier: MIT */
/*
 * When guests call for help, by the clock that poised records by: looks at the urgent words of
 * shared pages every millisecond, and writes a line "MS VM SAMPLE" for each that has changed, VM
 * being the place of its file among the arguments, SAMPLE the number of the update that was there
 * then. Until it is killed.
 *
 *	words FILE...
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "poise_abi.h"

#define FILES_MAX 8
#define LOOK_NS   1000000

static const struct poise_guest_page *map_page(const char *path)
{
	const int fd = open(path, O_RDONLY);
	const void *page = fd < 0 ? MAP_FAILED
				  : mmap(NULL, POISE_ABI_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		fprintf(stderr, "words: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return page;
}

static uint32_t word_of(const struct poise_guest_page *page)
{
	return *(const volatile uint32_t *)&page->head.urgent;
}

static uint64_t sample_of(const struct poise_guest_page *page)
{
	return *(const volatile uint64_t *)&page->update.body.sample;
}

int main(int argc, char **argv)
{
	const struct poise_guest_page *page[FILES_MAX];
	uint32_t seen[FILES_MAX];
	const int count = argc - 1;
	struct timespec due;
	if (count < 1 || count > FILES_MAX) {
		fprintf(stderr, "usage: words FILE...\n");
		return 2;
	}
	for (int i = 0; i < count; i++) {
		page[i] = map_page(argv[i + 1]);
		seen[i] = word_of(page[i]);
	}
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (;;) {
		for (int i = 0; i < count; i++) {
			const uint32_t word = word_of(page[i]);
			if (word != seen[i]) {
				struct timespec now;
				clock_gettime(CLOCK_MONOTONIC, &now);
				seen[i] = word;
				printf("%" PRIu64 " %d %" PRIu64 "\n",
				       (uint64_t)now.tv_sec * 1000u +
					       (uint64_t)now.tv_nsec / 1000000u,
				       i, sample_of(page[i]));
				fflush(stdout);
			}
		}
		due.tv_nsec += LOOK_NS;
		if (due.tv_nsec >= 1000000000) {
			due.tv_nsec -= 1000000000;
			due.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	}
}
