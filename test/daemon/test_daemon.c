/* SPDX-License-Identifier: MIT */
/*
 * The daemon on a backend that is played in the same process: what it tells the core, and when.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "control.h"
#include "daemon.h"
#include "publish.h"

#define MIB 256u
#define VMS 3u

/* --- the played backend --- */

struct backend_settings {
	int nothing;
};

struct guest {
	alignas(POISE_ABI_PAGE_BYTES) struct poise_guest_page page;
	alignas(POISE_ABI_PAGE_BYTES) struct poise_host_page host;
	struct gd gd;
	uint64_t actual, target, need;
	uint32_t alarms;
	bool meeting;
	bool obeys;
};

static struct fake {
	struct backend_env env;
	struct guest guest[VMS];
	enum poise_err host_err;
	uint64_t host_free;
	unsigned told;
} fake;

static struct backend_settings *read_nothing(void)
{
	return calloc(1, sizeof(struct backend_settings));
}

static struct backend_settings *vm_read(struct setting_reader *r, config_setting_t *group,
					const char *name)
{
	(void)r;
	(void)group;
	(void)name;
	return read_nothing();
}

static struct backend_settings *own_read(struct setting_reader *r, config_setting_t *group)
{
	(void)r;
	(void)group;
	return read_nothing();
}

static void settings_free(struct backend_settings *settings)
{
	free(settings);
}

static bool settings_equal(const struct backend_settings *a, const struct backend_settings *b)
{
	return a->nothing == b->nothing;
}

static void *open_fake(const struct backend_env *env, const struct backend_settings *own,
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
		   const struct backend_settings *settings, uint64_t max_pages)
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

static void poll_vm(void *ctx, uint32_t vm)
{
	struct guest *guest = &((struct fake *)ctx)->guest[vm];
	struct poise_abi_guest body = {0};

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

	*out = (struct backend_status){.alarms = guest->alarms, .meeting = guest->meeting};
}

static const struct backend fake_backend = {
	.name = "fake",
	.vm_keys = "",
	.own_keys = "",
	.vm_read = vm_read,
	.own_read = own_read,
	.settings_free = settings_free,
	.settings_equal = settings_equal,
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
};

const struct backend *const backends[] = {&fake_backend, NULL};

/* --- the bench --- */

struct bench {
	struct poised d;
	char folder[64];
};

static const char text[] =
	"backend = \"fake\"; pool = %s; host_reserve = \"64M\"; log = \"error\"; on_exit = "
	"\"leave\";\n"
	"control = { socket = \"%s/control\"; };\n"
	"policy = { interval_ms = 10; };\n"
	"vms = ( { name = \"a\"; min = 32; boot = 128; max = 256; },\n"
	"        { name = \"b\"; min = 32; boot = 128; max = 256; },\n"
	"        { name = \"c\"; min = 32; boot = 128; max = 256; } );\n";

static struct bench *start(const char *pool)
{
	struct bench *b = calloc(1, sizeof(*b));
	char file[2048];
	char error[CONFIG_ERROR_MAX];
	struct config *conf;

	assert_non_null(b);
	memset(&fake, 0, sizeof(fake));
	fake.host_free = 1024u * MIB;
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
	snprintf(file, sizeof(file), text, pool, b->folder);
	log_open(LOG_LEVEL_ERROR, 0);
	conf = conf_read_text("test", file, error);
	assert_non_null(conf);
	assert_int_equal(daemon_open(&b->d, conf, "test"), 0);
	return b;
}

static void end(struct bench *b)
{
	assert_int_equal(b->d.check_failures, 0);
	daemon_close(&b->d);
	assert_int_equal(rmdir(b->folder), 0);
	free(b);
}

static void appear(struct bench *b, uint32_t vm)
{
	fake.guest[vm].meeting = false;
	fake.env.calls->started(&b->d, vm, fake.guest[vm].actual);
}

/* Ticks of the daemon, an interval apart by its own clock. */
static void tick(struct bench *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const uint64_t before = daemon_now_ms();

		while (daemon_now_ms() < before + b->d.core.config.interval_ms) {
			event_base_loop(b->d.base, EVLOOP_NONBLOCK);
		}
		daemon_tick(&b->d);
		assert_int_equal(poise_check(&b->d.core), 0);
	}
}

static uint64_t targets(const struct bench *b)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < VMS; i++) {
		sum += poise_vm_charge(&b->d.core.vm[i]);
	}
	return sum;
}

static struct bench *start_all(const char *pool)
{
	struct bench *b = start(pool);

	daemon_tick(&b->d);
	for (uint32_t i = 0; i < VMS; i++) {
		appear(b, i);
	}
	tick(b, 5);
	return b;
}

/* --- tests --- */

static void a_needy_guest_gets_memory(void **state)
{
	struct bench *b = start_all("\"384M\"");

	(void)state;
	fake.guest[0].need = 200u * MIB;
	tick(b, 20);
	assert_true(fake.guest[0].actual > 160u * MIB);
	assert_true(targets(b) <= 384u * MIB);
	assert_int_equal(b->d.vm[0].source, SOURCE_PAGE);
	assert_true(fake.told > 0);
	end(b);
}

static void f54_host_memory_unreadable_or_absurd(void **state)
{
	struct bench *b = start_all("\"512M\"");
	const struct {
		enum poise_err err;
		uint64_t pages;
	} readings[] = {{POISE_E_PORT, 1024u * MIB},
			{POISE_OK, UINT64_MAX},
			{POISE_OK, 0},
			{POISE_OK, POISE_PAGES_MAX + 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		const uint64_t before = targets(b);

		fake.host_err = readings[i].err;
		fake.host_free = readings[i].pages;
		fake.guest[0].need = 250u * MIB;
		tick(b, 10);
		/* Nothing from the pool; what others give may go round. */
		assert_true(targets(b) <= before);
		fake.guest[0].need = 64u * MIB;
		fake.host_err = POISE_OK;
		fake.host_free = 1024u * MIB;
		tick(b, 40);
		assert_int_equal(b->d.core.config.pool_pages, 512u * MIB);
	}
	assert_true(b->d.host_errors > 0);
	fake.guest[0].need = 250u * MIB;
	tick(b, 40);
	assert_true(fake.guest[0].actual > 200u * MIB);
	end(b);
}

static void nothing_is_given_before_all_are_known(void **state)
{
	struct bench *b = start("\"384M\"");

	(void)state;
	fake.guest[1].meeting = true;
	fake.guest[2].meeting = true;
	fake.guest[0].actual = 64u * MIB;
	fake.guest[1].actual = 256u * MIB;
	daemon_tick(&b->d);
	appear(b, 0);
	tick(b, 10);
	/* Below its boot size, and most of the pool seems free: it is b's and c's. */
	assert_true(fake.guest[0].actual <= 64u * MIB);
	appear(b, 1);
	assert_true(fake.guest[0].actual <= 64u * MIB);
	tick(b, 3);
	appear(b, 2);
	assert_true(targets(b) <= 448u * MIB);
	tick(b, 50);
	assert_true(targets(b) <= 384u * MIB);
	assert_true(fake.guest[0].actual > 64u * MIB);
	assert_int_equal(b->d.core.vm[0].config.min_pages, 32u * MIB);
	assert_int_equal(b->d.core.vm[0].config.boot_pages, 128u * MIB);
	end(b);
}

static void a_word_is_served_before_the_tick(void **state)
{
	struct bench *b = start_all("\"512M\"");
	const uint64_t before = fake.guest[0].actual;

	(void)state;
	tick(b, 40);
	fake.guest[0].need = 200u * MIB;
	poll_vm(&fake, 0);
	assert_int_equal(gd_urgent(&fake.guest[0].gd, 1, 1), 1);
	fake.env.calls->doorbell(&b->d, 0);
	assert_true(fake.guest[0].actual > before);
	assert_int_equal(b->d.vm[0].urgents, 1);
	/* The same word again, and a doorbell for one that is not there: nothing. */
	fake.env.calls->doorbell(&b->d, 0);
	fake.env.calls->gone(&b->d, 1);
	fake.env.calls->doorbell(&b->d, 1);
	assert_int_equal(b->d.vm[0].urgents, 1);
	assert_int_equal(b->d.relief_count, 1);
	end(b);
}

static void calls_about_vms_that_are_not_there(void **state)
{
	struct bench *b = start("\"384M\"");
	const struct backend_calls *calls = fake.env.calls;

	(void)state;
	daemon_tick(&b->d);
	calls->gone(&b->d, 0);
	calls->restarted(&b->d, 0, 5);
	calls->moved(&b->d, 0, 1, 5);
	calls->paused(&b->d, 0, true);
	assert_int_equal(targets(b), 0);
	appear(b, 0);
	calls->started(&b->d, 0, 200u * MIB); /* twice */
	assert_int_equal(b->d.core.vm[0].actual_pages, 128u * MIB);
	calls->moved(&b->d, 0, 77, 5); /* no such request */
	assert_int_equal(b->d.core.vm[0].actual_pages, 128u * MIB);
	calls->gone(&b->d, 0);
	calls->gone(&b->d, 0);
	assert_int_equal(targets(b), 0);
	end(b);
}

static void an_automatic_pool_is_the_host_less_its_reserve(void **state)
{
	struct bench *b = start_all("\"auto\"");

	(void)state;
	assert_int_equal(b->d.pool_pages, 448u * MIB);
	end(b);
}

static void answers_fit_for_the_longest_names(void **state)
{
	struct bench *b = start_all("\"384M\"");
	json_t *metrics;
	const char *last;

	(void)state;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		b->d.vm[i].configured = i < VMS;
		memset(b->d.vm[i].conf.name, 'n', BACKEND_NAME_MAX - 1);
	}
	for (int i = 1; i < POISE_ERR_COUNT; i++) {
		b->d.core.errors[i] = UINT64_MAX;
	}
	metrics = status_metrics(&b->d);
	last = json_string_value(json_object_get(metrics, "text"));
	/* What would not fit is left out at the end; a table five times as large fits. */
	assert_true(strlen(last) < 65536u / 6u * 2u);
	assert_non_null(strstr(last, "alarm=\"refused\"} 0\n"));
	json_decref(metrics);
	end(b);
}

static void requests_of_clients(void **state)
{
	struct bench *b = start_all("\"384M\"");
	static const struct {
		const char *line;
		bool ok;
	} lines[] = {
		{"{\"do\": \"status\"}", true},
		{"{\"do\": \"metrics\"}", true},
		{"{\"do\": \"why\", \"vm\": \"a\"}", true},
		{"{\"do\": \"set\", \"vm\": \"a\", \"key\": \"weight\", \"value\": \"7\"}", true},
		{"{\"do\": \"set\", \"vm\": \"a\", \"key\": \"max\", \"value\": \"999G\"}", false},
		{"{\"do\": \"set\", \"vm\": \"a\", \"key\": \"min\", \"value\": \"129M\"}", false},
		{"{\"do\": \"freeze\", \"vm\": \"a\"}", true},
		{"{\"do\": \"freeze\", \"vm\": \"z\"}", false},
		{"{\"do\": \"record\"}", true},
		{"[]", false},
		{"", false},
		{"{\"do\": [[[[[[1]]]]]]}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		json_t *answer = control_answer(&b->d, lines[i].line, strlen(lines[i].line), NULL);

		assert_int_equal(json_is_true(json_object_get(answer, "ok")), lines[i].ok);
		assert_true(lines[i].ok || json_object_get(answer, "error") != NULL);
		json_decref(answer);
	}
	assert_int_equal(b->d.core.vm[0].config.weight, 7);
	assert_int_equal(b->d.core.vm[0].state, POISE_VM_FROZEN);
	end(b);
}

static void sizes_as_text(void **state)
{
	static const struct {
		const char *text;
		uint64_t pages; /* 0: refused */
	} sizes[] = {{"64M", 16384},
		     {"64", 16384},
		     {"4K", 1},
		     {"65536K", 16384},
		     {"2G", 524288},
		     {"0", 0},
		     {"0M", 0},
		     {"3K", 0},
		     {"", 0},
		     {"M", 0},
		     {"-1", 0},
		     {"+1", 0},
		     {" 1", 0},
		     {"1 M", 0},
		     {"1m", 0},
		     {"1MB", 0},
		     {"1.5G", 0},
		     {"0x10", 0},
		     {"16385G", 0},
		     {"18446744073709551616", 0},
		     {"99999999999999999999999K", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t found = 0;
		const bool right = setting_parse_pages(sizes[i].text, POISE_PAGES_MAX, &found);

		assert_int_equal(right, sizes[i].pages != 0);
		assert_int_equal(found, sizes[i].pages);
	}
}

static void every_record_has_words(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < POISE_EVENT_COUNT; code++) {
		const struct poise_event event = {.code = code,
						  .rule = 9999,
						  .a = UINT64_MAX,
						  .b = UINT64_MAX,
						  .c = UINT64_MAX,
						  .d = 5,
						  .err = POISE_E_TORN};
		char words[HISTORY_TEXT_MAX];

		history_text(&event, words, sizeof(words));
		assert_true(strlen(words) >= 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_needy_guest_gets_memory),
		cmocka_unit_test(f54_host_memory_unreadable_or_absurd),
		cmocka_unit_test(nothing_is_given_before_all_are_known),
		cmocka_unit_test(a_word_is_served_before_the_tick),
		cmocka_unit_test(calls_about_vms_that_are_not_there),
		cmocka_unit_test(an_automatic_pool_is_the_host_less_its_reserve),
		cmocka_unit_test(answers_fit_for_the_longest_names),
		cmocka_unit_test(requests_of_clients),
		cmocka_unit_test(sizes_as_text),
		cmocka_unit_test(every_record_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
