/* SPDX-License-Identifier: MIT */
/* The reader of page lists. */
#include "pages.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A page number above this would make tables that no machine has. */
#define PAGE_NUMBER_MAX 9999999u

struct reader {
	FILE *in;
	const char *path;
	char *error;
	unsigned long line;
	uint32_t left; /* accesses that may still come */
};

static bool fail(struct reader *r, const char *reason)
{
	if (r->line == 0) {
		snprintf(r->error, SIM_PAGES_ERROR_MAX, "%s: %s", r->path, reason);
	} else {
		snprintf(r->error, SIM_PAGES_ERROR_MAX, "%s:%lu: %s", r->path, r->line, reason);
	}
	return false;
}

/* Skips white space and counts lines. Returns the character after it, or EOF. */
static int skip_space(struct reader *r)
{
	int c = getc(r->in);

	while (c != EOF && isspace(c)) {
		r->line += c == '\n';
		c = getc(r->in);
	}
	return c;
}

static bool read_number(struct reader *r, uint32_t most, const char *what, uint32_t *number)
{
	char reason[128];
	uint64_t value = 0;
	int c = skip_space(r);

	if (c == EOF) {
		snprintf(reason, sizeof(reason), "the file ends before %s", what);
		return fail(r, reason);
	}
	if (c == '-') {
		snprintf(reason, sizeof(reason), "negative number for %s", what);
		return fail(r, reason);
	}
	for (; c != EOF && !isspace(c); c = getc(r->in)) {
		if (!isdigit(c)) {
			snprintf(reason, sizeof(reason), "not a number for %s", what);
			return fail(r, reason);
		}
		value = value * 10u + (uint64_t)(c - '0');
		if (value > most) {
			snprintf(reason, sizeof(reason), "more than %u for %s", most, what);
			return fail(r, reason);
		}
	}
	if (c != EOF) {
		ungetc(c, r->in);
	}
	*number = (uint32_t)value;
	return true;
}

static bool read_vm(struct reader *r, struct sim_pages_vm *vm)
{
	uint32_t room = 0;
	uint32_t count;

	if (!read_number(r, r->left, "a VM's number of accesses", &count)) {
		return false;
	}
	r->left -= count;
	while (vm->count < count) {
		uint32_t page;

		if (!read_number(r, PAGE_NUMBER_MAX, "a page", &page)) {
			return false;
		}
		/* Room grows with what is really there, not with what the file promises. */
		if (vm->count == room) {
			uint32_t *more;

			room = room * 2u + 64u;
			more = realloc(vm->access, room * sizeof(*more));
			if (more == NULL) {
				return fail(r, "no memory for so many accesses");
			}
			vm->access = more;
		}
		vm->access[vm->count++] = page;
		vm->pages = page + 1u > vm->pages ? page + 1u : vm->pages;
	}
	return true;
}

static bool read_all(struct reader *r, struct sim_pages *pages)
{
	uint32_t vms;

	r->line = 1;
	if (!read_number(r, SIM_PAGES_VM_MAX, "the number of VMs", &vms)) {
		return false;
	}
	if (vms == 0) {
		return fail(r, "no VMs");
	}
	pages->vm = calloc(vms, sizeof(*pages->vm));
	if (pages->vm == NULL) {
		return fail(r, "no memory");
	}
	pages->vms = vms;
	for (uint32_t i = 0; i < vms; i++) {
		if (!read_vm(r, &pages->vm[i])) {
			return false;
		}
	}
	return skip_space(r) == EOF ||
	       fail(r, "more numbers than the VMs' numbers of accesses say");
}

bool sim_pages_read(struct sim_pages *pages, const char *path, char error[SIM_PAGES_ERROR_MAX])
{
	struct reader r = {.path = path, .error = error, .left = SIM_PAGES_MAX};
	bool ok;

	*pages = (struct sim_pages){0};
	r.in = fopen(path, "r");
	if (r.in == NULL) {
		return fail(&r, strerror(errno));
	}
	ok = read_all(&r, pages);
	if (ok && ferror(r.in)) {
		ok = fail(&r, strerror(EIO));
	}
	fclose(r.in);
	if (!ok) {
		sim_pages_free(pages);
	}
	return ok;
}

void sim_pages_free(struct sim_pages *pages)
{
	for (uint32_t i = 0; i < pages->vms; i++) {
		free(pages->vm[i].access);
	}
	free(pages->vm);
	*pages = (struct sim_pages){0};
}
