/* SPDX-License-Identifier: MIT */
/* The UML backend: its readers, and all of it against a played management console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "log.h"
#include "poise.h"
#include "uml.h"

extern const struct backend uml_backend;

/* --- readers --- */

static void a_request_is_as_the_kernel_reads_it(void **state)
{
	struct mconsole_request r;
	char longest[2 * MCONSOLE_DATA_MAX];

	(void)state;
	assert_int_equal(mconsole_ask(&r, "version"), 12 + 8);
	assert_int_equal(r.magic, 0xcafebabeu);
	assert_int_equal(r.version, 2);
	assert_int_equal(r.length, 7);
	assert_string_equal(r.data, "version");
	memset(longest, 'x', sizeof(longest) - 1u);
	longest[sizeof(longest) - 1u] = '\0';
	assert_int_equal(mconsole_ask(&r, longest), sizeof(r));
	assert_int_equal(r.length, MCONSOLE_DATA_MAX - 1u);
}

static void whole_parts_only(void **state)
{
	static const struct {
		const char *what;
		uint32_t error, more, length;
		size_t size; /* of the datagram */
		const char data[4];
		enum mconsole_part part;
	} rows[] = {
		{"one part", 0, 0, 3, 15, "OK", MCONSOLE_DONE},
		{"an empty text", 0, 0, 1, 13, "", MCONSOLE_DONE},
		{"an error", 1, 0, 4, 16, "bad", MCONSOLE_DONE},
		{"any error", UINT32_MAX, 0, 4, 16, "bad", MCONSOLE_DONE},
		{"more to come", 0, 1, 3, 15, "OK", MCONSOLE_MORE},
		{"a flag that is none", 0, 2, 3, 15, "OK", MCONSOLE_BAD},
		{"nothing", 0, 0, 0, 0, "", MCONSOLE_BAD},
		{"half a head", 0, 0, 3, 6, "OK", MCONSOLE_BAD},
		{"a head alone", 0, 0, 0, 12, "", MCONSOLE_BAD},
		{"longer than it says", 0, 0, 2, 15, "OK", MCONSOLE_BAD},
		{"shorter than it says", 0, 0, 512, 15, "OK", MCONSOLE_BAD},
		{"a length that wraps", 0, 0, UINT32_MAX, 15, "OK", MCONSOLE_BAD},
		{"no end of text", 0, 0, 2, 14, "OK", MCONSOLE_BAD},
		{"an end in the middle", 0, 0, 3, 15, "\0K", MCONSOLE_BAD},
		{"longer than one can be", 0, 0, 513, 525, "OK", MCONSOLE_BAD},
	};
	static struct mconsole_answer answer;
	char bytes[sizeof(struct mconsole_reply) + 1u];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mconsole_reply reply = {rows[i].error, rows[i].more, rows[i].length, ""};

		memcpy(reply.data, rows[i].data, 3);
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, &reply, sizeof(reply));
		mconsole_begin(&answer);
		if (mconsole_take(&answer, bytes, rows[i].size) != rows[i].part) {
			fail_msg("%s", rows[i].what);
		}
		if (rows[i].part != MCONSOLE_BAD) {
			assert_string_equal(answer.text, rows[i].data);
			assert_int_equal(answer.error, rows[i].error != 0);
		}
	}
}

static void answers_have_a_bound(void **state)
{
	static struct mconsole_answer answer;
	struct mconsole_reply reply = {.error = 1, .more = 1, .length = MCONSOLE_DATA_MAX};
	unsigned parts = 0;

	(void)state;
	memset(reply.data, 'x', sizeof(reply.data) - 1u);
	mconsole_begin(&answer);
	while (mconsole_take(&answer, &reply, sizeof(reply)) == MCONSOLE_MORE) {
		reply.error = 0;
		parts++;
	}
	assert_int_equal(parts, (MCONSOLE_TEXT_MAX - 1u) / (MCONSOLE_DATA_MAX - 1u));
	assert_true(answer.error); /* The first part says so. */
	assert_int_equal(strlen(answer.text), answer.used);
	/* Empty ones have an end as well. */
	reply = (struct mconsole_reply){.more = 1, .length = 1};
	mconsole_begin(&answer);
	for (parts = 0; mconsole_take(&answer, &reply, 13) == MCONSOLE_MORE; parts++) {}
	assert_int_equal(parts, MCONSOLE_PARTS_MAX);
}

static void zones_are_added_up_or_refused(void **state)
{
	static const struct {
		const char *text;
		bool right;
		uint64_t free, min, managed;
	} rows[] = {
		{"Node 0, zone Normal\n  pages free     400\n        min      50\n"
		 "        managed  900\n      nr_free_pages 7\n   high:  6\n",
		 true, 400, 50, 900},
		{"\tpages free 1\nmin 2\nmanaged 3\npages free 10\nmin 20\nmanaged 30", true, 11,
		 22, 33},
		{"", false, 0, 0, 0},
		{"pages free 1\nmin 1\n", false, 0, 0, 0},
		{"pages free 1\nmin 1\nmanaged 0\n", false, 0, 0, 0},
		{"pages free 5\nmin 1\nmanaged 4\n", false, 0, 0, 0},
		{"pages free 1\nmin 5\nmanaged 4\n", false, 0, 0, 0},
		{"pages free -1\nmin 1\nmanaged 4\n", false, 0, 0, 0},
		{"pages free 1x\nmin 1\nmanaged 4\n", false, 0, 0, 0},
		{"pages free\nmin 1\nmanaged 4\n", false, 0, 0, 0},
		{"pages free 1\nmin 1\nmanaged 4294967297\n", false, 0, 0, 0},
		{"pages free 1\nmin 1\nmanaged 99999999999999999999999\n", false, 0, 0, 0},
		{"pages free 1\nmin 1\nmanaged 4294967296\nmanaged 4294967296\n", false, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mconsole_zones z = {7, 7, 7};

		assert_int_equal(mconsole_read_zones(rows[i].text, &z), rows[i].right);
		assert_int_equal(z.free, rows[i].right ? rows[i].free : 7);
		assert_int_equal(z.min, rows[i].right ? rows[i].min : 7);
		assert_int_equal(z.managed, rows[i].right ? rows[i].managed : 7);
	}
}

static void switches_are_a_number(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(mconsole_read_switches("cpu 1 2\nintr 5 6\nctxt 1234\nbtime 1\n", &n));
	assert_int_equal(n, 1234);
	assert_false(mconsole_read_switches("ctxt many\n", &n));
	assert_false(mconsole_read_switches("xctxt 1\n", &n));
	assert_false(mconsole_read_switches("", &n));
	assert_int_equal(n, 1234);
}

/* --- a played guest --- */

enum manner {
	HONEST,
	SILENT,
	SHORT,   /* answers by half a head */
	ENDLESS, /* answers with more and more */
	NONSENSE,
	NO_MEM,  /* has no `config mem` */
	STOPPED, /* by `stop`: answers, and does nothing else */
	TALKS    /* says things that nobody has asked for */
};

#define RAM      16384u
#define MANAGED  15000u
#define LOW_MARK 300u

struct guest {
	char folder[32];
	char console[64];
	int fd;
	enum manner manner;
	uint64_t used, taken, switches;
	uint64_t asked; /* requests that came */
	bool panicked;  /* its last free pages were taken */
};

struct told {
	unsigned started, restarted, gone, changes;
	uint64_t pages, epoch;
	bool paused;
};

struct world {
	struct guest guest;
	struct told told;
	struct event_base *base;
	void *ctx;
	struct backend_vm_settings *settings;
	struct backend_own_settings *own;
};

static void on_started(void *daemon, uint32_t vm, uint64_t pages)
{
	struct told *told = daemon;

	assert_int_equal(vm, 1);
	told->started++;
	told->pages = pages;
}

static void on_restarted(void *daemon, uint32_t vm, uint64_t pages)
{
	struct told *told = daemon;

	assert_int_equal(vm, 1);
	told->restarted++;
	told->pages = pages;
}

static void on_gone(void *daemon, uint32_t vm)
{
	assert_int_equal(vm, 1);
	((struct told *)daemon)->gone++;
}

static void on_paused(void *daemon, uint32_t vm, bool paused)
{
	assert_int_equal(vm, 1);
	((struct told *)daemon)->paused = paused;
}

static void on_changed(void *daemon, uint32_t vm, uint64_t epoch, uint64_t pages)
{
	struct told *told = daemon;

	assert_int_equal(vm, 1);
	told->changes++;
	told->epoch = epoch;
	told->pages = pages;
}

static const struct backend_calls calls = {.started = on_started,
					   .restarted = on_restarted,
					   .gone = on_gone,
					   .paused = on_paused,
					   .balloon_changed = on_changed};

static void guest_boot(struct guest *g)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (g->fd >= 0) {
		close(g->fd);
		unlink(g->console);
	}
	g->taken = 0;
	g->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", g->console);
	assert_int_equal(bind(g->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static uint64_t guest_free(const struct guest *g)
{
	return MANAGED - g->used - g->taken;
}

/* Answers as the kernel does, in parts. */
static void guest_reply(const struct guest *g, const struct sockaddr_un *to, socklen_t size,
			const char *text, bool error)
{
	size_t left = strlen(text);

	do {
		const size_t part = left < MCONSOLE_DATA_MAX - 1u ? left : MCONSOLE_DATA_MAX - 1u;
		struct mconsole_reply reply = {error, part < left, (uint32_t)part + 1u, ""};

		memcpy(reply.data, text, part);
		assert_true(sendto(g->fd, &reply, MCONSOLE_HEAD + part + 1u, 0,
				   (const struct sockaddr *)to, size) > 0);
		text += part;
		left -= part;
	} while (left > 0);
}

static void guest_obey(struct guest *g, const char *command, const struct sockaddr_un *to,
		       socklen_t size)
{
	char text[2048];
	unsigned long long kib;

	g->switches += g->manner != STOPPED;
	if (strcmp(command, "proc zoneinfo") == 0) {
		snprintf(text, sizeof(text),
			 "\nNode 0, zone   Normal\n%900s\n  pages free     %llu\n"
			 "        min      %u\n        managed  %u\n",
			 "", (unsigned long long)guest_free(g), LOW_MARK, MANAGED);
		guest_reply(g, to, size, g->manner == NONSENSE ? "pages free many\n" : text, false);
	} else if (strcmp(command, "proc stat") == 0) {
		snprintf(text, sizeof(text), "\ncpu 1 2 3\nctxt %llu\n",
			 (unsigned long long)g->switches);
		guest_reply(g, to, size, text, false);
	} else if (g->manner == NO_MEM) {
		guest_reply(g, to, size, "Bad configuration option", true);
	} else if (sscanf(command, "config mem=+%lluK", &kib) == 1) {
		g->taken -= kib / 4u < g->taken ? kib / 4u : g->taken;
		guest_reply(g, to, size, "", false);
	} else if (sscanf(command, "config mem=-%lluK", &kib) == 1) {
		/* As many as there are; it says OK in any case. */
		g->panicked = g->panicked || kib / 4u > guest_free(g);
		g->taken += kib / 4u < guest_free(g) ? kib / 4u : guest_free(g);
		guest_reply(g, to, size, "", false);
	} else {
		fail_msg("%s", command);
	}
}

static void guest_serve(struct guest *g)
{
	struct mconsole_request request;
	struct sockaddr_un from;
	socklen_t size = sizeof(from);
	const ssize_t got =
		recvfrom(g->fd, &request, sizeof(request), 0, (struct sockaddr *)&from, &size);
	struct mconsole_reply reply = {.more = 1, .length = 5, .data = "more"};

	if (got < 0) {
		return;
	}
	g->asked++;
	assert_int_equal(request.magic, MCONSOLE_MAGIC);
	switch (g->manner) {
	case SILENT:
		break;
	case SHORT:
		sendto(g->fd, &reply, 6, 0, (const struct sockaddr *)&from, size);
		break;
	case ENDLESS:
		for (int i = 0; i < 100; i++) {
			sendto(g->fd, &reply, MCONSOLE_HEAD + 5u, MSG_DONTWAIT,
			       (const struct sockaddr *)&from, size);
		}
		break;
	case TALKS:
		guest_obey(g, request.data, &from, size);
		reply.more = 0;
		for (int i = 0; i < 3; i++) {
			sendto(g->fd, &reply, MCONSOLE_HEAD + 5u, MSG_DONTWAIT,
			       (const struct sockaddr *)&from, size);
		}
		break;
	case HONEST:
	case NONSENSE:
	case NO_MEM:
	case STOPPED:
		guest_obey(g, request.data, &from, size);
		break;
	}
}

static void turn(struct world *w)
{
	guest_serve(&w->guest);
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	usleep(200);
}

/* Goes on until something holds; 30 s are for ever. */
#define UNTIL(w, condition)                                           \
	do {                                                          \
		unsigned turns = 0;                                   \
		while (!(condition)) {                                \
			if (++turns > 100000) {                       \
				fail_msg("never: %s", #condition);    \
			}                                             \
			if (turns % 100 == 1) {                       \
				uml_backend.poll((w)->ctx, 1, false); \
			}                                             \
			turn(w);                                      \
		}                                                     \
	} while (0)

static void settings_read(struct world *w, const char *text, char error[BACKEND_ERROR_MAX])
{
	struct setting_reader r = {
		.path = "test", .error = error, .size = BACKEND_ERROR_MAX, .printable = true};
	config_t config;

	config_init(&config);
	assert_int_equal(config_read_string(&config, text), CONFIG_TRUE);
	w->settings = uml_backend.vm_read(&r, config_root_setting(&config), "v");
	w->own = uml_backend.own_read(&r, config_lookup(&config, "uml"));
	assert_non_null(w->settings);
	assert_non_null(w->own);
	config_destroy(&config);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char text[256];
	char error[BACKEND_ERROR_MAX] = "";

	assert_non_null(w);
	snprintf(w->guest.folder, sizeof(w->guest.folder), "/tmp/poise-uml-XXXXXX");
	assert_non_null(mkdtemp(w->guest.folder));
	snprintf(w->guest.console, sizeof(w->guest.console), "%s/mconsole", w->guest.folder);
	w->guest.fd = -1;
	w->guest.used = 2000;
	guest_boot(&w->guest);
	w->base = event_base_new();
	snprintf(text, sizeof(text), "umid_dir = \"%s\"; uml = { deadline_ms = 300; };",
		 w->guest.folder);
	settings_read(w, text, error);
	assert_string_equal(error, "");
	log_open(LOG_LEVEL_ERROR, 0);
	const struct backend_env env = {w->base, &calls, &w->told, 1000};
	w->ctx = uml_backend.open(&env, w->own, error);
	assert_non_null(w->ctx);
	assert_int_equal(uml_backend.vm_open(w->ctx, 1, "v", w->settings, RAM), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char path[64];

	uml_backend.vm_close(w->ctx, 1);
	uml_backend.close(w->ctx);
	uml_backend.vm_settings_free(w->settings);
	uml_backend.own_settings_free(w->own);
	event_base_free(w->base);
	close(w->guest.fd);
	unlink(w->guest.console);
	snprintf(path, sizeof(path), "%s/pid", w->guest.folder);
	unlink(path);
	rmdir(w->guest.folder);
	free(w);
	return 0;
}

static uint64_t measured(const struct world *w)
{
	uint64_t pages = 0;

	return uml_backend.measure(w->ctx, 1, &pages) == POISE_OK ? pages : 0;
}

static struct backend_status status_of(const struct world *w)
{
	struct backend_status status;

	uml_backend.status(w->ctx, 1, &status);
	return status;
}

static void resize(const struct world *w, uint64_t pages, uint64_t epoch)
{
	assert_int_equal(uml_backend.resize(w->ctx, 1, pages, epoch), POISE_OK);
}

static void a_guest_is_met_with_all_that_it_has(void **state)
{
	struct world *w = *state;

	w->guest.taken = 5000; /* By a daemon before this one. */
	UNTIL(w, w->told.started == 1);
	assert_int_equal(w->told.pages, RAM);
	assert_int_equal(w->guest.taken, 0);
	assert_string_equal(status_of(w).state, "ready");
	assert_int_equal(status_of(w).alarms, 0);
}

static void memory_goes_and_comes_and_each_step_is_told(void **state)
{
	struct world *w = *state;

	UNTIL(w, w->told.started == 1);
	resize(w, 6000, 11);
	UNTIL(w, measured(w) == 6000);
	assert_int_equal(w->guest.taken, RAM - 6000);
	assert_true(w->told.changes >= 3); /* 16 MiB a step */
	assert_int_equal(w->told.epoch, 11);
	assert_int_equal(w->told.pages, 6000);
	resize(w, 7000, 12);
	UNTIL(w, measured(w) == 7000 && w->told.epoch == 12);
	assert_int_equal(w->guest.taken, RAM - 7000);
	resize(w, 7000, 13);
	UNTIL(w, w->told.epoch == 13);
	resize(w, RAM, 14);
	UNTIL(w, w->told.epoch == 14 && measured(w) == RAM);
	assert_int_equal(w->guest.taken, 0);
}

static void last_free_pages_stay(void **state)
{
	struct world *w = *state;

	w->guest.used = 10000;
	UNTIL(w, w->told.started == 1);
	resize(w, 100, 1);
	UNTIL(w, guest_free(&w->guest) <= LOW_MARK / 2 + 1);
	for (int i = 0; i < 2000; i++) {
		turn(w);
	}
	assert_false(w->guest.panicked);
	assert_true(guest_free(&w->guest) >= LOW_MARK / 2);
	/* It has made room. */
	w->guest.used = 9000;
	UNTIL(w, w->guest.taken > 5000);
	assert_false(w->guest.panicked);
	assert_true(w->told.pages >= RAM - w->guest.taken);
}

static void silence_keeps_the_size(void **state)
{
	static const enum manner manners[] = {SILENT, SHORT, ENDLESS};
	struct world *w = *state;

	UNTIL(w, w->told.started == 1);
	resize(w, 8000, 1);
	UNTIL(w, measured(w) == 8000);
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		uint64_t pages;

		w->guest.manner = manners[i];
		UNTIL(w, (status_of(w).alarms & BACKEND_ALARM_DOWN) != 0);
		assert_true(strlen(status_of(w).detail) > 0);
		assert_int_equal(uml_backend.measure(w->ctx, 1, &pages), POISE_E_BUSY);
		assert_int_equal(uml_backend.resize(w->ctx, 1, 9000, 2), POISE_E_BUSY);
		w->guest.manner = HONEST;
		UNTIL(w, status_of(w).alarms == 0);
		assert_int_equal(measured(w), 8000);
	}
	assert_int_equal(w->told.gone + w->told.restarted, 0);
	assert_true(status_of(w).mistakes >= 2);
	resize(w, 9000, 3);
	UNTIL(w, measured(w) == 9000);
	assert_int_equal(w->guest.taken, RAM - 9000);
}

static void a_step_without_an_answer_is_not_counted(void **state)
{
	struct world *w = *state;

	UNTIL(w, w->told.started == 1);
	w->guest.manner = SILENT;
	resize(w, 8000, 1);
	UNTIL(w, (status_of(w).alarms & BACKEND_ALARM_DOWN) != 0);
	w->guest.manner = HONEST;
	UNTIL(w, measured(w) == 8000);
	assert_true(RAM - w->guest.taken <= 8000);
}

static void numbers_that_make_no_sense_move_nothing(void **state)
{
	struct world *w = *state;

	UNTIL(w, w->told.started == 1);
	w->guest.manner = NONSENSE;
	resize(w, 8000, 1);
	UNTIL(w, status_of(w).mistakes >= 3);
	assert_int_equal(w->guest.taken, 0);
	assert_int_equal(measured(w), RAM);
	/* It is not asked faster than it would be for a move. */
	w->guest.asked = 0;
	for (int i = 0; i < 100; i++) {
		turn(w);
	}
	assert_in_range(w->guest.asked, 0, 20);
	w->guest.manner = HONEST;
	UNTIL(w, measured(w) == 8000);
}

static void unasked_is_counted_only(void **state)
{
	struct world *w = *state;

	w->guest.manner = TALKS;
	UNTIL(w, status_of(w).mistakes >= 6);
	w->guest.manner = HONEST;
	UNTIL(w, w->told.started == 1 && measured(w) == RAM);
}

static void a_kernel_without_mem_is_refused(void **state)
{
	struct world *w = *state;

	w->guest.manner = NO_MEM;
	UNTIL(w, w->told.started == 1);
	assert_int_equal(w->told.pages, RAM);
	assert_true((status_of(w).alarms & BACKEND_ALARM_REFUSED) != 0);
	assert_string_equal(status_of(w).detail, "config mem: Bad configuration option");
	assert_int_equal(uml_backend.resize(w->ctx, 1, 9000, 2), POISE_E_PORT);
}

static void a_guest_that_has_been_stopped_is_paused(void **state)
{
	struct world *w = *state;

	UNTIL(w, w->told.started == 1);
	w->guest.manner = STOPPED;
	UNTIL(w, w->told.paused);
	resize(w, 9000, 2);
	for (int i = 0; i < 200; i++) {
		turn(w);
	}
	assert_int_equal(w->guest.taken, 0);
	w->guest.manner = HONEST;
	UNTIL(w, !w->told.paused && measured(w) == 9000);
}

static void a_reboot_brings_all_memory_back(void **state)
{
	struct world *w = *state;
	char before[BACKEND_NAME_MAX];
	char after[BACKEND_NAME_MAX];
	char path[64];
	FILE *pid;

	snprintf(path, sizeof(path), "%s/pid", w->guest.folder);
	pid = fopen(path, "w");
	assert_non_null(pid);
	fprintf(pid, "%ld\n", (long)getpid());
	fclose(pid);
	UNTIL(w, w->told.started == 1);
	assert_true(status_of(w).resident_pages > 0);
	assert_true(uml_backend.identity(w->ctx, 1, before));
	resize(w, 9000, 2);
	UNTIL(w, w->guest.taken == RAM - 9000);
	guest_boot(&w->guest);
	UNTIL(w, w->told.restarted == 1);
	assert_int_equal(w->told.pages, RAM);
	UNTIL(w, status_of(w).alarms == 0);
	assert_int_equal(w->guest.taken, 0);
	assert_true(uml_backend.identity(w->ctx, 1, after));
	assert_string_not_equal(before, after);
	assert_int_equal(w->told.gone, 0);
}

static void a_guest_whose_console_is_gone_is_gone(void **state)
{
	struct world *w = *state;

	UNTIL(w, w->told.started == 1);
	close(w->guest.fd);
	w->guest.fd = -1;
	unlink(w->guest.console);
	UNTIL(w, w->told.gone == 1);
	assert_string_equal(status_of(w).state, "not running");
	guest_boot(&w->guest);
	UNTIL(w, w->told.started == 2);
}

static void settings_are_checked(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} rows[] = {
		{"umid_dir = \"/a\"; page_file = \"/b\";", ""},
		{"page_file = \"/b\";", "umid_dir"},
		{"umid_dir = \"a\";", "umid_dir"},
		{"umid_dir = 5;", "umid_dir"},
		{"umid_dir = \"/a\"; page_file = \"b\";", "page_file"},
		{"umid_dir = \"/a\"; uml = { deadline_ms = 0; };", "deadline_ms"},
		{"umid_dir = \"/a\"; uml = { overhead = \"much\"; };", "overhead"},
		{"umid_dir = \"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\";",
		 "shorter"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = {0};
		char error[BACKEND_ERROR_MAX] = "";

		settings_read(&w, rows[i].text, error);
		if (rows[i].error[0] == '\0') {
			assert_string_equal(error, "");
			assert_true(uml_backend.vm_settings_equal(w.settings, w.settings));
			assert_true(uml_backend.own_settings_equal(w.own, w.own));
		} else if (strstr(error, rows[i].error) == NULL) {
			fail_msg("%s: %s", rows[i].text, error);
		}
		uml_backend.vm_settings_free(w.settings);
		uml_backend.own_settings_free(w.own);
	}
}

#define WITH_A_GUEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_as_the_kernel_reads_it),
		cmocka_unit_test(whole_parts_only),
		cmocka_unit_test(answers_have_a_bound),
		cmocka_unit_test(zones_are_added_up_or_refused),
		cmocka_unit_test(switches_are_a_number),
		cmocka_unit_test(settings_are_checked),
		WITH_A_GUEST(a_guest_is_met_with_all_that_it_has),
		WITH_A_GUEST(memory_goes_and_comes_and_each_step_is_told),
		WITH_A_GUEST(last_free_pages_stay),
		WITH_A_GUEST(silence_keeps_the_size),
		WITH_A_GUEST(a_step_without_an_answer_is_not_counted),
		WITH_A_GUEST(numbers_that_make_no_sense_move_nothing),
		WITH_A_GUEST(unasked_is_counted_only),
		WITH_A_GUEST(a_kernel_without_mem_is_refused),
		WITH_A_GUEST(a_guest_that_has_been_stopped_is_paused),
		WITH_A_GUEST(a_reboot_brings_all_memory_back),
		WITH_A_GUEST(a_guest_whose_console_is_gone_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
