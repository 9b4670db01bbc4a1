/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: what a UML guest's console says, to the real daemon with the real backend. The
 * first byte chooses how far the console is honest before; of the rest, each line is a datagram in
 * answer to the next request: a byte of flags ('e' an error, 'm' more to come, 'b' as it is, 'n'
 * nothing but a text), then the text.
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

#include "daemon.h"
#include "interval.h"

#include "uml.h"

#define TEXT_MAX 4096

static struct poised poised;
static char folder[] = "/tmp/poise-fuzz-uml-XXXXXX";
static int console;
static struct uml_vm *vm;

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
	snprintf(path, sizeof(path), "%s/mconsole", folder);
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
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/mconsole", folder);
	console = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	must(bind(console, (const struct sockaddr *)&address, sizeof(address)) == 0, "no console");
	snprintf(text, sizeof(text),
		 "backend = \"uml\"; pool = 512; host_reserve = 0; log = \"error\";\n"
		 "control = { socket = \"%s/control\"; };\n"
		 "vms = ( { name = \"a\"; min = 8; boot = 64; max = 256; umid_dir = \"%s\"; } );\n",
		 folder, folder);
	conf = conf_read_text("fuzz", text, error);
	must(conf != NULL, "no configuration");
	log_open(LOG_LEVEL_ERROR, 0);
	must(daemon_open(&poised, conf, "fuzz") == 0, "no daemon");
	vm = ((struct uml *)poised.ctx)->vm[0];
	atexit(clean_up);
}

static void turn(void)
{
	for (int i = 0; i < 4; i++) {
		event_base_loop(poised.base, EVLOOP_NONBLOCK);
	}
}

/* Answers the request that waits, if one does, by `size` bytes of a line. */
static void answer(const char *line, size_t size)
{
	struct mconsole_request request;
	struct mconsole_reply reply = {0};
	struct sockaddr_un from;
	socklen_t length = sizeof(from);
	const char flag = size > 0 ? line[0] : 'n';

	if (recvfrom(console, &request, sizeof(request), 0, (struct sockaddr *)&from, &length) <
	    0) {
		return;
	}
	line += size > 0;
	size -= size > 0;
	if (flag == 'b') {
		sendto(console, line, size, 0, (const struct sockaddr *)&from, length);
	} else {
		size = size < MCONSOLE_DATA_MAX ? size : MCONSOLE_DATA_MAX - 1u;
		reply.error = flag == 'e';
		reply.more = flag == 'm';
		reply.length = (uint32_t)size + 1u;
		memcpy(reply.data, line, size);
		/* Lines cannot be in a line: their ends are written as semicolons. */
		for (char *at = reply.data;
		     (at = memchr(at, ';', sizeof(reply.data) - 1u - (size_t)(at - reply.data))) !=
		     NULL;) {
			*at = '\n';
		}
		sendto(console, &reply, MCONSOLE_HEAD + size + 1u, 0,
		       (const struct sockaddr *)&from, length);
		if (flag == 'm') {
			reply.more = 0;
			sendto(console, &reply, MCONSOLE_HEAD + size + 1u, 0,
			       (const struct sockaddr *)&from, length);
		}
	}
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char zones[] = "npages free 50000;min 400;managed 60000;";
	const char *at = (const char *)data;

	if (vm == NULL) {
		start();
	}
	if (size < 1 || size > TEXT_MAX) {
		return 0;
	}
	channel_close(&vm->channel);
	vm->request = UML_NOTHING;
	vm->retry_ms = 0;
	interval_run(&poised);
	if (data[0] == 'h') {
		answer(zones, sizeof(zones) - 1u);
		answer("n", 1);
		interval_run(&poised);
		if (vm->met) {
			vm->target_pages = 20000;
			vm->epoch = 1;
		}
	}
	at++;
	size--;
	while (size > 0) {
		const char *end = memchr(at, '\n', size);
		const size_t line = end != NULL ? (size_t)(end - at) : size;

		answer(at, line);
		at += line + (end != NULL);
		size -= line + (end != NULL);
	}
	interval_run(&poised);
	/* What was not answered is not answered any more. */
	for (char rest[16]; recv(console, rest, sizeof(rest), 0) >= 0;) {}
	must(poise_check(&poised.core) == 0, "an invariant does not hold");
	must(poised.core.vm[0].actual_pages <= POISE_PAGES_MAX, "more than there can be");
	must(vm->taken_pages <= vm->ram_pages, "more was taken than there is");
	return 0;
}
