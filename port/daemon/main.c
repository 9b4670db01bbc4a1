/* SPDX-License-Identifier: MIT */
/* poised: options, lock, run. Exit: 0 ended by a signal, 1 could not run, 2 bad input. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon.h"

#define EXIT_BAD_INPUT 2

static const char usage[] = "usage: poised --config FILE [--check]\n"
			    "Moves memory between the VMs of this host before any of them swaps.\n"
			    "  --config FILE  what to do; see poised.conf(5)\n"
			    "  --check        reads and checks the file, and does nothing else\n"
			    "  --help, --version\n"
			    "SIGHUP reads the file again. SIGTERM ends; what becomes of the "
			    "guests' sizes is on_exit.\n";

/* One daemon a host, or a lock file. The lock goes with the process, however it ends. */
static int lock(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", path,
			 errno == EWOULDBLOCK ? "another poised is running" : strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static int run(struct config *conf, const char *path)
{
	struct poised *d = calloc(1, sizeof(*d));
	const int held = lock(conf->lock);
	int result = EXIT_FAILURE;

	if (d == NULL || held < 0) {
		free(d);
		conf_free(conf);
		return EXIT_FAILURE;
	}
	if (daemon_open(d, conf, path) == 0 && daemon_run(d) == 0) {
		result = EXIT_SUCCESS;
	}
	daemon_close(d);
	free(d);
	close(held);
	return result;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"check", no_argument, NULL, 'n'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'v'},
						{0}};
	const char *path = NULL;
	bool check = false;
	char error[CONFIG_ERROR_MAX];
	struct config *conf;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("poised " POISE_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_BAD_INPUT; /* getopt_long has said on stderr what is wrong. */
		}
	}
	if (path == NULL || optind != argc) {
		fputs("poised: --config FILE has to be given, and nothing else; see --help\n",
		      stderr);
		return EXIT_BAD_INPUT;
	}
	conf = conf_read(path, error);
	if (conf == NULL) {
		fprintf(stderr, "poised: %s\n", error);
		return EXIT_BAD_INPUT;
	}
	if (check) {
		conf_free(conf);
		return EXIT_SUCCESS;
	}
	log_open(conf->log, getenv("JOURNAL_STREAM") != NULL);
	signal(SIGPIPE, SIG_IGN);
	return run(conf, path);
}
