/* SPDX-License-Identifier: MIT */
/* Reads /proc; see proc.h. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Both files are shorter; what stands behind is not needed. */
#define TEXT_MAX     8192
#define KIB_PER_PAGE 4u

bool proc_field(const char *text, const char *name, uint64_t *pages)
{
	const size_t length = strlen(name);
	const char *at = text;

	while (at != NULL && (strncmp(at, name, length) != 0 || at[length] != ':')) {
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	if (at == NULL) {
		return false;
	}
	at += length + 1u;
	at += strspn(at, " \t");
	if (*at < '0' || *at > '9') {
		return false;
	}
	*pages = strtoull(at, NULL, 10) / KIB_PER_PAGE;
	return true;
}

static bool read_text(const char *path, char text[TEXT_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = 0;
	size_t used = 0;

	if (fd < 0) {
		return false;
	}
	do {
		size = read(fd, text + used, TEXT_MAX - 1u - used);
		used += size > 0 ? (size_t)size : 0;
	} while (size > 0 && used < TEXT_MAX - 1u);
	close(fd);
	text[used] = '\0';
	return size >= 0 && used > 0;
}

bool proc_host(uint64_t *total_pages, uint64_t *available_pages)
{
	char text[TEXT_MAX];

	return read_text("/proc/meminfo", text) && proc_field(text, "MemTotal", total_pages) &&
	       proc_field(text, "MemAvailable", available_pages) && *total_pages != 0 &&
	       *available_pages <= *total_pages;
}

bool proc_resident(pid_t pid, uint64_t *pages)
{
	char path[64];
	char text[TEXT_MAX];
	uint64_t anon = 0;
	uint64_t shared = 0;
	uint64_t huge = 0;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if (!read_text(path, text) || !proc_field(text, "RssAnon", &anon) ||
	    !proc_field(text, "RssShmem", &shared)) {
		return false;
	}
	/* Guests' memory may be of huge pages, which count in neither. */
	if (!proc_field(text, "HugetlbPages", &huge)) {
		huge = 0;
	}
	*pages = anon + shared + huge;
	return true;
}

/* The time is the 20th word behind the name, which may have anything in it but ends with the last
 * bracket. */
#define WORDS_BEFORE_START 19

bool proc_started(pid_t pid, uint64_t *ticks)
{
	char path[64];
	char text[TEXT_MAX];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	at = read_text(path, text) ? strrchr(text, ')') : NULL;
	at = at == NULL ? NULL : at + 1;
	for (unsigned i = 0; at != NULL && i < WORDS_BEFORE_START; i++) {
		at = strchr(at + 1, ' ');
	}
	if (at == NULL || at[1] < '0' || at[1] > '9') {
		return false;
	}
	*ticks = strtoull(at + 1, NULL, 10);
	return true;
}

pid_t proc_pid_file(const char *path)
{
	char text[32];
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1u);
	long pid;

	if (fd >= 0) {
		close(fd);
	}
	if (size <= 0) {
		return 0;
	}
	text[size] = '\0';
	pid = strtol(text, NULL, 10);
	return pid > 0 && pid < INT32_MAX ? (pid_t)pid : 0;
}

bool proc_lives(pid_t pid)
{
	struct pollfd ended = {.events = POLLIN};
	bool lives;

	if (pid <= 0) {
		return false;
	}
	ended.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ended.fd < 0) {
		return errno != ESRCH;
	}
	lives = poll(&ended, 1, 0) == 0;
	close(ended.fd);
	return lives;
}
