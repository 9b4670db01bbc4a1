/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

uint64_t console_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Reads until the answer ends in a line "@@...". Returns what follows "@@", or NULL. */
static const char *answer(struct console *c)
{
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	c->length = 0;
	for (;;) {
		struct pollfd in = {.fd = c->out, .events = POLLIN};
		const uint64_t now = console_ms();
		if (now >= limit || poll(&in, 1, (int)(limit - now)) <= 0) {
			return NULL;
		}
		if (c->length + 2 >= c->room) {
			c->room = c->room * 2 + 4096;
			c->text = realloc(c->text, c->room);
			if (c->text == NULL) {
				return NULL;
			}
		}
		const ssize_t got = read(c->out, c->text + c->length, c->room - c->length - 1);
		if (got <= 0) {
			return NULL;
		}
		fwrite(c->text + c->length, 1, (size_t)got, c->log);
		fflush(c->log);
		c->length += (size_t)got;
		c->text[c->length] = 0;
		char *mark = strstr(c->text, "@@");
		if (mark != NULL && strchr(mark, '\n') != NULL) {
			*mark = 0;
			return mark + 2;
		}
	}
}

bool console_start(struct console *c, char *const argv[], const char *log)
{
	int to[2];
	int from[2];
	*c = (struct console){.log = fopen(log, "w")};
	if (c->log == NULL || pipe(to) != 0 || pipe(from) != 0) {
		perror(log);
		return false;
	}
	signal(SIGPIPE, SIG_IGN);
	c->pid = fork();
	if (c->pid == 0) {
		/* Whatever ends the test ends the emulator too. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(to[0], 0);
		dup2(from[1], 1);
		dup2(fileno(c->log), 2);
		close(to[1]);
		close(from[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	c->in = to[1];
	c->out = from[0];
	return c->pid > 0 && answer(c) != NULL;
}

static int run(struct console *c, const char *format, va_list arguments)
{
	char line[1024];
	const int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	assert_in_range(length, 1, sizeof(line) - 2);
	fprintf(c->log, "[%llu ms] # %s\n", (unsigned long long)console_ms(), line);
	line[length] = '\n';
	if (c->dead || write(c->in, line, (size_t)length + 1) != length + 1) {
		fail_msg("the guest is gone before: %.*s", length, line);
	}
	const char *status = answer(c);
	if (status == NULL) {
		c->dead = true;
		fail_msg("no answer from the guest to: %.*s", length, line);
		return -1;
	}
	return atoi(status);
}

int console_status(struct console *c, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	const int status = run(c, format, arguments);
	va_end(arguments);
	return status;
}

const char *console_run(struct console *c, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	const int status = run(c, format, arguments);
	va_end(arguments);
	if (status != 0) {
		fail_msg("status %d from the guest's: %s; it said: %s", status, format, c->text);
	}
	return c->text;
}

int console_end(struct console *c)
{
	static const char end[] = "@@end\n";
	int status = -1;
	bool ended = !c->dead && write(c->in, end, sizeof(end) - 1) == sizeof(end) - 1;
	const uint64_t limit = console_ms() + CONSOLE_LIMIT_S * 1000u;
	/* Its last words; the end of file is QEMU's end. */
	while (ended) {
		char text[512];
		struct pollfd in = {.fd = c->out, .events = POLLIN};
		const uint64_t now = console_ms();
		if (now >= limit || poll(&in, 1, (int)(limit - now)) <= 0) {
			ended = false;
			break;
		}
		const ssize_t got = read(c->out, text, sizeof(text));
		if (got <= 0) {
			break;
		}
		fwrite(text, 1, (size_t)got, c->log);
	}
	if (!ended) {
		kill(c->pid, SIGKILL);
	}
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) {}
	close(c->in);
	close(c->out);
	fclose(c->log);
	free(c->text);
	return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

uint64_t console_number(const char *text, const char *name)
{
	const size_t length = strlen(name);
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && strchr(": \t", line[length]) != NULL) {
			return strtoull(line + length + strspn(line + length, ": \t"), NULL, 10);
		}
	}
	fail_msg("no line %s in: %s", name, text);
	return 0;
}
