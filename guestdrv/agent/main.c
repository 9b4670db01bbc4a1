/* SPDX-License-Identifier: MIT */
/*
 * poise-agent: publishes a Linux guest's memory counters from user space, where no module can be
 * loaded. Knows nothing of the hypervisor but a device or file that holds the two pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "poise.h" /* POISE_VERSION only */
#include "publish.h"

#define NAME      "poise-agent"
#define BAD_USAGE 2
#define TEXT_MAX  32768
/* How often the guest is looked at for a need that cannot wait, if there is a bell. */
#define LOOK_MS 100u
/* Between two rings. */
#define GAP_MS 250u

static const char help[] =
	"usage: " NAME " [--total MIB] [--bell FILE] [--once] PAGES\n"
	"\n"
	"Publishes this machine's memory counters to the hypervisor, by default once a second, or\n"
	"as often as it asks for.\n"
	"\n"
	"PAGES        device or file with the two shared pages, mapped: UML's /dev/mmapper, the\n"
	"             resource2 of an ivshmem device, ...\n"
	"--total MIB  this machine's memory at boot as its hypervisor counts it; without: as its\n"
	"             kernel does, which has kept some for itself\n"
	"--bell FILE  a line is written to FILE when memory is needed at once\n"
	"--once       publishes once, and ends\n"
	"--help, --version\n";

static int complain(const char *what, const char *why)
{
	fprintf(stderr, NAME ": %s: %s\n", what, why);
	return BAD_USAGE;
}

static int read_text(const char *path, char text[TEXT_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t size;

	if (fd < 0) {
		return -1;
	}
	do {
		size = read(fd, text + used, TEXT_MAX - 1u - used);
		used += size > 0 ? (size_t)size : 0;
	} while (size > 0 && used < TEXT_MAX - 1u);
	close(fd);
	text[used] = '\0';
	return size < 0 ? -1 : 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void wait_ms(uint64_t ms)
{
	const struct timespec time = {.tv_sec = (time_t)(ms / 1000u),
				      .tv_nsec = (long)(ms % 1000u) * 1000000};

	nanosleep(&time, NULL);
}

/* Another number at each start; early at boot there may be no randomness yet. */
static uint64_t boot_id(void)
{
	struct timespec now;
	uint64_t id = 0;

	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != (ssize_t)sizeof(id)) {
		id = 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	id ^= (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return id != 0 ? id : 1;
}

/* Where a magic number belongs stands that number or nothing: else the region is somebody else's.
 */
static int is_ours(const struct poise_guest_page *guest, const struct poise_host_page *host)
{
	const volatile uint32_t *g = &guest->update.magic;
	const volatile uint32_t *h = &host->update.magic;

	return (*g == 0 || *g == POISE_ABI_GUEST_MAGIC) && (*h == 0 || *h == POISE_ABI_HOST_MAGIC);
}

/* Maps the pages. Returns NULL, and why in `why`. */
static struct poise_guest_page *map_pages(const char *path, const char **why)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	void *at = MAP_FAILED;
	struct stat st;

	*why = strerror(errno);
	if (fd < 0) {
		return NULL;
	}
	if (fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))) {
		*why = "neither a device nor a file";
	} else if (S_ISREG(st.st_mode) && st.st_size < (off_t)(2u * POISE_ABI_PAGE_BYTES)) {
		*why = "shorter than 8192 bytes";
	} else {
		at = mmap(NULL, 2u * POISE_ABI_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  0);
		*why = at == MAP_FAILED ? "8192 bytes of it cannot be mapped" : NULL;
	}
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* In pages of 4 KiB; 0: no such number. */
static uint64_t read_mib(const char *text)
{
	const size_t length = strlen(text);
	const uint64_t mib = length == 0 || length > 8 || strspn(text, "0123456789") != length
				     ? 0
				     : strtoull(text, NULL, 10);

	return mib <= 16777216 ? mib * 256u : 0;
}

static void ring(int bell)
{
	/* It may not be heard: a guest cannot know, and the next sample says the same. */
	if (write(bell, "poise\n", 6) != 6) {
		return;
	}
}

struct agent {
	struct counters counters;
	struct gd gd;
	int bell; /* -1: none */
	char meminfo[TEXT_MAX];
	char vmstat[TEXT_MAX];
};

static int look(struct agent *a, struct poise_abi_guest *body)
{
	if (read_text("/proc/meminfo", a->meminfo) != 0 ||
	    read_text("/proc/vmstat", a->vmstat) != 0) {
		return -1;
	}
	return counters_read(&a->counters, a->meminfo, a->vmstat, body);
}

/* Publishes for ever, or once. Returns only when /proc cannot be read any more. */
static int run(struct agent *a, int once)
{
	struct gd_host host = {.interval_ms = GD_INTERVAL_MS};
	struct poise_abi_guest body;
	uint64_t next_ms = now_ms();
	uint64_t swapped = 0;
	uint64_t stalled = 0;
	int first = 1;

	while (look(a, &body) == 0) {
		const uint64_t now = now_ms();
		const int needy = !first && (body.swap_out_pages != swapped ||
					     body.direct_reclaims != stalled);

		body.guest_ms = now;
		if (now >= next_ms || needy) {
			gd_publish(&a->gd, &body);
		}
		if (once) {
			return 0;
		}
		if (needy && a->bell >= 0 && gd_urgent(&a->gd, now, GAP_MS) == 1) {
			ring(a->bell);
		}
		swapped = body.swap_out_pages;
		stalled = body.direct_reclaims;
		first = 0;
		gd_host_read(&a->gd, &host);
		/* Not late for ever: a machine that was stopped does not catch up. */
		while (next_ms <= now) {
			next_ms = next_ms + host.interval_ms > now ? next_ms + host.interval_ms
								   : now + 1u;
		}
		wait_ms(a->bell >= 0 && next_ms - now > LOOK_MS ? LOOK_MS : next_ms - now);
	}
	return complain("/proc", "cannot be read any more");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"total", required_argument, NULL, 't'}, {"bell", required_argument, NULL, 'b'},
		{"once", no_argument, NULL, 'o'},        {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},     {0}};
	static struct agent a = {.bell = -1};
	struct poise_guest_page *page;
	const char *bell = NULL;
	const char *why;
	uint64_t total = 0;
	char text[TEXT_MAX];
	int once = 0;
	int choice;

	while ((choice = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (choice) {
		case 't':
			total = read_mib(optarg);
			if (total == 0) {
				return complain("--total", "a whole number of MiB, up to 16777216");
			}
			break;
		case 'b':
			bell = optarg;
			break;
		case 'o':
			once = 1;
			break;
		case 'h':
			return fputs(help, stdout) < 0 ? BAD_USAGE : 0;
		case 'v':
			return puts(NAME " " POISE_VERSION) < 0 ? BAD_USAGE : 0;
		default: /* getopt has said what is wrong. */
			return BAD_USAGE;
		}
	}
	if (argc - optind != 1) {
		return complain("usage", "one device or file with the pages; see --help");
	}
	page = map_pages(argv[optind], &why);
	if (page == NULL) {
		return complain(argv[optind], why);
	}
	if (!is_ours(page, (const struct poise_host_page *)(const void *)(page + 1))) {
		return complain(argv[optind], "holds something else than Poise's pages");
	}
	if (bell != NULL) {
		a.bell = open(bell, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
		if (a.bell < 0) {
			return complain(bell, strerror(errno));
		}
	}
	if (read_text("/proc/meminfo", a.meminfo) != 0 ||
	    read_text("/proc/vmstat", a.vmstat) != 0 ||
	    counters_start(&a.counters, a.meminfo, a.vmstat,
			   read_text("/sys/kernel/mm/lru_gen/enabled", text) == 0 &&
				   strtoul(text, NULL, 0) != 0) != 0) {
		return complain("/proc", "has no memory counters of Linux");
	}
	if (total != 0 && total < a.counters.total_pages) {
		return complain("--total", "less than the kernel has");
	}
	a.counters.total_pages = total != 0 ? total : a.counters.total_pages;
	if (a.bell >= 0) {
		a.counters.features |= POISE_GF_URGENT;
	}
	if (gd_init(&a.gd, page, (const struct poise_host_page *)(const void *)(page + 1),
		    boot_id(), a.counters.total_pages, a.counters.features) != 0) {
		return complain(argv[optind], "cannot hold the pages");
	}
	return run(&a, once);
}
