/* SPDX-License-Identifier: MIT */
/* What the commands of poise-sim share; see cli.h. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "poise.h"

int cli_bad(const char *format, ...)
{
	va_list arguments;

	fputs("poise-sim: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return CLI_BAD;
}

int cli_common(int option, const char *usage)
{
	if (option == CLI_OPTION_HELP) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	if (option == CLI_OPTION_VERSION) {
		puts("poise-sim " POISE_VERSION);
		return CLI_OK;
	}
	/* getopt_long has said on stderr which option is wrong. */
	return CLI_BAD;
}

bool cli_number(const char *option, const char *text, double least, double most, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (end == text || *end != '\0' || errno != 0 || !isfinite(*value) || *value < least ||
	    *value > most) {
		cli_bad("%s: '%s' is no number in %g..%g", option, text, least, most);
		return false;
	}
	return true;
}

bool cli_whole(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *value < least ||
	    *value > most) {
		cli_bad("%s: '%s' is no whole number in %llu..%llu", option, text,
			(unsigned long long)least, (unsigned long long)most);
		return false;
	}
	return true;
}

bool cli_create(struct cli_file *file, const char *name)
{
	if (strlen(name) >= sizeof(file->name)) {
		cli_bad("%.64s...: the name is too long", name);
		return false;
	}
	strcpy(file->name, name);
	snprintf(file->temporary, sizeof(file->temporary), "%s.new", name);
	file->out = fopen(file->temporary, "w");
	if (file->out == NULL) {
		cli_bad("%s: %s", file->temporary, strerror(errno));
	}
	return file->out != NULL;
}

bool cli_close(struct cli_file *file, bool keep)
{
	bool ok;

	if (file->out == NULL) {
		return true;
	}
	ok = fflush(file->out) == 0 && ferror(file->out) == 0;
	ok = fclose(file->out) == 0 && ok;
	file->out = NULL;
	if (keep && ok && rename(file->temporary, file->name) == 0) {
		return true;
	}
	if (keep) {
		cli_bad("%s: %s", file->name, strerror(errno));
	}
	remove(file->temporary);
	return !keep;
}

static double clock_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cli_progress_start(struct cli_progress *p, const char *what)
{
	p->what = what;
	p->start_s = clock_s();
	p->last_s = 0.0;
}

/* Is it time to say something? */
static bool is_due(struct cli_progress *p)
{
	const double now_s = clock_s();

	if (now_s - p->start_s < 2.0 || now_s - p->last_s < 0.5 || !isatty(STDERR_FILENO)) {
		return false;
	}
	p->last_s = now_s;
	return true;
}

void cli_progress_show(void *ctx, uint64_t now_ms, uint64_t end_ms)
{
	struct cli_progress *p = ctx;

	if (is_due(p)) {
		fprintf(stderr, "\r%s: %llu of %llu s simulated ", p->what,
			(unsigned long long)now_ms / 1000u, (unsigned long long)end_ms / 1000u);
	}
}

void cli_progress_runs(void *ctx, uint64_t done, uint64_t all)
{
	struct cli_progress *p = ctx;

	if (is_due(p)) {
		fprintf(stderr, "\r%s: %llu of %llu runs ", p->what, (unsigned long long)done,
			(unsigned long long)all);
	}
}

void cli_progress_stop(struct cli_progress *p)
{
	if (p->last_s > 0.0) {
		fputs("\r\033[K", stderr);
	}
}
