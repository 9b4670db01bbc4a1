/* SPDX-License-Identifier: MIT */
/* poisectl: asks poised, over its control socket. Exit: 0 done, 1 refused or not there, 2 bad use.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "poise.h"
#include "top.h"

#define EXIT_BAD_USE 2
#define SOCKET       "/run/poise/control.sock"
#define TOP_MS       1000u

static const char usage[] =
	"usage: poisectl [--socket PATH] COMMAND\n"
	"  top [--count N]     the VMs, live; with --count so many times\n"
	"  status [--json]     the VMs, once\n"
	"  why VM              what was decided for a VM lately, and by which rule\n"
	"  set VM KEY=VALUE    min, boot, max (sizes: 64M), weight, basis, static; until the next\n"
	"                      reload of poised\n"
	"  freeze VM, thaw VM  nothing is decided for it; something is again\n"
	"  record FILE         writes a recording until interrupted; for poise-sim replay\n"
	"  metrics             for Prometheus\n"
	"  --help, --version\n"
	"The socket is " SOCKET " unless said otherwise.\n";

struct options {
	const char *socket;
	bool json;
	unsigned count;
};

static int bad_use(const char *what, const char *about)
{
	fprintf(stderr, "poisectl: %s%s%s; see --help\n", about, *about != '\0' ? ": " : "", what);
	return EXIT_BAD_USE;
}

static int ask_and_drop(FILE *stream, json_t *request)
{
	json_t *answer = ctl_ask(stream, request);
	const int result = answer != NULL ? EXIT_SUCCESS : EXIT_FAILURE;

	json_decref(answer);
	return result;
}

static int do_top(FILE *stream, const struct options *options, char **arguments)
{
	(void)arguments;
	return top_run(stream, options->count, TOP_MS);
}

static int do_status(FILE *stream, const struct options *options, char **arguments)
{
	json_t *answer = ctl_ask(stream, json_pack("{s:s}", "do", "status"));

	(void)arguments;
	if (answer == NULL) {
		return EXIT_FAILURE;
	}
	if (options->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		top_table(answer);
	}
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int do_metrics(FILE *stream, const struct options *options, char **arguments)
{
	json_t *answer = ctl_ask(stream, json_pack("{s:s}", "do", "metrics"));

	(void)options;
	(void)arguments;
	if (answer == NULL) {
		return EXIT_FAILURE;
	}
	fputs(ctl_text(answer, "text"), stdout);
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int do_why(FILE *stream, const struct options *options, char **arguments)
{
	json_t *answer = ctl_ask(stream, json_pack("{s:s, s:s}", "do", "why", "vm", arguments[0]));
	size_t i;
	json_t *line;

	(void)options;
	if (answer == NULL) {
		return EXIT_FAILURE;
	}
	json_array_foreach(json_object_get(answer, "lines"), i, line)
	{
		puts(json_string_value(line));
	}
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int do_set(FILE *stream, const struct options *options, char **arguments)
{
	char *equals = strchr(arguments[1], '=');

	(void)options;
	if (equals == NULL) {
		return bad_use("set needs KEY=VALUE", "");
	}
	*equals = '\0';
	return ask_and_drop(stream,
			    json_pack("{s:s, s:s, s:s, s:s}", "do", "set", "vm", arguments[0],
				      "key", arguments[1], "value", equals + 1));
}

static int do_freeze(FILE *stream, const struct options *options, char **arguments)
{
	(void)options;
	return ask_and_drop(stream, json_pack("{s:s, s:s}", "do", "freeze", "vm", arguments[0]));
}

static int do_thaw(FILE *stream, const struct options *options, char **arguments)
{
	(void)options;
	return ask_and_drop(stream, json_pack("{s:s, s:s}", "do", "thaw", "vm", arguments[0]));
}

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Lines go to the file as they come; what has been written ends with a whole line. */
static int do_record(FILE *stream, const struct options *options, char **arguments)
{
	const struct sigaction action = {.sa_handler = interrupt};
	FILE *out;
	char *line;
	int result = EXIT_SUCCESS;

	(void)options;
	out = fopen(arguments[0], "we");
	if (out == NULL) {
		fprintf(stderr, "poisectl: %s: %s\n", arguments[0], strerror(errno));
		return EXIT_FAILURE;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (ask_and_drop(stream, json_pack("{s:s}", "do", "record")) != EXIT_SUCCESS) {
		fclose(out);
		return EXIT_FAILURE;
	}
	while (interrupted == 0 && result == EXIT_SUCCESS) {
		line = ctl_line(stream);
		if (line == NULL) {
			break;
		}
		if (strchr(line, '\n') != NULL && (fputs(line, out) == EOF || fflush(out) != 0)) {
			fprintf(stderr, "poisectl: %s: %s\n", arguments[0], strerror(errno));
			result = EXIT_FAILURE;
		}
		free(line);
	}
	if (interrupted == 0 && result == EXIT_SUCCESS) {
		fputs("poisectl: poised has ended the recording\n", stderr);
		result = EXIT_FAILURE;
	}
	return fclose(out) == 0 ? result : EXIT_FAILURE;
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(FILE *stream, const struct options *options, char **arguments);
} commands[] = {
	{"top", 0, do_top},       {"status", 0, do_status},   {"why", 1, do_why},
	{"set", 2, do_set},       {"freeze", 1, do_freeze},   {"thaw", 1, do_thaw},
	{"record", 1, do_record}, {"metrics", 0, do_metrics},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int run(const struct options *options, int count, char **words)
{
	FILE *stream;
	size_t i = 0;
	int result;

	while (i < COMMANDS && (count == 0 || strcmp(commands[i].name, words[0]) != 0)) {
		i++;
	}
	if (i == COMMANDS) {
		return bad_use(count == 0 ? "which command?" : "no such command",
			       count == 0 ? "" : words[0]);
	}
	if (count - 1 != commands[i].arguments) {
		return bad_use("wrong number of arguments", words[0]);
	}
	stream = ctl_connect(options->socket);
	if (stream == NULL) {
		return EXIT_FAILURE;
	}
	result = commands[i].run(stream, options, words + 1);
	fclose(stream);
	return result;
}

static bool read_count(const char *text, unsigned *count)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	*count = (unsigned)value;
	return end != text && *end == '\0' && text[0] != '-' && value >= 1 && value <= 1000000;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"count", required_argument, NULL, 'n'},  {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},      {0}};
	struct options options = {.socket = SOCKET};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 's':
			options.socket = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'n':
			if (!read_count(optarg, &options.count)) {
				return bad_use("no number in 1..1000000", optarg);
			}
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("poisectl " POISE_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_BAD_USE; /* getopt_long has said on stderr what is wrong. */
		}
	}
	signal(SIGPIPE, SIG_IGN);
	return run(&options, argc - optind, argv + optind);
}
