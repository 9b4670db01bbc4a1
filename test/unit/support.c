/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "poise_seq.h"

uint64_t random_next(uint64_t *state)
{
	/* splitmix64 (Steele, Lea, Flood 2014): any seed is a good one. */
	*state += 0x9e3779b97f4a7c15u;
	uint64_t z = *state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t random_upto(uint64_t *state, uint64_t most)
{
	const uint64_t kind = random_next(state) % 8;
	if (kind == 0) {
		return 0;
	}
	if (kind == 1) {
		return most;
	}
	const uint64_t mask = kind < 4 ? UINT64_MAX >> (random_next(state) % 64) : UINT64_MAX;
	const uint64_t value = random_next(state) & mask;
	return most == UINT64_MAX ? value : value % (most + 1);
}

struct poise_guest_update support_update(uint64_t total_pages)
{
	struct poise_guest_update update = {
		.magic = POISE_ABI_GUEST_MAGIC,
		.version = POISE_ABI_VERSION,
		.compat = POISE_ABI_COMPAT,
		.features = POISE_GF_KNOWN & ~POISE_GF_MGLRU,
		.length = POISE_ABI_GUEST_LENGTH,
		.boot_id = 0xb007,
		.body = {.sample = 1,
			 .guest_ms = 1000,
			 .total_pages = total_pages,
			 .free_pages = total_pages / 2,
			 .active_file_pages = total_pages / 16,
			 .inactive_file_pages = total_pages / 16,
			 .active_anon_pages = total_pages / 16,
			 .inactive_anon_pages = total_pages / 8,
			 .available_pages = total_pages / 2,
			 .committed_pages = total_pages / 4},
	};
	support_seal(&update);
	return update;
}

void support_seal(struct poise_guest_update *update)
{
	const uint32_t length =
		update->length < POISE_ABI_GUEST_LENGTH ? update->length : POISE_ABI_GUEST_LENGTH;
	update->checksum = poise_seq_checksum(update, offsetof(struct poise_guest_update, body) +
							      length / 8 * 8);
}

void support_page(struct poise_guest_page *page, const struct poise_guest_update *update)
{
	memset(page, 0, sizeof(*page));
	page->head.seq = 2;
	page->update = *update;
}

struct poise_sample support_sample(const struct poise_guest_update *update)
{
	struct poise_sample sample;
	_Static_assert(sizeof(sample) == sizeof(*update), "a sample is laid out as the update");
	memcpy(&sample, update, sizeof(sample));
	return sample;
}

/* Counts a call and says how it goes. */
static enum fake_answer answer_next(struct fake *f, enum fake_call call)
{
	f->calls[call]++;
	return f->calls[call] == f->fault_at[call] ? f->fault[call] : f->answer[call];
}

static enum poise_err fake_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct fake *f = ctx;
	struct fake_vm *v = &f->vm[vm];
	const enum fake_answer answer = answer_next(f, FAKE_RESIZE);
	assert_in_range(target_pages, 1, POISE_PAGES_MAX);
	assert_int_equal(epoch, f->p.epoch);
	f->last_target[vm] = target_pages;
	if (answer == FAKE_ERROR) {
		return POISE_E_PORT;
	}
	v->epoch = epoch;
	v->goal_pages = target_pages;
	v->acks = answer == FAKE_DUPLICATE ? 2 : answer == FAKE_NEVER ? 0 : 1;
	v->delay = answer == FAKE_LATE ? FAKE_LATE_STEPS : 0;
	if (answer == FAKE_NEVER) {
		v->goal_pages = v->real_pages;
	} else if (answer == FAKE_SHORT) {
		v->goal_pages = v->real_pages / 2 + target_pages / 2;
	}
	return POISE_OK;
}

static enum poise_err fake_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	static const enum poise_err errors[FAKE_ANSWER_COUNT] = {
		[FAKE_ERROR] = POISE_E_PORT,
		[FAKE_SHORT] = POISE_E_BUSY,
		[FAKE_LATE] = POISE_E_BUSY,
		[FAKE_NEVER] = POISE_E_GONE,
	};
	struct fake *f = ctx;
	const enum poise_err err = errors[answer_next(f, FAKE_MEASURE)];
	if (err == POISE_OK) {
		*pages = f->vm[vm].real_pages;
	}
	return err;
}

static void fake_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct fake *f = ctx;
	f->calls[FAKE_NOTIFY]++;
	assert_true(notice->target_pages != 0);
	f->vm[vm].notice = *notice;
}

static void fake_event(void *ctx, const struct poise_event *event)
{
	struct fake *f = ctx;
	f->calls[FAKE_EVENT]++;
	assert_true(event->code < POISE_EVENT_COUNT && event->vm < POISE_VM_MAX);
	if (f->records < FAKE_RECORDS) {
		f->record[f->records] = (struct fake_record){.vm = event->vm,
							     .code = event->code,
							     .rule = event->rule,
							     .err = event->err,
							     .a = event->a,
							     .b = event->b,
							     .c = event->c,
							     .d = event->d};
		f->records++;
	}
}

const struct poise_port fake_port = {
	.resize = fake_resize,
	.measure = fake_measure,
	.notify = fake_notify,
	.event = fake_event,
};

void fake_start(struct fake *f, const struct poise_config *config)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(poise_init(&f->p, sizeof(f->p), config, &fake_port, f), POISE_OK);
	fake_check(f);
}

void fake_start_pool(struct fake *f, uint64_t pool_pages)
{
	const struct poise_config config = {.pool_pages = pool_pages};
	fake_start(f, &config);
}

void fake_add(struct fake *f, uint32_t vm, uint64_t min_pages, uint64_t boot_pages,
	      uint64_t max_pages)
{
	const struct poise_vm_config config = {
		.min_pages = min_pages, .boot_pages = boot_pages, .max_pages = max_pages};
	f->vm[vm] = (struct fake_vm){.real_pages = boot_pages, .goal_pages = boot_pages};
	assert_int_equal(poise_vm_add(&f->p, vm, &config, boot_pages), POISE_OK);
	fake_check(f);
}

enum poise_err fake_report(struct fake *f, uint32_t vm, struct poise_guest_update *update)
{
	update->body.sample++;
	support_seal(update);
	const struct poise_sample sample = support_sample(update);
	const enum poise_err err = poise_report(&f->p, vm, f->now_ms, &sample);
	fake_check(f);
	return err;
}

void fake_manage(struct fake *f, uint32_t vm, struct poise_guest_update *update)
{
	for (unsigned tries = 2 * POISE_GOOD_RUN;
	     f->p.vm[vm].state != POISE_VM_MANAGED && tries > 0; tries--) {
		f->now_ms += f->p.config.interval_ms;
		assert_int_equal(fake_report(f, vm, update), POISE_OK);
	}
	assert_int_equal(f->p.vm[vm].state, POISE_VM_MANAGED);
}

/* Moves one VM towards its goal. */
static void move(struct fake_vm *v, uint64_t speed_pages)
{
	const bool grow = v->goal_pages > v->real_pages;
	const uint64_t left = grow ? v->goal_pages - v->real_pages : v->real_pages - v->goal_pages;
	const uint64_t step = speed_pages == 0 || left < speed_pages ? left : speed_pages;
	v->real_pages = grow ? v->real_pages + step : v->real_pages - step;
}

void fake_step(struct fake *f)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct fake_vm *v = &f->vm[i];
		if (v->epoch == 0) {
			continue;
		}
		move(v, f->speed_pages);
		fake_check(f);
		if (v->delay > 0) {
			v->delay--;
			continue;
		}
		const uint64_t epoch = v->epoch;
		while (v->acks > 0 && v->epoch == epoch) {
			/* The call may bring a new request, with acks of its own. */
			v->acks--;
			const bool more = v->real_pages != v->goal_pages;
			const enum poise_err err =
				poise_ack(&f->p, i, epoch, v->real_pages, f->now_ms);
			/* A request that has been replaced, or whose VM has gone, is answered late.
			 */
			assert_true(err == POISE_OK || err == POISE_E_LOST ||
				    err == POISE_E_NOT_FOUND);
			fake_check(f);
			if (more && v->epoch == epoch) {
				v->acks++;
				break;
			}
		}
	}
}

void fake_tick(struct fake *f)
{
	f->now_ms += f->p.config.interval_ms;
	fake_step(f);
	assert_int_equal(poise_tick(&f->p, f->now_ms), POISE_OK);
	fake_check(f);
}

void fake_forget(struct fake *f)
{
	f->records = 0;
	memset(f->calls, 0, sizeof(f->calls));
	memset(f->fault_at, 0, sizeof(f->fault_at));
}

const struct fake_record *fake_find(const struct fake *f, uint32_t code, uint32_t vm, uint32_t n)
{
	for (uint32_t i = 0; i < f->records; i++) {
		const struct fake_record *r = &f->record[i];
		if (r->code == code && (vm == UINT32_MAX || r->vm == vm) && n-- == 0) {
			return r;
		}
	}
	return NULL;
}

void fake_check(const struct fake *f)
{
	uint64_t real = 0;
	uint64_t charged = 0;
	assert_int_equal(poise_check(&f->p), 0);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *v = &f->p.vm[i];
		if (v->state != POISE_VM_EMPTY) {
			assert_in_range(f->vm[i].real_pages, 0, poise_vm_charge(v));
			real += f->vm[i].real_pages;
			charged += poise_vm_charge(v);
		}
	}
	assert_true((int64_t)charged + f->p.free_pages == (int64_t)f->p.config.pool_pages);
	if (f->p.free_pages >= 0) {
		assert_in_range(real, 0, f->p.config.pool_pages);
	}
}
