/* SPDX-License-Identifier: MIT */
/*
 * What the guests of the Smart TV scenario do: three programs, each a table of phases, and a
 * watcher that reports the kernel's own counters once a second. Work is fixed, not time: a guest
 * that has to wait for its swap does the same as one that has not, only later.
 *
 *	load stream|web|game [PERCENT]	plays its phases, each PERCENT of its length (100)
 *	load watch	a line "stat ..." a second
 *	load need MIB	takes so much memory, 10 MiB a second, and uses it until it is killed
 *	load grab MIB	the same, as fast as it can
 *	load pin MIB	takes it 10 MiB a second and locks it, so that the guest cannot do without
 *
 * Lines go to standard output. "end NAME late_ms=L touched=T read=R" closes a program that went
 * well. Every page carries a pattern that is checked whenever the page is touched again: exit 3 if
 * memory has been lost, 1 if the system does not do what it should, 2 for wrong arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE      4096u
#define MIB_PAGES 256u
#define STEP_MS   100u
#define STEPS_S   (1000u / STEP_MS)
#define DISK      "/dev/data"
#define READ_SIZE (64u * 1024u)

/* One phase; a phase with no seconds ends the table. */
struct phase {
	uint32_t seconds;
	uint32_t anon_mib; /* anonymous memory at its end: grown evenly, or dropped at its start */
	uint32_t touch_mib_s; /* of that, read and written again each second, at random places */
	uint32_t read_mib_s;  /* from the disk, in order */
};

#define PHASES_MAX 6
static const struct program {
	const char *name;
	struct phase phase[PHASES_MAX];
} programs[] = {
	/* A film: little memory of its own, but what it has read stays in the page cache. */
	{"stream", {{48, 12, 2, 3}}},
	/* Pages of the web, one larger, one smaller. */
	{"web", {{10, 25, 4, 0}, {10, 40, 4, 0}, {10, 16, 4, 0}, {10, 24, 4, 0}, {8, 12, 4, 0}}},
	/* A game is started, plays, and ends: it needs more than its third of the memory. */
	{"game", {{10, 6, 2, 0}, {20, 80, 4, 0}, {12, 80, 4, 0}, {6, 6, 2, 0}}},
};

/* Anonymous memory, one mapping that grows from the front. */
struct anon {
	uint64_t *base;
	uint32_t pages; /* in use */
	uint32_t room;
	uint64_t seed;
};

static void die(const char *what)
{
	printf("error %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
		die("clock_gettime");
	}
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

static void sleep_until(uint64_t due_ms)
{
	const struct timespec t = {(time_t)(due_ms / 1000u), (long)(due_ms % 1000u) * 1000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* --- memory that knows what it should hold --- */

static struct anon anon_new(uint32_t room)
{
	struct anon a = {NULL, 0, room, 1};
	a.base = mmap(NULL, (size_t)room * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a.base == MAP_FAILED) {
		die("mmap");
	}
	/* Pages one by one, as programs fill them. */
	if (madvise(a.base, (size_t)room * PAGE, MADV_NOHUGEPAGE) != 0) {
		die("madvise");
	}
	return a;
}

static uint64_t *page_of(const struct anon *a, uint32_t i)
{
	return a->base + (size_t)i * (PAGE / sizeof(uint64_t));
}

static uint64_t pattern(uint32_t i)
{
	return (i + 1u) * UINT64_C(0x9e3779b97f4a7c15);
}

static void anon_grow(struct anon *a, uint32_t pages)
{
	for (; a->pages < pages && a->pages < a->room; a->pages++) {
		uint64_t *page = page_of(a, a->pages);
		page[0] = pattern(a->pages);
		page[PAGE / sizeof(uint64_t) - 1] = ~pattern(a->pages);
	}
}

static void anon_shrink(struct anon *a, uint32_t pages)
{
	if (pages < a->pages) {
		if (madvise(page_of(a, pages), (size_t)(a->pages - pages) * PAGE, MADV_DONTNEED) !=
		    0) {
			die("madvise");
		}
		a->pages = pages;
	}
}

static void anon_touch(struct anon *a, uint32_t count)
{
	for (uint32_t n = 0; n < count && a->pages != 0; n++) {
		const uint32_t i = (uint32_t)(next_random(&a->seed) % a->pages);
		uint64_t *page = page_of(a, i);
		if (page[0] != pattern(i) || page[PAGE / sizeof(uint64_t) - 1] != ~pattern(i)) {
			printf("error page %" PRIu32 " has lost its contents\n", i);
			fflush(stdout);
			exit(3);
		}
		page[1]++;
	}
}

/* --- a program's phases --- */

struct work {
	struct anon anon;
	int disk;
	uint64_t offset, touched, read;
};

static void read_disk(struct work *w, uint64_t bytes)
{
	static char buffer[READ_SIZE];
	while (bytes != 0) {
		const ssize_t got = pread(w->disk, buffer, READ_SIZE, (off_t)w->offset);
		if (got < 0) {
			die("reading " DISK);
		}
		w->offset = got < (ssize_t)READ_SIZE ? 0 : w->offset + READ_SIZE;
		w->read += (uint64_t)got;
		bytes -= bytes < READ_SIZE ? bytes : READ_SIZE;
	}
}

static void step(struct work *w, const struct phase *p, uint32_t from, uint32_t k, uint32_t steps)
{
	const uint32_t to = p->anon_mib * MIB_PAGES;
	if (to > from) {
		anon_grow(&w->anon, from + (uint32_t)((uint64_t)(to - from) * (k + 1u) / steps));
	} else {
		anon_shrink(&w->anon, to);
	}
	const uint32_t touch = p->touch_mib_s * MIB_PAGES / STEPS_S;
	anon_touch(&w->anon, touch);
	w->touched += touch;
	if (p->read_mib_s != 0) {
		read_disk(w, (uint64_t)p->read_mib_s * MIB_PAGES * PAGE / STEPS_S);
	}
}

static void play(const struct program *program, uint32_t percent)
{
	uint32_t most = 1;
	for (const struct phase *p = program->phase; p->seconds != 0; p++) {
		most = p->anon_mib > most ? p->anon_mib : most;
	}
	struct work w = {.anon = anon_new(most * MIB_PAGES), .disk = -1};
	w.disk = open(DISK, O_RDONLY);
	if (w.disk < 0) {
		die(DISK);
	}
	uint64_t due = now_ms(), late = 0;
	for (const struct phase *p = program->phase; p->seconds != 0; p++) {
		const uint32_t from = w.anon.pages, steps = p->seconds * STEPS_S * percent / 100u;
		for (uint32_t k = 0; k < steps; k++) {
			step(&w, p, from, k, steps);
			due += STEP_MS;
			const uint64_t now = now_ms();
			late = now > due && now - due > late ? now - due : late;
			sleep_until(due);
		}
	}
	printf("end %s late_ms=%" PRIu64 " touched=%" PRIu64 " read=%" PRIu64 "\n", program->name,
	       late, w.touched, w.read);
}

/* --- the kernel's counters --- */

/* Reads a file of the kernel whole. */
static void slurp(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY);
	if (fd < 0) {
		die(path);
	}
	size_t used = 0;
	ssize_t got;
	while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	close(fd);
}

/* Finds "NAME number" at the start of a line. */
static uint64_t value_of(const char *text, const char *name)
{
	const size_t length = strlen(name);
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 &&
		    (line[length] == ' ' || line[length] == ':')) {
			return strtoull(line + length + 1, NULL, 10);
		}
	}
	printf("error the kernel does not say %s\n", name);
	fflush(stdout);
	exit(1);
}

static void watch(void)
{
	static char vmstat[64 * 1024], meminfo[16 * 1024];
	/* What reports must not wait for what it reports about. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
		die("mlockall");
	}
	for (uint64_t due = now_ms();; due += 1000u) {
		sleep_until(due);
		slurp("/proc/vmstat", vmstat, sizeof(vmstat));
		slurp("/proc/meminfo", meminfo, sizeof(meminfo));
		printf("stat out=%" PRIu64 " in=%" PRIu64 " refault=%" PRIu64 " total=%" PRIu64
		       " free=%" PRIu64 " anon=%" PRIu64 " file=%" PRIu64 " oom=%" PRIu64 "\n",
		       value_of(vmstat, "pswpout"), value_of(vmstat, "pswpin"),
		       value_of(vmstat, "workingset_refault_anon") +
			       value_of(vmstat, "workingset_refault_file"),
		       value_of(meminfo, "MemTotal") / 4u, value_of(meminfo, "MemFree") / 4u,
		       value_of(meminfo, "AnonPages") / 4u,
		       (value_of(meminfo, "Active(file)") + value_of(meminfo, "Inactive(file)")) /
			       4u,
		       value_of(vmstat, "oom_kill"));
		fflush(stdout);
	}
}

/* --- memory held until the program is killed --- */

static void hold(uint32_t mib, uint32_t step_pages)
{
	struct anon a = anon_new(mib * MIB_PAGES);
	for (uint64_t due = now_ms() + STEP_MS;; due += STEP_MS) {
		if (a.pages < a.room) {
			anon_grow(&a, a.pages + step_pages);
			if (a.pages == a.room) {
				printf("has %" PRIu32 "\n", mib);
				fflush(stdout);
			}
		}
		anon_touch(&a, MIB_PAGES / 2u);
		sleep_until(due);
	}
}

/* Afterwards it does nothing and no page of it can go, so that it never asks the kernel for one. */
static void pin(uint32_t mib)
{
	struct anon a = anon_new(mib * MIB_PAGES);
	for (uint64_t due = now_ms() + STEP_MS; a.pages < a.room; due += STEP_MS) {
		if (mlock(page_of(&a, a.pages), MIB_PAGES * PAGE) != 0) {
			die("mlock");
		}
		anon_grow(&a, a.pages + MIB_PAGES);
		sleep_until(due);
	}
	if (mlockall(MCL_CURRENT) != 0) {
		die("mlockall");
	}
	printf("pinned %" PRIu32 "\n", mib);
	fflush(stdout);
	for (;;) {
		pause();
	}
}

/* Returns a whole number within limits; ends the program otherwise. */
static uint32_t number(const char *text, uint32_t most)
{
	char *end;
	errno = 0;
	const unsigned long value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || *text == '\0' || *text == '-' || value == 0 ||
	    value > most) {
		fprintf(stderr, "load: '%s' is not a number from 1 to %" PRIu32 "\n", text, most);
		exit(2);
	}
	return (uint32_t)value;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "watch") == 0) {
		watch();
	}
	if (argc == 3 && strcmp(argv[1], "need") == 0) {
		hold(number(argv[2], 4096), MIB_PAGES);
	}
	if (argc == 3 && strcmp(argv[1], "grab") == 0) {
		hold(number(argv[2], 4096), 4096 * MIB_PAGES);
	}
	if (argc == 3 && strcmp(argv[1], "pin") == 0) {
		pin(number(argv[2], 4096));
	}
	for (size_t i = 0; (argc == 2 || argc == 3) && i < sizeof(programs) / sizeof(programs[0]);
	     i++) {
		if (strcmp(argv[1], programs[i].name) == 0) {
			play(&programs[i], argc == 3 ? number(argv[2], 1000) : 100);
			return 0;
		}
	}
	fprintf(stderr,
		"usage: load stream|web|game [PERCENT] | watch | need MIB | grab MIB | pin MIB\n");
	return 2;
}
