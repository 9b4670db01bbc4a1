/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine with a shell on its console: starts QEMU, sends command lines, takes the
 * answers. Whatever does not come within CONSOLE_LIMIT_S fails the test that waits for it.
 */
#ifndef TEST_MODULE_CONSOLE_H
#define TEST_MODULE_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CONSOLE_LIMIT_S 120

struct console {
	pid_t pid;
	int in, out; /* to and from the machine's serial line */
	FILE *log;   /* all that it says */
	char *text;  /* the last answer, ended by 0 */
	size_t length, room;
	bool dead; /* it has not answered: nothing is asked any more */
};

/* Starts `argv` (argv[0] is looked for in PATH) and waits for the guest's shell. Returns whether it
 * is there. */
bool console_start(struct console *c, char *const argv[], const char *log);

/*
 * Runs a command line in the guest. Returns its exit status; its output is in c->text. A guest that
 * does not answer fails the test.
 */
int console_status(struct console *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same; a status other than 0 fails the test. Returns c->text. */
const char *console_run(struct console *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends the guest's shell and waits for QEMU; kills it if it does not end. Returns its status. */
int console_end(struct console *c);

/* Finds the line "NAME<blanks or colon>NUMBER" in text. A missing line fails the test. */
uint64_t console_number(const char *text, const char *name);

/* Host time in ms, for limits. */
uint64_t console_ms(void);

#endif
