/* SPDX-License-Identifier: MIT */
/* The file with a VM's shared pages; see pagefile.h. */
#include "pagefile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two mappings a VM: one to read the guest page, one to write the host page. */
#define GUARDS_MAX 128

/* What the handler looks at. Written only while the mapping is not in use. */
static struct guard {
	volatile uintptr_t start;
	volatile size_t size; /* 0: free */
	volatile sig_atomic_t hit;
} guards[GUARDS_MAX];

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	const uintptr_t at = (uintptr_t)info->si_addr;

	(void)context;
	for (size_t i = 0; i < GUARDS_MAX; i++) {
		struct guard *g = &guards[i];

		if (g->size != 0 && at >= g->start && at - g->start < g->size &&
		    mmap((void *)g->start, g->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
			g->hit = 1;
			return;
		}
	}
	/* Not ours: the access is made again, and ends the process. */
	signal(number, SIG_DFL);
}

int pagefile_guard(void)
{
	struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	return sigaction(SIGBUS, &action, NULL);
}

static void *map(int fd, int protection, size_t size)
{
	struct guard *g = guards;
	void *at;

	while (g < guards + GUARDS_MAX && g->size != 0) {
		g++;
	}
	if (g == guards + GUARDS_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	at = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		return NULL;
	}
	g->hit = 0;
	g->start = (uintptr_t)at;
	g->size = size;
	return at;
}

static struct guard *guard_of(const void *at)
{
	for (size_t i = 0; at != NULL && i < GUARDS_MAX; i++) {
		if (guards[i].size != 0 && guards[i].start == (uintptr_t)at) {
			return &guards[i];
		}
	}
	return NULL;
}

static void unmap(const void *at)
{
	struct guard *g = guard_of(at);

	if (g != NULL) {
		const size_t size = g->size;

		g->size = 0;
		munmap((void *)g->start, size);
	}
}

void pagefile_init(struct pagefile *file, const char *path)
{
	*file = (struct pagefile){.path = path, .fd = -1};
}

static void let_go(struct pagefile *file)
{
	unmap(file->guest);
	unmap(file->host == NULL ? NULL : (const char *)file->host - POISE_ABI_PAGE_BYTES);
	file->guest = NULL;
	file->host = NULL;
	if (file->fd >= 0) {
		close(file->fd); /* The lock goes with it. */
	}
	file->fd = -1;
}

void pagefile_close(struct pagefile *file)
{
	let_go(file);
	file->why[0] = '\0';
}

static bool fail(struct pagefile *file, const char *why)
{
	snprintf(file->why, sizeof(file->why), "page file: %s", why);
	let_go(file);
	return false;
}

static bool open_file(struct pagefile *file)
{
	/* Not blocking: it may be a pipe by mistake. */
	const int fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *host;

	if (fd < 0) {
		if (errno == ENOENT) {
			file->why[0] = '\0'; /* The VM has not been started yet. */
			return false;
		}
		return fail(file, strerror(errno));
	}
	file->fd = fd;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		return fail(file, "not a regular file");
	}
	if (st.st_size < (off_t)PAGEFILE_BYTES) {
		return fail(file, "shorter than 8192 bytes");
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		return fail(file, "another poised uses it");
	}
	file->guest = map(fd, PROT_READ, PAGEFILE_BYTES);
	host = map(fd, PROT_READ | PROT_WRITE, PAGEFILE_BYTES);
	if (file->guest == NULL || host == NULL) {
		unmap(host);
		return fail(file, "cannot be mapped");
	}
	file->host = (struct poise_host_page *)(void *)(host + POISE_ABI_PAGE_BYTES);
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->why[0] = '\0';
	return true;
}

static bool still_right(struct pagefile *file)
{
	const struct guard *guest = guard_of(file->guest);
	const struct guard *host = guard_of((const char *)file->host - POISE_ABI_PAGE_BYTES);
	struct stat st;

	if (guest == NULL || host == NULL || guest->hit != 0 || host->hit != 0 ||
	    fstat(file->fd, &st) != 0 || st.st_size < (off_t)PAGEFILE_BYTES) {
		return fail(file, "cut off while in use");
	}
	if (stat(file->path, &st) != 0 || st.st_dev != file->device || st.st_ino != file->inode) {
		pagefile_close(file); /* Another one, or none: looked at the next time. */
		return false;
	}
	return true;
}

bool pagefile_check(struct pagefile *file)
{
	if (file->path[0] == '\0') {
		return false;
	}
	return file->fd >= 0 ? still_right(file) : open_file(file);
}
