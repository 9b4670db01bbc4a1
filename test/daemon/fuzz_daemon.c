/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: everything of poised's that reads what others write, in the real daemon with
 * the real KVM backend. The first byte chooses:
 *
 *	'c'	a configuration file
 *	'k'	lines of a control client
 *	'q'	what a QEMU says after its greeting and the negotiation; in it "@1".."@8" is
 *		the number of the request of that kind that is waiting (enum kvm_request)
 *
 * Afterwards every invariant of the core has to hold, and no VM may be charged more than the
 * largest.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "daemon.h"
#include "interval.h"
#include "vm.h"

#define TEXT_MAX 8192

static struct poised poised;
static char folder[] = "/tmp/poise-fuzz-XXXXXX";
static int listener;
static struct kvm_vm *vm;

static void must(int right, const char *what)
{
	if (!right) {
		fprintf(stderr, "fuzz: %s\n", what);
		abort();
	}
}

static void clean_up(void)
{
	char path[64];

	daemon_close(&poised);
	snprintf(path, sizeof(path), "%s/qmp", folder);
	unlink(path);
	rmdir(folder);
}

static void start(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[1024];
	char error[CONFIG_ERROR_MAX];
	struct config *conf;

	signal(SIGPIPE, SIG_IGN); /* As main does. */
	must(mkdtemp(folder) != NULL, "no folder");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp", folder);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		     listen(listener, 4) == 0,
	     "no listener");
	snprintf(text, sizeof(text),
		 "backend = \"kvm\"; pool = 512; host_reserve = 0; log = \"error\";\n"
		 "control = { socket = \"%s/control\"; };\n"
		 "vms = ( { name = \"a\"; min = 8; boot = 64; max = 256; qmp = \"%s/qmp\"; } );\n",
		 folder, folder);
	conf = conf_read_text("fuzz", text, error);
	must(conf != NULL, "no configuration");
	log_open(LOG_LEVEL_ERROR, 0);
	must(daemon_open(&poised, conf, "fuzz") == 0, "no daemon");
	vm = ((struct kvm *)poised.ctx)->vm[0];
	atexit(clean_up);
}

static void turn(void)
{
	for (int i = 0; i < 8; i++) {
		event_base_loop(poised.base, EVLOOP_NONBLOCK);
	}
}

static void say(int fd, const char *text, size_t size)
{
	/* What does not fit is not said: nobody waits here. */
	if (send(fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
		turn();
	}
}

/* Puts in the numbers of waiting requests, line by line, as an answer makes the next question. */
static void play(int fd, const char *data, size_t size)
{
	char line[TEXT_MAX];
	size_t used = 0;

	for (size_t i = 0; i < size && used < sizeof(line) - 32; i++) {
		if (data[i] == '@' && i + 1 < size && data[i + 1] >= '1' && data[i + 1] <= '8') {
			const unsigned kind = (unsigned)(data[++i] - '0');

			used += (size_t)snprintf(line + used, sizeof(line) - used, "%llu",
						 (unsigned long long)vm->link.pending[kind]);
		} else {
			line[used++] = data[i];
		}
		if (data[i] == '\n') {
			say(fd, line, used);
			used = 0;
		}
	}
	say(fd, line, used);
}

static void fuzz_qmp(const char *data, size_t size)
{
	char reply[64];
	int fd;

	link_close(&vm->link);
	vm->retry_ms = 0;
	kvm_vm_check(vm, true);
	fd = accept(listener, NULL, NULL);
	if (fd < 0) {
		return;
	}
	say(fd, "{\"QMP\": {}}\n", 12);
	snprintf(reply, sizeof(reply), "{\"return\": {}, \"id\": %llu}\n",
		 (unsigned long long)vm->link.pending[0]);
	say(fd, reply, strlen(reply));
	play(fd, data, size);
	interval_run(&poised);
	close(fd);
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];
	char error[CONFIG_ERROR_MAX] = "";

	if (vm == NULL) {
		start();
	}
	if (size < 1 || size > TEXT_MAX) {
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'c') {
		struct config *conf = conf_read_text("fuzz", text, error);

		must(conf != NULL || strncmp(error, "fuzz:", 5) == 0, "no reason was given");
		conf_free(conf);
	} else if (data[0] == 'k') {
		json_t *answer = control_answer(&poised, text, size - 1, NULL);

		must(json_is_boolean(json_object_get(answer, "ok")), "no answer");
		json_decref(answer);
	} else if (data[0] == 'q') {
		fuzz_qmp(text, size - 1);
	}
	must(poise_check(&poised.core) == 0, "an invariant does not hold");
	must(poised.core.vm[0].actual_pages <= POISE_PAGES_MAX, "more than there can be");
	return 0;
}
