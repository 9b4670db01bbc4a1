/* SPDX-License-Identifier: MIT */
/* A recording, line by line; see reader.h. */
#include "reader.h"

#include <errno.h>
#include <string.h>

#define FORMAT_1 RECORD_HEAD "1"
#define FORMAT_2 RECORD_HEAD "2 core="

static int wrong(struct record_reader *r, const char *reason)
{
	r->reason = reason;
	r->line[0] = '\0';
	return -1;
}

/* Reads a line into r->line, without its newline. Stops at the first byte that is one too many. */
static int read_line(struct record_reader *r)
{
	size_t size = 0;
	int c;

	r->number++;
	while ((c = getc(r->in)) != EOF && c != '\n') {
		if (c == '\0') {
			return wrong(r, "a zero byte");
		}
		if (size == sizeof(r->line) - 2) {
			return wrong(r, "line too long");
		}
		r->line[size++] = (char)c;
	}
	r->line[size] = '\0';
	if (c == EOF) {
		if (ferror(r->in) != 0) {
			return wrong(r, strerror(errno));
		}
		return size == 0 ? 0 : wrong(r, "the last line has no end: it was cut off");
	}
	if (size > 0 && r->line[size - 1] == '\r') {
		return wrong(r, "the line ends in CR LF; a recording's lines end in LF");
	}
	return 1;
}

/* A version is what POISE_VERSION may be: digits, letters, dots, dashes. */
static int is_version(const char *text)
{
	const size_t size = strlen(text);

	return size > 0 && size < RECORD_CORE_MAX &&
	       strspn(text, "0123456789.-+~abcdefghijklmnopqrstuvwxyz") == size;
}

static int read_head(struct record_reader *r)
{
	if (strcmp(r->line, FORMAT_1) == 0) {
		r->format = 1;
		r->core[0] = '\0';
		return 1;
	}
	if (strncmp(r->line, FORMAT_2, sizeof(FORMAT_2) - 1) == 0 &&
	    is_version(r->line + sizeof(FORMAT_2) - 1)) {
		r->format = 2;
		strcpy(r->core, r->line + sizeof(FORMAT_2) - 1);
		return 1;
	}
	return wrong(r, strncmp(r->line, RECORD_HEAD, sizeof(RECORD_HEAD) - 1) == 0
				? "this program reads \"" FORMAT_1 "\" and \"" FORMAT_2 "VERSION\""
				: "does not start with \"" FORMAT_2 "VERSION\"");
}

int record_reader_start(struct record_reader *r, FILE *in)
{
	int got;

	memset(r, 0, sizeof(*r));
	r->in = in;
	got = read_line(r);
	return got < 0 ? got : read_head(r);
}

int record_reader_next(struct record_reader *r)
{
	int got;

	while ((got = read_line(r)) > 0 && (r->line[0] == '#' || r->line[0] == '\0')) {
		if (strncmp(r->line, RECORD_HEAD, sizeof(RECORD_HEAD) - 1) == 0 &&
		    read_head(r) < 0) {
			return -1;
		}
	}
	if (got > 0 && record_parse(r->line, r->format, &r->record) != NULL) {
		return wrong(r, r->record.reason);
	}
	return got;
}
