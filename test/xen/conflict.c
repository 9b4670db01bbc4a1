/* SPDX-License-Identifier: MIT */
/*
 * Put before libxenstore (LD_PRELOAD): somebody else who always writes to a node that a transaction
 * has read, just before it is committed. So the real xenstored answers EAGAIN, as often as the
 * number in file CONFLICTS says: it is counted down. One line for each answer goes to file ANSWERS.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define CONFLICTS "/tmp/conflicts"
#define ANSWERS   "/tmp/conflict-answers"

typedef void *read_fn(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *length);
typedef bool end_fn(struct xs_handle *h, xs_transaction_t t, bool drop);

static char last[128]; /* read in this transaction; they are made by one thread */

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *length)
{
	read_fn *real = (read_fn *)dlsym(RTLD_NEXT, "xs_read");
	void *value = real(h, t, path, length);
	if (value != NULL && t != XBT_NULL) {
		snprintf(last, sizeof(last), "%s", path);
	}
	return value;
}

/* Takes one off the number of conflicts that are left. */
static bool is_due(void)
{
	unsigned left = 0;
	FILE *f = fopen(CONFLICTS, "r+");
	if (f == NULL) {
		return false;
	}
	if (fscanf(f, "%u", &left) == 1 && left > 0) {
		rewind(f);
		fprintf(f, "%u\n", left - 1);
	}
	fclose(f);
	return left > 0;
}

/* Writes what is there already: only that it has been written to is new. */
static void write_again(const char *path)
{
	static struct xs_handle *other;
	unsigned length = 0;
	read_fn *real = (read_fn *)dlsym(RTLD_NEXT, "xs_read");
	other = other != NULL ? other : xs_open(0);
	void *value = other != NULL ? real(other, XBT_NULL, path, &length) : NULL;
	if (value == NULL || !xs_write(other, XBT_NULL, path, value, length)) {
		perror("conflict");
		abort();
	}
	free(value);
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool drop)
{
	end_fn *real = (end_fn *)dlsym(RTLD_NEXT, "xs_transaction_end");
	if (!drop && last[0] != '\0' && is_due()) {
		write_again(last);
	}
	last[0] = '\0';
	const bool done = real(h, t, drop);
	const int error = errno;
	FILE *f = done || error != EAGAIN ? NULL : fopen(ANSWERS, "a");
	if (f != NULL) {
		fprintf(f, "EAGAIN\n");
		fclose(f);
	}
	errno = error;
	return done;
}
