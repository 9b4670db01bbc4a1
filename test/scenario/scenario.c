/* SPDX-License-Identifier: MIT */
/* Plays the script of a scenario on the model machine. */
#include "model.h"

/* --- a VM's life --- */

static void vm_add(struct scenario_run *run, uint32_t vm, bool has_boot)
{
	const struct scenario_vm *s = &run->scenario->vm[vm];
	struct model_vm *m = &run->vm[vm];
	const uint64_t boots = m->boots;
	const uint64_t actual = has_boot ? model_pages(s->boot) : 0;
	__builtin_memset(m, 0, sizeof(*m));
	m->boots = boots;
	m->config = (struct poise_vm_config){.min_pages = model_pages(s->min),
					     .boot_pages = model_pages(s->boot),
					     .max_pages = model_pages(s->max),
					     .weight = s->weight,
					     .flags = s->flags};
	m->present = true;
	m->total_pages = m->config.max_pages;
	m->anon_pages = model_pages(s->anon);
	m->cache_pages = model_pages(s->cache);
	m->real_pages = actual;
	m->goal_pages = actual;
	m->asked_pages = actual;
	if (has_boot) {
		run->external_tick = run->tick;
	}
	model_boot(run, vm);
	model_remember(run);
	const enum poise_err err = poise_vm_add(&run->p, vm, &m->config, actual);
	if (err != POISE_OK) {
		model_fail(run, vm, "a VM of the script was not accepted", (uint64_t)-err, 0);
	}
	model_returned(run, vm, err, true);
}

static void vm_remove(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const uint64_t epoch = m->epoch;
	const uint64_t charge = poise_vm_charge(&run->p.vm[vm]);
	int64_t others = 0;
	model_remember(run);
	const int64_t before = run->p.free_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		others -= i == vm ? 0 : (int64_t)poise_vm_charge(&run->p.vm[i]);
	}
	m->present = false;
	m->real_pages = 0;
	m->self_pages = 0;
	model_returned(run, vm, poise_vm_remove(&run->p, vm), true);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		others += i == vm ? 0 : (int64_t)poise_vm_charge(&run->p.vm[i]);
	}
	if (run->p.free_pages != before + (int64_t)charge - others) {
		model_fail(run, vm, "a removed VM's pages did not come back once", charge, 0);
	}
	/* Its last answer is still on its way. */
	model_remember(run);
	const enum poise_err err = poise_ack(&run->p, vm, epoch, 1, run->now_ms);
	if (err != POISE_E_NOT_FOUND) {
		model_fail(run, vm, "an answer from the dead", (uint64_t)-err, 0);
	}
	model_returned(run, vm, err, true);
}

static void vm_set(struct scenario_run *run, uint32_t vm)
{
	model_remember(run);
	model_returned(run, vm, poise_vm_set(&run->p, vm, &run->vm[vm].config), true);
}

static void step(struct scenario_run *run, const struct scenario_step *s)
{
	struct model_vm *m = &run->vm[s->vm];
	switch (s->what) {
	case STEP_DEMAND:
		m->anon_pages = model_pages(s->a);
		m->cache_pages = model_pages(s->b);
		m->growth_pages = 0;
		break;
	case STEP_GROWTH:
		m->growth_pages = (int32_t)s->a;
		break;
	case STEP_BALLOON:
		m->balloon = s->a;
		m->balloon_arg = s->b;
		break;
	case STEP_REPORT:
		m->report = s->a;
		m->report_arg = s->b;
		m->reported = 0;
		break;
	case STEP_ADD:
		vm_add(run, s->vm, s->a != 0);
		break;
	case STEP_REMOVE:
		vm_remove(run, s->vm);
		break;
	case STEP_RESTART:
		model_reset(run, s->vm);
		model_remember(run);
		model_returned(run, s->vm, poise_vm_restart(&run->p, s->vm, m->real_pages), true);
		break;
	case STEP_REBOOT:
		model_reset(run, s->vm);
		break;
	case STEP_POOL:
		model_remember(run);
		run->external_tick = run->tick;
		model_returned(run, 0, poise_pool_set(&run->p, model_pages(s->a)), true);
		break;
	case STEP_LIMITS:
		m->config.min_pages = model_pages(s->a);
		m->config.max_pages = model_pages(s->b);
		m->config.boot_pages =
			most(least(m->config.boot_pages, model_pages(s->b)), model_pages(s->a));
		vm_set(run, s->vm);
		break;
	case STEP_WEIGHT:
		m->config.weight = s->a;
		vm_set(run, s->vm);
		break;
	case STEP_FLAGS:
		m->config.flags = s->a;
		vm_set(run, s->vm);
		break;
	case STEP_STORM:
		m->storm = s->a;
		m->storm_stale = s->b;
		break;
	case STEP_BLIND:
		m->blind = s->a;
		break;
	case STEP_BEAT:
		run->beat_ms = s->a;
		run->burst = s->b;
		break;
	case STEP_CLOCK:
		run->now_ms += (uint64_t)(int64_t)(int32_t)s->a;
		break;
	default:
		model_fail(run, s->vm, "no such step", s->what, 0);
		break;
	}
}

static void half_tick(struct scenario_run *run, bool full_tick)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (run->vm[i].present) {
			model_listen(run, i);
			model_balloon(run, i, full_tick);
		}
	}
}

/* Doorbells between two ticks, spread evenly. */
static void storm(struct scenario_run *run, uint32_t vm, uint64_t span_ms)
{
	struct model_vm *m = &run->vm[vm];
	const uint64_t start_ms = run->now_ms;
	for (uint32_t i = 0; i < m->storm; i++) {
		run->now_ms = start_ms + span_ms * i / m->storm;
		if (m->storm_stale == 0) {
			model_publish(run, vm);
		}
		(void)gd_urgent(&m->gd, run->now_ms, 0);
		model_poll(run, vm);
	}
	run->now_ms = start_ms;
}

static void one_tick(struct scenario_run *run)
{
	const uint64_t beat_ms = run->beat_ms != 0 ? run->beat_ms : MODEL_INTERVAL_MS;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (run->vm[i].present && run->vm[i].storm != 0) {
			storm(run, i, beat_ms);
		}
	}
	run->now_ms += beat_ms / 2;
	half_tick(run, false);
	run->now_ms += beat_ms - beat_ms / 2;
	half_tick(run, true);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct model_vm *m = &run->vm[i];
		/* A VM that has no memory yet does not run. */
		if (m->present && m->real_pages > 64) {
			const int64_t anon = (int64_t)m->anon_pages + m->growth_pages;
			m->anon_pages = anon > 0 ? (uint64_t)anon : 0;
			model_publish(run, i);
			model_poll(run, i);
		}
	}
	for (uint32_t i = 0; i <= run->burst; i++) {
		model_remember(run);
		model_returned(run, 0, poise_tick(&run->p, run->now_ms), true);
	}
	run->burst = 0;
}

/* --- the script --- */

static void expect(struct scenario_run *run, const struct scenario_expect *e)
{
	const struct model_vm *m = &run->vm[e->vm % POISE_VM_MAX];
	const uint64_t pages = model_pages(e->value);
	const int64_t free_pages = run->p.free_pages;
	switch (e->what) {
	case EXPECT_SIZE_LEAST:
		if (m->real_pages < pages) {
			model_fail(run, e->vm, "expected a larger VM", m->real_pages, pages);
		}
		break;
	case EXPECT_SIZE_MOST:
		if (m->real_pages > pages) {
			model_fail(run, e->vm, "expected a smaller VM", m->real_pages, pages);
		}
		break;
	case EXPECT_STATE:
		if (run->p.vm[e->vm].state != e->value) {
			model_fail(run, e->vm, "expected another state", run->p.vm[e->vm].state,
				   e->value);
		}
		break;
	case EXPECT_UNMET_MOST:
		if (m->swapped_pages > pages) {
			model_fail(run, e->vm, "expected less swapped out", m->swapped_pages,
				   pages);
		}
		break;
	case EXPECT_EARLY_MOST:
		if (m->early > e->value) {
			model_fail(run, e->vm, "expected fewer early ticks", m->early, e->value);
		}
		break;
	case EXPECT_ERRORS:
		if (run->p.errors[e->vm] < e->value) {
			model_fail(run, e->vm, "expected an error to be counted",
				   run->p.errors[e->vm], e->value);
		}
		break;
	case EXPECT_FREE_LEAST:
		if (free_pages < (int64_t)pages) {
			model_fail(run, e->vm, "expected more free memory", (uint64_t)free_pages,
				   pages);
		}
		break;
	case EXPECT_ASKED_MOST:
		if (m->asked > e->value) {
			model_fail(run, e->vm, "expected fewer requests", m->asked, e->value);
		}
		break;
	case EXPECT_MOVED_MOST:
		if (m->moved_pages > pages) {
			model_fail(run, e->vm, "expected less to and fro", m->moved_pages, pages);
		}
		break;
	default:
		model_fail(run, e->vm, "no such expectation", e->what, 0);
		break;
	}
}

static void play_tick(struct scenario_run *run)
{
	const struct scenario *s = run->scenario;
	run->tick++;
	while (run->next_step < s->steps && s->step[run->next_step].tick <= run->tick) {
		step(run, &s->step[run->next_step]);
		run->next_step++;
	}
	one_tick(run);
}

/* A live update: the state goes out, and a core that is made anew takes it in. */
static void update(struct scenario_run *run)
{
	static unsigned char blob[POISE_EXPORT_BYTES];
	const struct poise_config config = run->p.config;
	size_t bytes = 0;
	enum poise_err err = poise_export(&run->p, blob, sizeof(blob), &bytes);
	__builtin_memset(&run->p, 0xa5, sizeof(run->p));
	if (err == POISE_OK) {
		err = poise_init(&run->p, sizeof(run->p), &config, &model_port, run);
	}
	if (err == POISE_OK) {
		err = poise_import(&run->p, blob, bytes);
	}
	if (err != POISE_OK) {
		model_fail(run, 0, "the state was not taken over", (uint64_t)-err, bytes);
	}
	model_check(run);
}

const char *scenario_play(struct scenario_run *run, const struct scenario *scenario,
			  const struct scenario_options *options)
{
	const struct poise_config config = {.pool_pages = model_pages(scenario->pool),
					    .policy = options->policy,
					    .rules_off = options->rules_off,
					    .interval_ms = MODEL_INTERVAL_MS};
	__builtin_memset(run, 0, sizeof(*run));
	run->scenario = scenario;
	run->options = options;
	run->now_ms = 5000;
	run->random = scenario->seed != 0 ? scenario->seed : 1;
	model_returned(run, 0, poise_init(&run->p, sizeof(run->p), &config, &model_port, run),
		       false);
	for (uint32_t i = 0; i < scenario->vms; i++) {
		if (scenario->vm[i].late == 0) {
			vm_add(run, i, true);
		}
	}
	while (run->tick < scenario->ticks && run->failure == NULL) {
		if (options->update != 0 && run->tick % options->update == options->update - 1) {
			update(run);
		}
		play_tick(run);
		for (uint32_t i = 0; i < scenario->expects && !options->no_expect; i++) {
			const uint32_t at = scenario->expect[i].tick;
			if (at == run->tick || (at == 0 && run->tick == scenario->ticks)) {
				expect(run, &scenario->expect[i]);
			}
		}
	}
	run->calm = true;
	for (uint32_t i = 0; i < options->calm_ticks && run->failure == NULL; i++) {
		play_tick(run);
	}
	return run->failure;
}

const char *scenario_compare(const struct scenario_run *run, const struct scenario_run *reference,
			     uint32_t slack_permille, uint32_t *vm)
{
	uint64_t unmet = 0;
	uint64_t unmet_reference = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *v = &run->p.vm[i];
		const struct poise_vm *r = &reference->p.vm[i];
		*vm = i;
		if (v->state != r->state) {
			return "another state";
		}
		if (v->unsent != 0) {
			return "a request not sent";
		}
		/* One whose balloon is no good comes and goes with its attempts. */
		if (run->vm[i].balloon == BALLOON_IDEAL && run->now_ms < v->backoff_end_ms &&
		    reference->now_ms >= r->backoff_end_ms) {
			return "a balloon still left alone";
		}
		unmet += run->vm[i].swapped_pages;
		unmet_reference += reference->vm[i].swapped_pages;
	}
	if (run->p.free_pages < 0 && reference->p.free_pages >= 0) {
		return "a debt";
	}
	const uint64_t slack = run->p.config.pool_pages * slack_permille / 1000;
	return unmet > unmet_reference + slack ? "more swapped out" : NULL;
}
