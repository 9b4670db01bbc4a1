/* SPDX-License-Identifier: MIT */
/* A played backend; see fake.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "fake.h"
#include "interval.h"

/* --- the played backend --- */

struct backend_vm_settings {
	int nothing;
};

struct backend_own_settings {
	int nothing;
};

struct fake fake;

static struct backend_vm_settings *vm_read(struct setting_reader *r, config_setting_t *group,
					   const char *name)
{
	(void)r;
	(void)group;
	(void)name;
	return calloc(1, sizeof(struct backend_vm_settings));
}

static struct backend_own_settings *own_read(struct setting_reader *r, config_setting_t *group)
{
	(void)r;
	(void)group;
	return calloc(1, sizeof(struct backend_own_settings));
}

static void vm_settings_free(struct backend_vm_settings *settings)
{
	free(settings);
}

static void own_settings_free(struct backend_own_settings *settings)
{
	free(settings);
}

static bool vm_settings_equal(const struct backend_vm_settings *a,
			      const struct backend_vm_settings *b)
{
	return a->nothing == b->nothing;
}

static bool own_settings_equal(const struct backend_own_settings *a,
			       const struct backend_own_settings *b)
{
	return a->nothing == b->nothing;
}

static void *open_fake(const struct backend_env *env, const struct backend_own_settings *own,
		       char error[BACKEND_ERROR_MAX])
{
	(void)own;
	(void)error;
	fake.env = *env;
	return &fake;
}

static void close_fake(void *ctx)
{
	(void)ctx;
}

static int vm_open(void *ctx, uint32_t vm, const char *name,
		   const struct backend_vm_settings *settings, uint64_t max_pages)
{
	(void)ctx;
	(void)vm;
	(void)name;
	(void)settings;
	(void)max_pages;
	return 0;
}

static void vm_close(void *ctx, uint32_t vm)
{
	(void)ctx;
	(void)vm;
}

static enum poise_err resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct guest *guest = &((struct fake *)ctx)->guest[vm];

	(void)epoch;
	guest->target = target_pages;
	if (guest->obeys) {
		guest->actual = target_pages;
	}
	return POISE_OK;
}

static enum poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	*pages = ((struct fake *)ctx)->guest[vm].actual;
	return POISE_OK;
}

static void poll_vm(void *ctx, uint32_t vm, bool want_stats)
{
	struct guest *guest = &((struct fake *)ctx)->guest[vm];
	struct poise_abi_guest body = {0};

	(void)want_stats;
	body.balloon_pages = 256u * MIB - guest->actual;
	body.inactive_anon_pages = guest->need < guest->actual ? guest->need : guest->actual;
	body.swap_used_pages = guest->need - body.inactive_anon_pages;
	body.free_pages = guest->actual - body.inactive_anon_pages;
	gd_publish(&guest->gd, &body);
}

static void pages(void *ctx, uint32_t vm, struct backend_pages *out)
{
	struct guest *guest = &((struct fake *)ctx)->guest[vm];

	*out = (struct backend_pages){.guest = &guest->page, .host = &guest->host};
}

static void told(void *ctx, uint32_t vm)
{
	(void)vm;
	((struct fake *)ctx)->told++;
}

static enum poise_err host_total(void *ctx, uint64_t *total)
{
	(void)ctx;
	*total = 512u * MIB;
	return fake.host_err;
}

static enum poise_err host_free(void *ctx, uint64_t reserve, uint64_t *free_pages)
{
	(void)ctx;
	(void)reserve;
	*free_pages = fake.host_free;
	return fake.host_err;
}

static void status(void *ctx, uint32_t vm, struct backend_status *out)
{
	const struct guest *guest = &((const struct fake *)ctx)->guest[vm];

	*out = (struct backend_status){.alarms = guest->alarms, .adopting = guest->adopting};
}

static bool identity(void *ctx, uint32_t vm, char name[BACKEND_NAME_MAX])
{
	snprintf(name, BACKEND_NAME_MAX, "start %u", ((const struct fake *)ctx)->guest[vm].start);
	return true;
}

static const struct backend fake_backend = {
	.name = "fake",
	.vm_keys = "",
	.own_keys = "",
	.vm_read = vm_read,
	.own_read = own_read,
	.vm_settings_free = vm_settings_free,
	.own_settings_free = own_settings_free,
	.vm_settings_equal = vm_settings_equal,
	.own_settings_equal = own_settings_equal,
	.open = open_fake,
	.close = close_fake,
	.vm_open = vm_open,
	.vm_close = vm_close,
	.resize = resize,
	.measure = measure,
	.poll = poll_vm,
	.pages = pages,
	.told = told,
	.host_total = host_total,
	.host_free = host_free,
	.status = status,
	.identity = identity,
};

const struct backend *const backends[] = {&fake_backend, NULL};

/* --- the bench --- */

uint64_t clock_now_us(void)
{
	return fake.now_us;
}

static const char text[] =
	"backend = \"fake\"; pool = %s; host_reserve = \"64M\"; log = \"error\"; on_exit = "
	"\"leave\";\n"
	"control = { socket = \"%s/control\"; }; state_file = \"%s/state\";\n"
	"policy = { interval_ms = 10; };\n"
	"vms = ( { name = \"a\"; min = 32; boot = 128; max = 256; },\n"
	"        { name = \"b\"; min = 32; boot = 128; max = 256; },\n"
	"        { name = \"c\"; min = 32; boot = 128; max = 256; } );\n";

const char *bench_state(const struct bench *b)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/state", b->folder);
	return path;
}

static void start_daemon(struct bench *b)
{
	char file[2048];
	char error[CONFIG_ERROR_MAX];
	struct config *conf;

	snprintf(file, sizeof(file), text, b->pool, b->folder, b->folder);
	log_open(LOG_LEVEL_ERROR, 0);
	conf = conf_read_text("test", file, error);
	assert_non_null(conf);
	assert_int_equal(daemon_open(&b->d, conf, "test"), 0);
}

void bench_again(struct bench *b, bool orderly)
{
	if (!orderly) {
		b->d.ticks = 0; /* It does not get to write its state. */
	}
	daemon_close(&b->d);
	start_daemon(b);
}

struct bench *bench_start(const char *pool)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->pool = pool;
	memset(&fake, 0, sizeof(fake));
	fake.host_free = 1024u * MIB;
	fake.now_us = 1000000;
	for (uint32_t i = 0; i < VMS; i++) {
		struct guest *guest = &fake.guest[i];

		guest->actual = 128u * MIB;
		guest->need = 64u * MIB;
		guest->obeys = true;
		assert_int_equal(gd_init(&guest->gd, &guest->page, &guest->host, 7u + i, 256u * MIB,
					 POISE_GF_KNOWN & ~POISE_GF_FLOOR),
				 0);
	}
	strcpy(b->folder, "/tmp/poised-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	start_daemon(b);
	return b;
}

void bench_end(struct bench *b)
{
	assert_int_equal(b->d.check_failures, 0);
	daemon_close(&b->d);
	(void)unlink(bench_state(b));
	assert_int_equal(rmdir(b->folder), 0);
	free(b);
}

void bench_appear(struct bench *b, uint32_t vm)
{
	fake.guest[vm].adopting = false;
	fake.env.calls->started(&b->d, vm, fake.guest[vm].actual);
}

void bench_tick(struct bench *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		fake.now_us += b->d.core.config.interval_ms * UINT64_C(1000);
		interval_run(&b->d);
		assert_int_equal(poise_check(&b->d.core), 0);
	}
}

uint64_t bench_charged(const struct bench *b)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < VMS; i++) {
		sum += poise_vm_charge(&b->d.core.vm[i]);
	}
	return sum;
}

struct bench *bench_start_all(const char *pool)
{
	struct bench *b = bench_start(pool);

	interval_run(&b->d);
	for (uint32_t i = 0; i < VMS; i++) {
		bench_appear(b, i);
	}
	bench_tick(b, 5);
	return b;
}

void fake_publish(uint32_t vm)
{
	poll_vm(&fake, vm, false);
}
