/* SPDX-License-Identifier: MIT */
/*
 * newlib's names for the operating system, which it declares nowhere itself for a target without
 * one.
 */
#ifndef BOARD_SYSCALLS_H
#define BOARD_SYSCALLS_H

#include <stddef.h>
#include <sys/types.h>

struct stat;
struct timeval;
struct tms;

int _open(const char *path, int flags, int mode);
int _close(int descriptor);
int _write(int descriptor, const void *data, size_t bytes);
int _read(int descriptor, void *data, size_t bytes);
off_t _lseek(int descriptor, off_t offset, int whence);
int _fstat(int descriptor, struct stat *status);
int _stat(const char *path, struct stat *status);
int _isatty(int descriptor);
void *_sbrk(ptrdiff_t increment);
_Noreturn void _exit(int status);
int _kill(int process, int signal);
int _getpid(void);
clock_t _times(struct tms *times);
int _gettimeofday(struct timeval *time, void *zone);
int _unlink(const char *path);
int _link(const char *from, const char *to);
int _fork(void);
int _execve(const char *path, char *const *arguments, char *const *environment);
int _wait(int *status);

#endif
