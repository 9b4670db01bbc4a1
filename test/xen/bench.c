/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "log.h"

struct bench bench;
static char logged[16384];

/* In place of the daemon's log. */
void log_line(enum log_level level, const char *format, ...)
{
	va_list arguments;
	const size_t used = strlen(logged);
	(void)level;
	va_start(arguments, format);
	vsnprintf(logged + used, sizeof(logged) - used, format, arguments);
	va_end(arguments);
	strncat(logged, "\n", sizeof(logged) - strlen(logged) - 1);
}

bool bench_logged(const char *part)
{
	return strstr(logged, part) != NULL;
}

static void started(void *daemon, uint32_t vm, uint64_t pages)
{
	struct bench *b = daemon;
	if (vm != 0 && b->others) {
		return;
	}
	assert_int_equal(vm, 0);
	assert_int_equal(b->started, b->gone); /* Not twice without `gone`. */
	b->started++;
	b->start_pages = b->size = b->target = pages;
	assert_int_equal(xen_backend.host_free(b->ctx, 0, &b->start_free), POISE_OK);
}

static void restarted(void *daemon, uint32_t vm, uint64_t pages)
{
	(void)daemon, (void)vm, (void)pages;
	fail_msg("a domain that restarts is a new one");
}

static void gone(void *daemon, uint32_t vm)
{
	struct bench *b = daemon;
	(void)vm;
	b->gone++;
	b->size = b->target = 0;
}

static void paused(void *daemon, uint32_t vm, bool on)
{
	struct bench *b = daemon;
	(void)vm;
	b->paused = on;
}

static void moved(void *daemon, uint32_t vm, uint64_t epoch, uint64_t pages)
{
	struct bench *b = daemon;
	(void)vm;
	b->moved++;
	b->moved_epoch = epoch;
	b->moved_pages = b->size = pages;
}

static void doorbell(void *daemon, uint32_t vm)
{
	struct bench *b = daemon;
	(void)vm;
	b->bells++;
}

static const struct backend_calls calls = {started, restarted, gone, paused, moved, doorbell};

static void open_backend(void)
{
	char error[BACKEND_ERROR_MAX];
	bench.env = (struct backend_env){
		.base = bench.base, .calls = &calls, .daemon = &bench, .interval_ms = 20};
	bench.ctx = xen_backend.open(&bench.env, NULL, error);
	assert_non_null(bench.ctx);
	assert_int_equal(xen_backend.vm_open(bench.ctx, 0, "tv", &bench.settings, 2 * PAGES), 0);
}

int bench_open(void **state)
{
	(void)state;
	fake_reset();
	logged[0] = '\0';
	bench = (struct bench){.base = event_base_new(), .settings = {.domain = "tv"}};
	open_backend();
	return 0;
}

int bench_close(void **state)
{
	(void)state;
	xen_backend.close(bench.ctx);
	event_base_free(bench.base);
	return (int)fake_mapped(); /* Whatever happened, no grant stays mapped. */
}

void bench_reopen(void)
{
	xen_backend.close(bench.ctx);
	bench.started = bench.gone = bench.moved = 0;
	open_backend();
}

static void check_limit(void)
{
	const bool runs = bench.started > bench.gone && !bench.paused;
	if (runs && bench_logged("domain 1, ")) {
		const uint64_t charged = bench.size > bench.target ? bench.size : bench.target;
		assert_true(fake_domain_pages(1) <= charged + EXTRA);
	}
}

void bench_turn(void)
{
	const struct timeval soon = {.tv_usec = 5000};
	event_base_loopexit(bench.base, &soon);
	event_base_dispatch(bench.base);
	check_limit();
}

void bench_turns(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bench_turn();
	}
}

void bench_poll(void)
{
	xen_backend.poll(bench.ctx, 0, false);
}

enum poise_err bench_resize(uint64_t target, uint64_t epoch)
{
	const enum poise_err err = xen_backend.resize(bench.ctx, 0, target, epoch);
	if (err == POISE_OK) {
		bench.target = target;
	}
	return err;
}

uint64_t bench_measure(void)
{
	uint64_t pages = 0;
	assert_int_equal(xen_backend.measure(bench.ctx, 0, &pages), POISE_OK);
	bench.size = pages;
	return pages;
}

const char *bench_identity(void)
{
	static char name[BACKEND_NAME_MAX];
	assert_true(xen_backend.identity(bench.ctx, 0, name));
	return name;
}

struct backend_status bench_status(void)
{
	struct backend_status status;
	xen_backend.status(bench.ctx, 0, &status);
	return status;
}

struct backend_pages bench_pages(void)
{
	struct backend_pages pages;
	xen_backend.pages(bench.ctx, 0, &pages);
	return pages;
}

void bench_domain(void)
{
	char text[64];
	fake_domain(1, "tv", PAGES, EXTRA);
	await(bench.started == 1);
	await(fake_read("/local/domain/1/memory/poise/target", text)[0] != '\0');
}
