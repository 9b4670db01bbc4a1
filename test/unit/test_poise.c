/* SPDX-License-Identifier: MIT */
/* The calls that are not a stage of their own: set-up, VMs coming and going, the tick. */
#include "support.h"

#include "internal.h"
#include "publish.h"

#define MIN  1000u
#define BOOT 4000u
#define MAX  9000u
#define POOL 20000u

static struct fake fake;

static struct poise_vm *vm(uint32_t at)
{
	return &fake.p.vm[at];
}

static uint64_t errors(enum poise_err err)
{
	return fake.p.errors[-(int)err];
}

static int start(void **state)
{
	(void)state;
	fake_start_pool(&fake, POOL);
	fake.now_ms = 10000;
	return 0;
}

/* A call has failed: nothing but its counter is different. */
static void assert_refused(const struct poise *before, enum poise_err expected, enum poise_err err)
{
	struct poise counted = *before;
	assert_int_equal(err, expected);
	counted.errors[-(int)expected]++;
	assert_memory_equal(&counted, &fake.p, sizeof(counted));
}

/* --- poise_init --- */

static void init_arguments(void **state)
{
	const struct poise_config config = {.pool_pages = 1};
	static struct poise p;
	(void)state;
	memset(&p, 0x5a, sizeof(p));
	assert_int_equal(poise_init(NULL, sizeof(p), &config, &fake_port, NULL), POISE_E_ARG);
	assert_int_equal(poise_init(&p, sizeof(p), NULL, &fake_port, NULL), POISE_E_ARG);
	assert_int_equal(poise_init(&p, sizeof(p), &config, NULL, NULL), POISE_E_ARG);
	for (size_t i = 0; i < sizeof(p); i++) {
		assert_int_equal(((unsigned char *)&p)[i], 0x5a);
	}
}

static void f42_port_functions_must_be_there(void **state)
{
	const struct poise_config config = {.pool_pages = POOL};
	static struct poise p;
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct poise_port port = fake_port;
		port.resize = i == 0 ? NULL : port.resize;
		port.measure = i == 1 ? NULL : port.measure;
		port.notify = i == 2 ? NULL : port.notify;
		port.event = i == 3 ? NULL : port.event;
		assert_int_equal(poise_init(&p, sizeof(p), &config, &port, NULL), POISE_E_CONFIG);
		assert_int_equal(p.magic, 0);
	}
}

/* Codes that no port should return: a failure like any other. */
static enum poise_err undefined_code;
static enum poise_err strange_resize(void *ctx, uint32_t at, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)at;
	(void)target;
	(void)epoch;
	return undefined_code;
}
static enum poise_err strange_measure(void *ctx, uint32_t at, uint64_t *pages)
{
	(void)ctx;
	(void)at;
	*pages = 1;
	return undefined_code;
}

static void f42_undefined_codes_are_failures(void **state)
{
	static const int codes[] = {1, 1000, -44, -1000, INT32_MIN, INT32_MAX, POISE_E_ARG};
	const struct poise_config config = {.pool_pages = POOL};
	const struct poise_vm_config small = {
		.min_pages = MIN, .boot_pages = BOOT, .max_pages = MAX};
	struct poise_port port = fake_port;
	(void)state;
	port.resize = strange_resize;
	port.measure = strange_measure;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		undefined_code = (enum poise_err)codes[i];
		assert_int_equal(poise_init(&fake.p, sizeof(fake.p), &config, &port, &fake),
				 POISE_OK);
		assert_int_equal(poise_vm_add(&fake.p, 0, &small, MIN), POISE_OK);
		assert_int_equal(vm(0)->unsent, 1);
		assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK);
		assert_int_equal(vm(0)->actual_pages, MIN);
		assert_true(errors(POISE_E_PORT) >= 2);
		assert_int_equal(poise_check(&fake.p), 0);
	}
}

/* F75: memory that is no context, a context of another build, a damaged one. */
static void f75_no_context(void **state)
{
	const struct poise_config config = {.pool_pages = POOL};
	const struct poise_vm_config c = {.min_pages = 1, .max_pages = 1};
	const struct poise_sample sample = {0};
	static struct poise p;
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		memset(&p, i == 0 ? 0 : i == 1 ? 0xff : 0xa5, sizeof(p));
		if (i == 3) {
			assert_int_equal(poise_init(&p, sizeof(p), &config, &fake_port, &fake),
					 POISE_OK);
			p.magic++;
		}
		const struct poise before = p;
		assert_int_equal(poise_vm_add(&p, 0, &c, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_vm_set(&p, 0, &c), POISE_E_CONTEXT);
		assert_int_equal(poise_vm_remove(&p, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_vm_restart(&p, 0, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_pool_set(&p, 1), POISE_E_CONTEXT);
		assert_int_equal(poise_poll(&p, 0, 0, NULL), POISE_E_CONTEXT);
		assert_int_equal(poise_report(&p, 0, 0, &sample), POISE_E_CONTEXT);
		assert_int_equal(poise_report_error(&p, 0, 0, POISE_E_TORN), POISE_E_CONTEXT);
		assert_int_equal(poise_urgent(&p, 0, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_tick(&p, 0), POISE_E_CONTEXT);
		assert_int_equal(poise_ack(&p, 0, 1, 1, 1), POISE_E_CONTEXT);
		assert_int_equal(poise_check(&p), POISE_CHECK_CONTEXT);
		assert_memory_equal(&before, &p, sizeof(p));
	}
	assert_int_equal(poise_vm_add(NULL, 0, &c, 0), POISE_E_ARG);
	assert_int_equal(poise_vm_set(NULL, 0, &c), POISE_E_ARG);
	assert_int_equal(poise_vm_remove(NULL, 0), POISE_E_ARG);
	assert_int_equal(poise_vm_restart(NULL, 0, 0), POISE_E_ARG);
	assert_int_equal(poise_pool_set(NULL, 1), POISE_E_ARG);
	assert_int_equal(poise_poll(NULL, 0, 0, NULL), POISE_E_ARG);
	assert_int_equal(poise_urgent(NULL, 0, 0), POISE_E_ARG);
	assert_int_equal(poise_tick(NULL, 0), POISE_E_ARG);
	static const size_t sizes[] = {0, 1, sizeof(p) - 1, sizeof(p) + 1, SIZE_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(&p, 0x33, sizeof(p));
		assert_int_equal(poise_init(&p, sizes[i], &config, &fake_port, NULL),
				 POISE_E_CONTEXT);
		assert_int_equal(p.magic, 0x33333333);
	}
}

/* Initialising anew is allowed at any time and forgets everything. */
static void init_forgets(void **state)
{
	const struct poise_config config = {.pool_pages = 77};
	static struct poise p;
	(void)state;
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(poise_init(&p, sizeof(p), &config, &fake_port, &fake), POISE_OK);
	assert_int_equal(poise_check(&p), 0);
	assert_int_equal(p.free_pages, 77);
	assert_int_equal(p.epoch, 0);
	assert_int_equal(p.busy, 0);
	assert_ptr_equal(p.port, &fake_port);
	assert_ptr_equal(p.ctx, &fake);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_INIT, 0, 0);
	assert_non_null(r);
}

#define FIELD(name, lo, hi, normal)                                        \
	{                                                                  \
#name, offsetof(struct poise_config, name), lo, hi, normal \
	}
static const struct {
	const char *name;
	size_t offset;
	uint32_t least, most, normal;
} fields[] = {
	FIELD(interval_ms, 10, 60000, 1000),    FIELD(alpha_q10, 1, 1024, 768),
	FIELD(headroom_permille, 1, 500, 100),  FIELD(reserve_permille, 1, 500, 16),
	FIELD(urgent_permille, 1, 500, 8),      FIELD(urgent_gap_ms, 1, 60000, 100),
	FIELD(dead_band_permille, 1, 500, 4),   FIELD(slew_permille, 1, 10000, 2000),
	FIELD(idle_tax_permille, 1, 1000, 750), FIELD(hold_intervals, 1, 10, 3),
	FIELD(freeze_intervals, 3, 1000, 10),   FIELD(answer_intervals, 1, 1000, 3),
	FIELD(progress_permille, 1, 500, 2),
};

static uint32_t *field(struct poise_config *config, size_t offset)
{
	return (uint32_t *)(void *)((char *)config + offset);
}

static void init_fills_in_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		assert_int_equal(*field(&fake.p.config, fields[i].offset), fields[i].normal);
	}
	assert_int_equal(fake.p.config.policy, POISE_POLICY_POISE);
	assert_int_equal(fake.p.config.rules_off, 0);
}

/* Every tunable at, just inside and outside of its range, the others at their defaults. */
static void init_tunables_in_range(void **state)
{
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct {
			uint32_t value;
			bool good;
		} rows[] = {
			{fields[i].least, true},
			{fields[i].most, true},
			/* Zero is the default, so nothing lies below a range that starts at 1. */
			{fields[i].least > 1 ? fields[i].least - 1 : UINT32_MAX, false},
			{fields[i].most + 1, false},
			{UINT32_MAX, false},
		};
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			struct poise_config config = {.pool_pages = POOL};
			*field(&config, fields[i].offset) = rows[k].value;
			const enum poise_err err =
				poise_init(&p, sizeof(p), &config, &fake_port, &fake);
			if (err != (rows[k].good ? POISE_OK : POISE_E_CONFIG)) {
				fail_msg("%s = %u", fields[i].name, rows[k].value);
			}
		}
	}
}

static void f74_init_configuration(void **state)
{
	static const struct {
		struct poise_config config;
		enum poise_err err;
	} rows[] = {
		{{.pool_pages = 0}, POISE_E_CONFIG},
		{{.pool_pages = 1}, POISE_OK},
		{{.pool_pages = POISE_PAGES_MAX}, POISE_OK},
		{{.pool_pages = POISE_PAGES_MAX + 1}, POISE_E_CONFIG},
		{{.pool_pages = UINT64_MAX}, POISE_E_CONFIG},
		{{.pool_pages = 9, .policy = POISE_POLICY_PAPER}, POISE_OK},
		{{.pool_pages = 9, .policy = POISE_POLICY_STATIC}, POISE_OK},
		{{.pool_pages = 9, .policy = POISE_POLICY_COUNT}, POISE_E_CONFIG},
		{{.pool_pages = 9, .policy = UINT32_MAX}, POISE_E_CONFIG},
		{{.pool_pages = 9, .rules_off = POISE_RULES_NEUTRAL}, POISE_OK},
		{{.pool_pages = 9, .rules_off = POISE_RULE_BIT(POISE_RULE_BOUNDS)}, POISE_E_CONFIG},
		{{.pool_pages = 9, .rules_off = 1}, POISE_E_CONFIG},
		{{.pool_pages = 9, .rules_off = UINT32_MAX}, POISE_E_CONFIG},
		{{.pool_pages = 9, .hold_intervals = 10}, POISE_OK},
		{{.pool_pages = 9, .hold_intervals = 11}, POISE_E_CONFIG},
		{{.pool_pages = 9, .freeze_intervals = 2}, POISE_E_CONFIG},
		{{.pool_pages = 9, .hold_intervals = 1000, .freeze_intervals = 1000}, POISE_OK},
		{{.pool_pages = 9, .hold_intervals = 1000, .freeze_intervals = 999},
		 POISE_E_CONFIG},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&p, 0, sizeof(p));
		assert_int_equal(poise_init(&p, sizeof(p), &rows[i].config, &fake_port, &fake),
				 rows[i].err);
		assert_int_equal(p.magic != 0, rows[i].err == POISE_OK);
	}
}

/* --- poise_vm_add --- */

static const struct poise_vm_config good = {.min_pages = MIN, .boot_pages = BOOT, .max_pages = MAX};

static void add_arguments(void **state)
{
	(void)state;
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_add(&fake.p, POISE_VM_MAX, &good, 0));
	const struct poise second = fake.p;
	assert_refused(&second, POISE_E_ARG, poise_vm_add(&fake.p, UINT32_MAX, &good, 0));
	const struct poise third = fake.p;
	assert_refused(&third, POISE_E_ARG, poise_vm_add(&fake.p, 0, NULL, 0));
	const struct poise fourth = fake.p;
	assert_refused(&fourth, POISE_E_ARG, poise_vm_add(&fake.p, 0, &good, POISE_PAGES_MAX + 1));
}

static void f72_every_slot_and_none_beyond(void **state)
{
	const struct poise_vm_config config = {.min_pages = 10, .max_pages = POOL};
	(void)state;
	/* Nobody there: everything works and nothing happens. */
	assert_int_equal(poise_tick(&fake.p, 20000), POISE_OK);
	fake_check(&fake);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		assert_int_equal(poise_vm_add(&fake.p, i, &config, 10), POISE_OK);
		fake.vm[i].real_pages = 10;
		fake_check(&fake);
	}
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_add(&fake.p, POISE_VM_MAX, &config, 10));
	fake_tick(&fake);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		assert_int_equal(poise_vm_remove(&fake.p, i), POISE_OK);
	}
	assert_int_equal(fake.p.free_pages, POOL);
	fake_check(&fake);
}

static void f73_duplicate_and_unknown_slots(void **state)
{
	static const uint32_t slots[] = {0, 1, POISE_VM_MAX - 1};
	static const uint32_t beyond[] = {POISE_VM_MAX, UINT32_MAX - 1, UINT32_MAX};
	struct poise before;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_vm_remove(&fake.p, slots[i]));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_vm_set(&fake.p, slots[i], &good));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_vm_restart(&fake.p, slots[i], 0));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND,
			       poise_poll(&fake.p, slots[i], 99999, NULL));
		before = fake.p;
		assert_refused(&before, POISE_E_NOT_FOUND, poise_urgent(&fake.p, slots[i], 99999));
		fake_add(&fake, slots[i], MIN, MIN, MAX);
		before = fake.p;
		assert_refused(&before, POISE_E_DUP, poise_vm_add(&fake.p, slots[i], &good, 0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_vm_remove(&fake.p, beyond[i]));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_vm_set(&fake.p, beyond[i], &good));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_vm_restart(&fake.p, beyond[i], 0));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_poll(&fake.p, beyond[i], 0, NULL));
		before = fake.p;
		assert_refused(&before, POISE_E_ARG, poise_urgent(&fake.p, beyond[i], 0));
	}
}

static const struct {
	struct poise_vm_config config;
	enum poise_err err;
} vm_configs[] = {
	{{.min_pages = 0, .max_pages = MAX}, POISE_E_CONFIG},
	{{.min_pages = 1, .max_pages = 0}, POISE_E_CONFIG},
	{{.min_pages = 1, .max_pages = 1}, POISE_OK},
	{{.min_pages = MAX, .max_pages = MAX - 1}, POISE_E_CONFIG},
	{{.min_pages = MIN, .boot_pages = MIN - 1, .max_pages = MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .boot_pages = MIN, .max_pages = MAX}, POISE_OK},
	{{.min_pages = MIN, .boot_pages = MAX, .max_pages = MAX}, POISE_OK},
	{{.min_pages = MIN, .boot_pages = MAX + 1, .max_pages = MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = POOL}, POISE_OK},
	{{.min_pages = MIN, .max_pages = POOL + 1}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = UINT64_MAX}, POISE_E_CONFIG},
	{{.min_pages = UINT64_MAX, .max_pages = UINT64_MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .weight = 1}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .weight = 65535}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .weight = 65536}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .weight = UINT32_MAX}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .basis = POISE_BASIS_RESIDENT}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .basis = POISE_BASIS_COUNT}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .flags = POISE_VM_FLAGS}, POISE_OK},
	{{.min_pages = MIN, .max_pages = MAX, .flags = POISE_VM_FLAGS + 1}, POISE_E_CONFIG},
	{{.min_pages = MIN, .max_pages = MAX, .reserved = 1}, POISE_E_CONFIG},
};

static void f74_vm_configuration(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vm_configs); i++) {
		(void)start(NULL);
		struct poise before = fake.p;
		enum poise_err err = poise_vm_add(&fake.p, 0, &vm_configs[i].config, 0);
		if (vm_configs[i].err != POISE_OK) {
			assert_refused(&before, vm_configs[i].err, err);
		}
		assert_int_equal(err, vm_configs[i].err);
		/* The same for a VM that is there; the context stays of use. */
		(void)start(NULL);
		fake_add(&fake, 0, MIN, BOOT, MAX);
		before = fake.p;
		err = poise_vm_set(&fake.p, 0, &vm_configs[i].config);
		if (vm_configs[i].err != POISE_OK) {
			assert_refused(&before, vm_configs[i].err, err);
		}
		assert_int_equal(err, vm_configs[i].err);
		fake_tick(&fake);
	}
	/* Defaults. */
	const struct poise_vm_config least = {.min_pages = 5, .max_pages = 10};
	(void)start(NULL);
	assert_int_equal(poise_vm_add(&fake.p, 0, &least, 5), POISE_OK);
	assert_int_equal(vm(0)->config.boot_pages, 5);
	assert_int_equal(vm(0)->config.weight, 100);
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_set(&fake.p, 0, NULL));
}

/* F47: the sum of reservations must fit, to the page. */
static void f47_infeasible(void **state)
{
	struct poise_vm_config config = {.min_pages = POOL / 2, .max_pages = POOL};
	struct poise before;
	(void)state;
	fake_add(&fake, 0, POOL / 2, POOL / 2, POOL);
	config.min_pages = POOL / 2 + 1;
	before = fake.p;
	assert_refused(&before, POISE_E_INFEASIBLE, poise_vm_add(&fake.p, 1, &config, 0));
	fake_add(&fake, 1, POOL / 2, POOL / 2, POOL);
	config.min_pages = 1;
	before = fake.p;
	assert_refused(&before, POISE_E_INFEASIBLE, poise_vm_add(&fake.p, 2, &config, 0));
	config.min_pages = POOL / 2 + 1;
	before = fake.p;
	assert_refused(&before, POISE_E_INFEASIBLE, poise_vm_set(&fake.p, 1, &config));
	config.min_pages = POOL / 2;
	assert_int_equal(poise_vm_set(&fake.p, 1, &config), POISE_OK);
	assert_int_equal(poise_vm_remove(&fake.p, 0), POISE_OK);
	config.min_pages = POOL;
	assert_int_equal(poise_vm_set(&fake.p, 1, &config), POISE_OK);
}

static void add_gives_the_boot_size_as_far_as_memory_goes(void **state)
{
	static const struct {
		uint64_t taken, actual, target;
		int64_t free;
	} rows[] = {
		{0, 0, BOOT, POOL - BOOT},
		{0, MIN, BOOT, POOL - BOOT},
		{0, BOOT, BOOT, POOL - BOOT},
		{0, MAX, MAX, POOL - MAX},             /* has more already: charged for it */
		{0, MAX + 5, MAX + 5, POOL - MAX - 5}, /* even above its limit */
		{0, POOL + 9, POOL + 9, -9},           /* or above the pool: a debt */
		{POOL - 3000, 0, 3000, 0},             /* what there is */
		{POOL, 0, 0, 0},                       /* nothing: it cannot start yet */
		{POOL, 500, 500, -500},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)start(NULL);
		if (rows[i].taken != 0) {
			fake_add(&fake, 1, MIN, rows[i].taken, POOL);
		}
		fake_forget(&fake);
		fake.vm[0].real_pages = rows[i].actual;
		assert_int_equal(poise_vm_add(&fake.p, 0, &good, rows[i].actual), POISE_OK);
		fake_check(&fake);
		assert_int_equal(vm(0)->target_pages, rows[i].target);
		assert_int_equal(vm(0)->actual_pages, rows[i].actual);
		assert_int_equal(fake.p.free_pages, rows[i].free);
		assert_int_equal(vm(0)->state, POISE_VM_UNMANAGED);
		assert_non_null(fake_find(&fake, POISE_EVENT_ADD, 0, 0));
		/* The guest is told, unless there is nothing to tell. */
		assert_int_equal(fake.calls[FAKE_NOTIFY], rows[i].target != 0);
		assert_int_equal(fake.vm[0].notice.target_pages, rows[i].target);
	}
}

/* F46: one that is added while others wait gets its memory from the next plans. */
static void f46_add_while_memory_is_in_flight(void **state)
{
	(void)state;
	fake_start_pool(&fake, 10000);
	fake_add(&fake, 0, MIN, 8000, 9000);
	fake_add(&fake, 1, MIN, 2000, 9000);
	/* VM 0 is quarantined with more than its boot size, VM 1 is on its way up. */
	vm(0)->config.boot_pages = 3000;
	vm(0)->state = POISE_VM_QUARANTINED;
	fake.speed_pages = 400;
	fake_tick(&fake);
	assert_int_equal(poise_vm_add(&fake.p, 2, &good, 0), POISE_OK);
	fake.vm[2].real_pages = 0;
	fake_check(&fake);
	for (unsigned i = 0; i < 20; i++) {
		fake_tick(&fake);
		assert_true(fake.p.free_pages >= 0);
	}
	assert_int_equal(fake.vm[2].real_pages, BOOT);
	assert_true(fake.vm[0].real_pages >= 3000);
}

/* --- removal --- */

/* F43, F44: whatever is in flight, a VM's pages come back once, and no one else's do. */
static void f43_f44_remove_in_every_phase(void **state)
{
	static const enum fake_answer answers[] = {FAKE_OK,   FAKE_ERROR,     FAKE_SHORT,
						   FAKE_LATE, FAKE_DUPLICATE, FAKE_NEVER};
	(void)state;
	for (size_t answer = 0; answer < ARRAY_SIZE(answers); answer++) {
		for (unsigned phase = 0; phase < 6; phase++) {
			for (unsigned grows = 0; grows < 2; grows++) {
				(void)start(NULL);
				fake_add(&fake, 0, MIN, BOOT, MAX);
				fake_add(&fake, 1, MIN, BOOT, MAX);
				fake.answer[FAKE_RESIZE] = answers[answer];
				fake.speed_pages = 300;
				vm(0)->goal_pages = grows != 0 ? 7000 : 2000;
				poise_resize_ask(&fake.p, 0, vm(0)->goal_pages);
				for (unsigned i = 0; i < phase; i++) {
					fake_tick(&fake);
				}
				const uint64_t charge = poise_vm_charge(vm(0));
				const uint64_t other = poise_vm_charge(vm(1));
				const int64_t free_pages = fake.p.free_pages;
				const uint64_t epoch = vm(0)->epoch;
				fake_forget(&fake);
				assert_int_equal(poise_vm_remove(&fake.p, 0), POISE_OK);
				fake.vm[0].real_pages = 0;
				fake_check(&fake);
				const struct fake_record *r =
					fake_find(&fake, POISE_EVENT_REMOVE, 0, 0);
				assert_non_null(r);
				assert_int_equal(r->a, charge);
				assert_int_equal(fake.p.free_pages,
						 free_pages + (int64_t)charge -
							 (int64_t)(poise_vm_charge(vm(1)) - other));
				const struct poise before = fake.p;
				assert_refused(&before, POISE_E_NOT_FOUND,
					       poise_ack(&fake.p, 0, epoch, 1, 0));
				const struct poise after = fake.p;
				assert_refused(&after, POISE_E_NOT_FOUND,
					       poise_vm_remove(&fake.p, 0));
				const struct poise_vm empty = {0};
				assert_memory_equal(vm(0), &empty, sizeof(empty));
				fake_tick(&fake);
			}
		}
	}
}

/* F44: the donor has answered and the receiver is gone: the next one that waits gets it. */
static void f44_grant_to_one_that_has_gone(void **state)
{
	(void)state;
	fake_start_pool(&fake, 9000);
	fake_add(&fake, 0, MIN, 3000, 9000);
	fake_add(&fake, 1, MIN, 3000, 9000);
	fake_add(&fake, 2, MIN, 3000, 9000);
	vm(1)->goal_pages = 5000;
	vm(2)->goal_pages = 4000;
	vm(0)->goal_pages = 1000;
	poise_resize_ask(&fake.p, 0, 1000);
	assert_int_equal(poise_vm_remove(&fake.p, 1), POISE_OK);
	fake.vm[1] = (struct fake_vm){0};
	assert_int_equal(vm(2)->target_pages, 4000);
	fake_step(&fake);
	assert_int_equal(fake.p.free_pages, 9000 - 1000 - 4000);
}

/* --- restart --- */

static void f45_restart(void **state)
{
	static const struct {
		uint64_t actual, restarted, charge;
	} rows[] = {{BOOT, BOOT, BOOT}, {MAX, BOOT, MAX}, {BOOT, MAX, MAX}, {BOOT, 0, BOOT}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct poise_guest_update update = support_update(MAX);
		(void)start(NULL);
		fake_add(&fake, 0, MIN, BOOT, MAX);
		fake_manage(&fake, 0, &update);
		poise_ledger_set(&fake.p, vm(0), rows[i].actual, rows[i].actual);
		fake_forget(&fake);
		assert_int_equal(poise_vm_restart(&fake.p, 0, rows[i].restarted), POISE_OK);
		fake.vm[0].real_pages = rows[i].restarted;
		fake_check(&fake);
		assert_int_equal(vm(0)->target_pages, BOOT);
		assert_int_equal(poise_vm_charge(vm(0)), rows[i].charge);
		assert_int_equal(vm(0)->state, POISE_VM_UNMANAGED);
		assert_int_equal(vm(0)->forecast.steps, 0);
		assert_int_equal(fake.vm[0].notice.boot_id, 0);
		assert_int_equal(fake.vm[0].notice.target_pages, BOOT);
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_RESTART, 0, 0);
		assert_non_null(r);
		assert_int_equal(r->a, rows[i].restarted);
	}
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_ARG, poise_vm_restart(&fake.p, 0, POISE_PAGES_MAX + 1));
}

/* F48: restored elsewhere: the first sample is a base line only, the target is asked for anew. */
static void f48_restored_from_elsewhere(void **state)
{
	struct poise_guest_update update = support_update(MAX);
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_manage(&fake, 0, &update);
	const uint64_t epoch = vm(0)->epoch;
	assert_int_equal(poise_vm_restart(&fake.p, 0, BOOT), POISE_OK);
	assert_true(vm(0)->epoch > epoch);
	assert_int_equal(fake.last_target[0], BOOT);
	update.body.sample += 1000000;
	update.boot_id++;
	assert_int_equal(fake_report(&fake, 0, &update), POISE_OK);
	assert_int_equal(vm(0)->state, POISE_VM_UNMANAGED);
	assert_int_equal(vm(0)->forecast.delta_q16, 0);
}

/* --- limits changed while memory is in flight --- */

static void f76_limits_change_in_flight(void **state)
{
	struct poise_vm_config config = good;
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_add(&fake, 1, MIN, BOOT, MAX);
	fake.speed_pages = 500;
	vm(0)->goal_pages = 8000;
	poise_resize_ask(&fake.p, 0, 8000);
	fake_tick(&fake);
	const uint64_t charge = poise_vm_charge(vm(0));
	config.max_pages = 5000;
	assert_int_equal(poise_vm_set(&fake.p, 0, &config), POISE_OK);
	fake_check(&fake);
	assert_int_equal(poise_vm_charge(vm(0)), charge); /* nothing before the next plan */
	assert_true(vm(0)->goal_pages <= 5000);
	config.max_pages = MAX;
	config.min_pages = 3000;
	assert_int_equal(poise_vm_set(&fake.p, 0, &config), POISE_OK);
	fake_check(&fake);
	config.weight = 65535;
	assert_int_equal(poise_vm_set(&fake.p, 1, &config), POISE_OK);
	assert_int_equal(vm(1)->config.weight, 65535);
	for (unsigned i = 0; i < 20; i++) {
		fake_tick(&fake);
	}
	assert_true(fake.vm[0].real_pages >= 3000);
	assert_non_null(fake_find(&fake, POISE_EVENT_SET, 0, 0));
}

/* --- the pool --- */

static void pool_set_arguments(void **state)
{
	static const struct {
		uint64_t pages;
		enum poise_err err;
	} rows[] = {
		{0, POISE_E_ARG},
		{POISE_PAGES_MAX + 1, POISE_E_ARG},
		{UINT64_MAX, POISE_E_ARG},
		{MIN - 1, POISE_E_INFEASIBLE},
	};
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise before = fake.p;
		assert_refused(&before, rows[i].err, poise_pool_set(&fake.p, rows[i].pages));
	}
}

static void f52_f53_pool_shrinks_and_grows(void **state)
{
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_add(&fake, 1, MIN, BOOT, MAX);
	fake_forget(&fake);
	assert_int_equal(poise_pool_set(&fake.p, 7000), POISE_OK);
	assert_int_equal(fake.p.free_pages, -1000);
	fake_check(&fake);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_POOL, 0, 0);
	assert_non_null(r);
	assert_int_equal(r->a, 7000);
	/* Nothing is given from a debt. */
	vm(0)->goal_pages = MAX;
	poise_resize_settle(&fake.p);
	assert_int_equal(vm(0)->target_pages, BOOT);
	vm(0)->goal_pages = BOOT;
	/* All the way down to the reservations. */
	vm(0)->state = POISE_VM_QUARANTINED;
	vm(1)->state = POISE_VM_QUARANTINED;
	assert_int_equal(poise_pool_set(&fake.p, 2 * MIN), POISE_OK);
	for (unsigned i = 0; i < 12; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(fake.p.free_pages, 0);
	assert_int_equal(fake.vm[0].real_pages, MIN);
	assert_int_equal(fake.vm[1].real_pages, MIN);
	assert_int_equal(poise_pool_set(&fake.p, POOL), POISE_OK);
	for (unsigned i = 0; i < 12; i++) {
		fake_tick(&fake);
	}
	assert_int_equal(fake.vm[0].real_pages, BOOT);
	assert_int_equal(fake.vm[1].real_pages, BOOT);
}

/* F54, F55: a count that fails or is absurd leaves the last one in force. */
static void f54_measure_fails_or_is_absurd(void **state)
{
	static const enum fake_answer answers[] = {FAKE_ERROR, FAKE_SHORT, FAKE_LATE, FAKE_NEVER};
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		fake_forget(&fake);
		fake.answer[FAKE_MEASURE] = answers[i];
		assert_int_equal(poise_tick(&fake.p, 20000 + i), POISE_OK);
		assert_int_equal(vm(0)->actual_pages, BOOT);
		assert_int_equal(errors(POISE_E_PORT), i + 1);
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_MEASURE, 0, 0);
		assert_non_null(r);
		assert_int_not_equal(r->err, POISE_OK);
		assert_int_equal(r->a, BOOT);
	}
	fake.answer[FAKE_MEASURE] = FAKE_OK;
	fake_forget(&fake);
	fake.vm[0].real_pages = POISE_PAGES_MAX + 1;
	assert_int_equal(poise_tick(&fake.p, 30000), POISE_OK);
	assert_int_equal(vm(0)->actual_pages, BOOT);
	fake.vm[0].real_pages = BOOT;
	fake_forget(&fake);
	assert_int_equal(poise_tick(&fake.p, 31000), POISE_OK);
	assert_null(fake_find(&fake, POISE_EVENT_MEASURE, 0, 0)); /* unchanged: no record */
	fake.vm[0].real_pages = BOOT - 5;
	assert_int_equal(poise_tick(&fake.p, 32000), POISE_OK);
	assert_non_null(fake_find(&fake, POISE_EVENT_MEASURE, 0, 0));
	assert_int_equal(vm(0)->actual_pages, BOOT - 5);
}

/* F55: page tables of a larger VM cost a little more than was asked for. */
static void f55_a_reserve_that_is_eaten_into_makes_no_storm_of_requests(void **state)
{
	(void)state;
	fake_start_pool(&fake, 8000);
	fake_add(&fake, 0, MIN, BOOT, 8000);
	fake_add(&fake, 1, MIN, 3900, 8000);
	fake_forget(&fake);
	fake.vm[0].real_pages = BOOT + 50; /* of the reserve of 128, 100 were free */
	for (unsigned i = 0; i < 20; i++) {
		fake_tick(&fake);
		assert_int_equal(fake.p.free_pages, 50);
	}
	/* After a window its target is what it has, and that was all. */
	assert_int_equal(vm(0)->target_pages, BOOT + 50);
	assert_int_equal(fake.calls[FAKE_RESIZE], 1);
}

/* F40: the guest says that its balloon grows; the hypervisor has not got a page of it. */
static void f40_inflation_that_frees_nothing(void **state)
{
	struct poise_guest_update idle = support_update(MAX);
	(void)state;
	fake_start_pool(&fake, 9000);
	fake_add(&fake, 0, MIN, BOOT, 9000);
	fake_add(&fake, 1, MIN, 5000, 9000);
	fake_manage(&fake, 0, &idle);
	vm(1)->goal_pages = 8000;
	fake.answer[FAKE_RESIZE] = FAKE_NEVER;
	poise_resize_ask(&fake.p, 0, 2000);
	for (unsigned i = 0; i < 12; i++) {
		idle.body.balloon_pages = MAX - vm(0)->target_pages;
		idle.body.free_pages = vm(0)->target_pages / 2;
		idle.body.active_file_pages = 0;
		idle.body.inactive_file_pages = 0;
		idle.body.active_anon_pages = 0;
		idle.body.inactive_anon_pages = 0;
		idle.body.available_pages = 0;
		assert_int_equal(fake_report(&fake, 0, &idle), POISE_OK);
		fake_tick(&fake);
		/* Not a page of it is given to the one that waits. */
		assert_int_equal(poise_vm_charge(vm(0)), BOOT);
		assert_int_equal(vm(1)->target_pages, 5000);
	}
	assert_true(vm(0)->strikes >= 1);
	assert_true(errors(POISE_E_LOST) >= 1);
}

/* --- F70: calls from within a call --- */

static struct poise *inner;
static unsigned inner_refused;

static void call_back(void)
{
	const struct poise_sample sample = {0};
	inner_refused += poise_tick(inner, 1) == POISE_E_STATE;
	inner_refused += poise_vm_add(inner, 1, &good, 0) == POISE_E_STATE;
	inner_refused += poise_vm_set(inner, 0, &good) == POISE_E_STATE;
	inner_refused += poise_vm_remove(inner, 0) == POISE_E_STATE;
	inner_refused += poise_vm_restart(inner, 0, 0) == POISE_E_STATE;
	inner_refused += poise_pool_set(inner, POOL) == POISE_E_STATE;
	inner_refused += poise_poll(inner, 0, 0, NULL) == POISE_E_STATE;
	inner_refused += poise_report(inner, 0, 0, &sample) == POISE_E_STATE;
	inner_refused += poise_report_error(inner, 0, 0, POISE_E_TORN) == POISE_E_STATE;
	inner_refused += poise_urgent(inner, 0, 0) == POISE_E_STATE;
	inner_refused += poise_ack(inner, 0, 1, 1, 1) == POISE_E_STATE;
}
static enum poise_err reentrant_resize(void *ctx, uint32_t at, uint64_t target, uint64_t epoch)
{
	(void)ctx;
	(void)at;
	(void)target;
	(void)epoch;
	call_back();
	return POISE_OK;
}
static enum poise_err reentrant_measure(void *ctx, uint32_t at, uint64_t *pages)
{
	(void)ctx;
	(void)at;
	(void)pages;
	call_back();
	return POISE_OK;
}
static void reentrant_notify(void *ctx, uint32_t at, const struct poise_notice *notice)
{
	(void)ctx;
	(void)at;
	(void)notice;
	call_back();
}

static void f70_calls_from_within_a_call(void **state)
{
	static const struct poise_config config = {.pool_pages = POOL};
	struct poise_port port = fake_port;
	(void)state;
	port.resize = reentrant_resize;
	port.measure = reentrant_measure;
	port.notify = reentrant_notify;
	assert_int_equal(poise_init(&fake.p, sizeof(fake.p), &config, &port, &fake), POISE_OK);
	inner = &fake.p;
	inner_refused = 0;
	assert_int_equal(poise_vm_add(&fake.p, 0, &good, 0), POISE_OK); /* resize and notify */
	assert_int_equal(inner_refused, 22);
	assert_int_equal(errors(POISE_E_STATE), 22);
	assert_int_equal(poise_tick(&fake.p, 1000), POISE_OK); /* measure */
	assert_int_equal(inner_refused, 33);
	assert_int_equal(fake.p.now_ms, 1000);
	assert_int_equal(vm(0)->target_pages, BOOT);
	assert_int_equal(poise_check(&fake.p), 0);
	/* From another CPU, in the midst of it all: the flag is what counts. */
	fake.p.busy = 1;
	const struct poise before = fake.p;
	assert_refused(&before, POISE_E_STATE, poise_tick(&fake.p, 2000));
	assert_true((poise_check(&fake.p) & POISE_CHECK_CONTEXT) != 0);
	fake.p.busy = 0;
}

/* --- the tick --- */

static void f67_f68_ticks_at_any_time(void **state)
{
	static const uint64_t gaps[] = {0,    0,     1,       500,  1500, 10000,
					1000, 10000, 1000000, 1000, 0,    UINT64_C(1) << 40};
	(void)state;
	fake_add(&fake, 0, MIN, MAX, MAX);
	vm(0)->config.boot_pages = MIN;
	vm(0)->state = POISE_VM_QUARANTINED;
	vm(0)->goal_pages = MAX;
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		const uint64_t before = vm(0)->target_pages;
		fake.now_ms += gaps[i];
		fake_step(&fake);
		assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
		fake_check(&fake);
		/* Half a VM a second, over two seconds at most; and three quarters of what is idle.
		 */
		const uint64_t seconds_ms = gaps[i] < 2000 ? gaps[i] : 2000;
		const uint64_t slewed = before - before * seconds_ms / 2000;
		assert_true(vm(0)->target_pages >= (slewed > MIN ? slewed : MIN));
		if (gaps[i] == 0 && i > 0) {
			assert_int_equal(vm(0)->target_pages, before);
		}
	}
}

static void f69_clock_wraps(void **state)
{
	static const uint64_t times[] = {UINT32_MAX - 1,
					 UINT64_C(1) << 32,
					 (UINT64_C(1) << 32) + 1000,
					 5,
					 UINT64_MAX - 1000,
					 UINT64_MAX,
					 0,
					 UINT64_MAX};
	uint64_t latest = 0;
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		assert_int_equal(poise_tick(&fake.p, times[i]), POISE_OK);
		latest = times[i] > latest ? times[i] : latest;
		assert_int_equal(fake.p.now_ms, latest);
		fake_check(&fake);
	}
}

static void notify_only_what_is_new(void **state)
{
	struct poise_guest_update update = support_update(MAX);
	(void)state;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	assert_int_equal(fake.calls[FAKE_NOTIFY], 1);
	assert_int_equal(fake.vm[0].notice.state, POISE_VM_UNMANAGED);
	assert_int_equal(fake.vm[0].notice.interval_ms, 1000);
	fake_tick(&fake);
	assert_int_equal(fake.calls[FAKE_NOTIFY], 1);
	fake_manage(&fake, 0, &update);
	assert_int_equal(poise_tick(&fake.p, fake.now_ms), POISE_OK);
	assert_int_equal(fake.calls[FAKE_NOTIFY], 2);
	assert_int_equal(fake.vm[0].notice.state, POISE_VM_MANAGED);
	assert_int_equal(fake.vm[0].notice.boot_id, update.boot_id);
}

/* --- polling and urgency --- */

static _Alignas(4096) struct poise_guest_page page;
static _Alignas(4096) struct poise_host_page host_page;

static void poll_reads_reports_and_hears_the_urgent_word(void **state)
{
	struct gd gd;
	struct poise_abi_guest counters = {.free_pages = 10, .inactive_anon_pages = 3000};
	(void)state;
	memset(&page, 0, sizeof(page));
	assert_int_equal(
		gd_init(&gd, &page, &host_page, 1, MAX, POISE_GF_ANON_INACTIVE | POISE_GF_URGENT),
		0);
	counters.balloon_pages = MAX - BOOT;
	fake_add(&fake, 0, MIN, BOOT, MAX);
	fake_forget(&fake);
	assert_int_equal(poise_poll(&fake.p, 0, 10000, &page), POISE_E_MAGIC);
	assert_int_equal(errors(POISE_E_MAGIC), 1);
	gd_publish(&gd, &counters);
	assert_int_equal(poise_poll(&fake.p, 0, 11000, &page), POISE_OK);
	assert_int_equal(poise_poll(&fake.p, 0, 11500, &page), POISE_E_STALE);
	assert_int_equal(poise_poll(&fake.p, 0, 11600, NULL), POISE_E_UNMAPPED);
	/* Raised too early: not managed. Counted, and the word is not looked at twice. */
	assert_int_equal(gd_urgent(&gd, 0, 0), 1);
	gd_publish(&gd, &counters);
	assert_int_equal(poise_poll(&fake.p, 0, 12000, &page), POISE_OK);
	assert_int_equal(errors(POISE_E_STATE), 1);
	gd_publish(&gd, &counters);
	assert_int_equal(poise_poll(&fake.p, 0, 13000, &page), POISE_OK);
	assert_int_equal(errors(POISE_E_STATE), 1);
	assert_int_equal(vm(0)->state, POISE_VM_MANAGED);
	assert_null(fake_find(&fake, POISE_EVENT_URGENT, 0, 0));
	/* Raised in time: an early tick with the numbers that were published before it. */
	counters.swap_used_pages = 2000;
	counters.inactive_anon_pages = 3980;
	gd_publish(&gd, &counters);
	assert_int_equal(gd_urgent(&gd, 1, 0), 1);
	assert_int_equal(poise_poll(&fake.p, 0, 14000, &page), POISE_OK);
	const struct fake_record *r = fake_find(&fake, POISE_EVENT_URGENT, 0, 0);
	assert_non_null(r);
	assert_int_equal(r->a, 1);
	assert_true(vm(0)->target_pages > BOOT);
	assert_int_equal(vm(0)->urgent, 0);
	/* The word counts even if the sample does not. */
	assert_int_equal(gd_urgent(&gd, 2, 0), 1);
	assert_int_equal(poise_poll(&fake.p, 0, 14500, &page), POISE_E_STALE);
	assert_non_null(fake_find(&fake, POISE_EVENT_URGENT, 0, 1));
	fake_check(&fake);
}

/* Makes a managed VM that is short of memory, or one that could help itself. */
static void managed(bool needy)
{
	struct poise_guest_update update = support_update(MAX);
	(void)start(NULL);
	fake_add(&fake, 0, MIN, BOOT, MAX);
	update.body.balloon_pages = MAX - BOOT;
	update.body.available_pages = 0;
	update.body.active_file_pages = 0;
	update.body.active_anon_pages = 0;
	update.body.free_pages = needy ? 0 : 2000;
	update.body.inactive_file_pages = 0;
	update.body.inactive_anon_pages = needy ? 4000 : 500;
	fake_manage(&fake, 0, &update);
	fake_forget(&fake);
}

static void f27_urgent_is_rate_limited(void **state)
{
	static const struct {
		uint64_t after_ms;
		enum poise_err err;
	} rows[] = {
		{0, POISE_OK},      {0, POISE_E_BUSY},  {99, POISE_E_BUSY}, {1, POISE_OK},
		{50, POISE_E_BUSY}, {49, POISE_E_BUSY}, {2, POISE_OK},      {1000, POISE_OK},
	};
	uint64_t early = 0;
	uint64_t busy = 0;
	(void)state;
	managed(true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fake.now_ms += rows[i].after_ms;
		assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), rows[i].err);
		early += rows[i].err == POISE_OK;
		busy += rows[i].err == POISE_E_BUSY;
		assert_int_equal(errors(POISE_E_BUSY), busy);
		const struct fake_record *r = fake_find(&fake, POISE_EVENT_URGENT, 0, (uint32_t)i);
		assert_non_null(r);
		assert_int_equal(r->a, rows[i].err == POISE_OK);
	}
	assert_int_equal(early, 4);
}

/* A million doorbells in a second: as many early ticks as gaps, whatever the load. */
static void f27_storm_of_doorbells(void **state)
{
	(void)state;
	managed(true);
	unsigned early = 0;
	for (unsigned i = 0; i < 100000; i++) {
		early += poise_urgent(&fake.p, 0, fake.now_ms + i / 100) == POISE_OK;
	}
	assert_int_equal(early, 10);
	assert_int_equal(errors(POISE_E_BUSY), 100000 - 10);
}

/* F29: asking without need makes the next wait twice as long, up to a second. */
static void f29_needless_requests_wait_longer(void **state)
{
	static const uint32_t gaps[] = {200, 400, 800, 1000, 1000};
	(void)state;
	managed(false);
	for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
		assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), POISE_OK);
		assert_int_equal(vm(0)->urgent_gap, gaps[i]);
		assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms + gaps[i] - 1), POISE_E_BUSY);
		fake.now_ms += gaps[i];
	}
	/* One with need is back at the beginning. */
	vm(0)->forecast.reclaimable_q16 = -1;
	assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), POISE_OK);
	assert_int_equal(vm(0)->urgent_gap, 100);
	/* A gap that is longer than a second by configuration does not shrink. */
	managed(false);
	fake.p.config.urgent_gap_ms = 5000;
	vm(0)->urgent_gap = 5000;
	assert_int_equal(poise_urgent(&fake.p, 0, fake.now_ms), POISE_OK);
	assert_int_equal(vm(0)->urgent_gap, 5000);
}

static void f28_doorbells_of_no_one(void **state)
{
	static const uint32_t states[] = {POISE_VM_UNMANAGED, POISE_VM_STALE, POISE_VM_FROZEN,
					  POISE_VM_QUARANTINED};
	(void)state;
	assert_int_equal(poise_urgent(&fake.p, 0, 1), POISE_E_NOT_FOUND);
	assert_int_equal(poise_urgent(&fake.p, POISE_VM_MAX, 1), POISE_E_ARG);
	fake_add(&fake, 0, MIN, BOOT, MAX);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		vm(0)->state = states[i];
		fake_forget(&fake);
		assert_int_equal(poise_urgent(&fake.p, 0, 100000), POISE_E_STATE);
		assert_int_equal(errors(POISE_E_STATE), i + 1);
		assert_null(fake_find(&fake, POISE_EVENT_URGENT, 0, 0));
		assert_int_equal(fake.calls[FAKE_RESIZE], 0);
	}
	vm(0)->state = POISE_VM_UNMANAGED;
	assert_int_equal(poise_vm_remove(&fake.p, 0), POISE_OK);
	assert_int_equal(poise_urgent(&fake.p, 0, 100000), POISE_E_NOT_FOUND);
}

/* At the very first millisecond, too: time 0 is no "never". */
static void urgent_at_time_zero(void **state)
{
	(void)state;
	managed(true);
	fake.p.now_ms = 0;
	vm(0)->sample_ms = 0;
	assert_int_equal(poise_urgent(&fake.p, 0, 0), POISE_OK);
	assert_int_equal(poise_urgent(&fake.p, 0, 0), POISE_E_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_arguments),
		cmocka_unit_test(f42_port_functions_must_be_there),
		cmocka_unit_test(f42_undefined_codes_are_failures),
		cmocka_unit_test(f75_no_context),
		cmocka_unit_test_setup(init_forgets, start),
		cmocka_unit_test_setup(init_fills_in_defaults, start),
		cmocka_unit_test_setup(init_tunables_in_range, start),
		cmocka_unit_test_setup(f74_init_configuration, start),
		cmocka_unit_test_setup(add_arguments, start),
		cmocka_unit_test_setup(f72_every_slot_and_none_beyond, start),
		cmocka_unit_test_setup(f73_duplicate_and_unknown_slots, start),
		cmocka_unit_test_setup(f74_vm_configuration, start),
		cmocka_unit_test_setup(f47_infeasible, start),
		cmocka_unit_test(add_gives_the_boot_size_as_far_as_memory_goes),
		cmocka_unit_test_setup(f46_add_while_memory_is_in_flight, start),
		cmocka_unit_test(f43_f44_remove_in_every_phase),
		cmocka_unit_test_setup(f44_grant_to_one_that_has_gone, start),
		cmocka_unit_test(f45_restart),
		cmocka_unit_test_setup(f48_restored_from_elsewhere, start),
		cmocka_unit_test_setup(f76_limits_change_in_flight, start),
		cmocka_unit_test_setup(pool_set_arguments, start),
		cmocka_unit_test_setup(f52_f53_pool_shrinks_and_grows, start),
		cmocka_unit_test_setup(f54_measure_fails_or_is_absurd, start),
		cmocka_unit_test(f55_a_reserve_that_is_eaten_into_makes_no_storm_of_requests),
		cmocka_unit_test(f40_inflation_that_frees_nothing),
		cmocka_unit_test_setup(f70_calls_from_within_a_call, start),
		cmocka_unit_test_setup(f67_f68_ticks_at_any_time, start),
		cmocka_unit_test_setup(f69_clock_wraps, start),
		cmocka_unit_test_setup(notify_only_what_is_new, start),
		cmocka_unit_test_setup(poll_reads_reports_and_hears_the_urgent_word, start),
		cmocka_unit_test(f27_urgent_is_rate_limited),
		cmocka_unit_test(f27_storm_of_doorbells),
		cmocka_unit_test(f29_needless_requests_wait_longer),
		cmocka_unit_test_setup(f28_doorbells_of_no_one, start),
		cmocka_unit_test(urgent_at_time_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
