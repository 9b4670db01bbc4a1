/* SPDX-License-Identifier: MIT */
/*
 * What newlib needs from an operating system: the console as files 0 to 2, the host's files through
 * semihosting, a heap of fixed size, time. Calls that make no sense without processes fail with the
 * errno that POSIX has for it.
 */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

#include "semi.h"
#include "timer.h"
#include "uart.h"

#define FIRST_FILE 3
#define FILE_MAX   8

static char heap[256 * 1024] __attribute__((aligned(16)));
static size_t heap_used;

static struct file {
	bool open;
	int handle;
	int64_t offset;
} files[FILE_MAX];

static struct file *file_of(int descriptor)
{
	int index = descriptor - FIRST_FILE;
	if (index < 0 || index >= FILE_MAX || !files[index].open) {
		errno = EBADF;
		return NULL;
	}
	return &files[index];
}

int _open(const char *path, int flags, int mode)
{
	(void)mode;
	for (int i = 0; i < FILE_MAX; i++) {
		if (files[i].open) {
			continue;
		}
		int kind = (flags & O_ACCMODE) == O_RDONLY ? BOARD_SEMI_READ : BOARD_SEMI_WRITE;
		int handle = board_semi_open(path, kind);
		if (handle < 0) {
			errno = ENOENT;
			return -1;
		}
		files[i] = (struct file){.open = true, .handle = handle};
		return FIRST_FILE + i;
	}
	errno = EMFILE;
	return -1;
}

int _close(int descriptor)
{
	struct file *file = file_of(descriptor);
	if (file == NULL) {
		return -1;
	}
	file->open = false;
	if (board_semi_close(file->handle) != 0) {
		errno = EIO;
		return -1;
	}
	return 0;
}

int _write(int descriptor, const void *data, size_t bytes)
{
	if (descriptor == STDOUT_FILENO || descriptor == STDERR_FILENO) {
		board_uart_write(data, bytes);
		return (int)bytes;
	}
	struct file *file = file_of(descriptor);
	if (file == NULL) {
		return -1;
	}
	int64_t left = board_semi_write(file->handle, data, bytes);
	if (left != 0) {
		errno = ENOSPC;
		return -1;
	}
	file->offset += (int64_t)bytes;
	return (int)bytes;
}

int _read(int descriptor, void *data, size_t bytes)
{
	/* Nobody types at the board: the console is at its end. */
	if (descriptor == STDIN_FILENO) {
		return 0;
	}
	struct file *file = file_of(descriptor);
	if (file == NULL) {
		return -1;
	}
	int64_t left = board_semi_read(file->handle, data, bytes);
	if (left < 0 || (uint64_t)left > bytes) {
		errno = EIO;
		return -1;
	}
	int64_t taken = (int64_t)bytes - left;
	file->offset += taken;
	return (int)taken;
}

off_t _lseek(int descriptor, off_t offset, int whence)
{
	if (descriptor < FIRST_FILE) {
		errno = ESPIPE;
		return -1;
	}
	struct file *file = file_of(descriptor);
	if (file == NULL) {
		return -1;
	}
	int64_t base = whence == SEEK_SET   ? 0
		       : whence == SEEK_CUR ? file->offset
					    : board_semi_length(file->handle);
	int64_t to = base + offset;
	if (base < 0 || to < 0 || board_semi_seek(file->handle, (uint64_t)to) != 0) {
		errno = EINVAL;
		return -1;
	}
	file->offset = to;
	return (off_t)to;
}

int _fstat(int descriptor, struct stat *status)
{
	memset(status, 0, sizeof(*status));
	if (descriptor >= 0 && descriptor < FIRST_FILE) {
		status->st_mode = S_IFCHR;
		return 0;
	}
	struct file *file = file_of(descriptor);
	if (file == NULL) {
		return -1;
	}
	status->st_mode = S_IFREG;
	status->st_size = (off_t)board_semi_length(file->handle);
	status->st_blksize = 4096;
	return 0;
}

int _stat(const char *path, struct stat *status)
{
	int descriptor = _open(path, O_RDONLY, 0);
	if (descriptor < 0) {
		return -1;
	}
	int result = _fstat(descriptor, status);
	_close(descriptor);
	return result;
}

int _isatty(int descriptor)
{
	if (descriptor >= 0 && descriptor < FIRST_FILE) {
		return 1;
	}
	errno = file_of(descriptor) == NULL ? EBADF : ENOTTY;
	return 0;
}

void *_sbrk(ptrdiff_t increment)
{
	size_t used = heap_used + (size_t)increment;
	if (increment < 0 ? used > heap_used : used < heap_used || used > sizeof(heap)) {
		errno = ENOMEM;
		return (void *)-1;
	}
	char *start = heap + heap_used;
	heap_used = used;
	return start;
}

void _exit(int status)
{
	board_exit(status);
}

int _kill(int process, int signal)
{
	(void)signal;
	/* abort() ends here: there is one process, and it is this one. */
	if (process == _getpid()) {
		board_exit(1);
	}
	errno = ESRCH;
	return -1;
}

int _getpid(void)
{
	return 1;
}

clock_t _times(struct tms *times)
{
	clock_t now = (clock_t)(board_time_ns() / (UINT64_C(1000000000) / CLOCKS_PER_SEC));
	*times = (struct tms){.tms_utime = now};
	return now;
}

int _gettimeofday(struct timeval *time, void *zone)
{
	uint64_t now_us = board_time_ns() / 1000u;
	(void)zone;
	time->tv_sec = (time_t)(now_us / 1000000u);
	time->tv_usec = (suseconds_t)(now_us % 1000000u);
	return 0;
}

int _unlink(const char *path)
{
	(void)path;
	errno = EROFS;
	return -1;
}

int _link(const char *from, const char *to)
{
	(void)from;
	(void)to;
	errno = EROFS;
	return -1;
}

int _fork(void)
{
	errno = EAGAIN;
	return -1;
}

int _execve(const char *path, char *const *arguments, char *const *environment)
{
	(void)path;
	(void)arguments;
	(void)environment;
	errno = ENOEXEC;
	return -1;
}

int _wait(int *status)
{
	(void)status;
	errno = ECHILD;
	return -1;
}
