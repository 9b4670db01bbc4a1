/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#define INTERVAL_MS 1000u
/* A late answer comes after the window of three intervals, the parking and a new plan. */
#define LATE_TICKS 5u

static uint64_t random_next(struct scenario_run *run)
{
	/* xorshift64 (Marsaglia 2003); the state is never 0. */
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return run->random;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void fail(struct scenario_run *run, uint32_t vm, const char *what, uint64_t a, uint64_t b)
{
	if (run->failure == NULL) {
		run->failure = what;
		run->failure_tick = run->tick;
		run->failure_vm = vm;
		run->failure_a = a;
		run->failure_b = b;
	}
}

/* --- what must hold after every call --- */

static void check(struct scenario_run *run)
{
	const struct poise *p = &run->p;
	const unsigned broken = poise_check(p);
	uint64_t real = 0;
	uint64_t self = 0;
	run->checks++;
	if (broken != 0) {
		fail(run, 0, "poise_check", broken, 0);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct model_vm *m = &run->vm[i];
		const uint64_t charge = poise_vm_charge(&p->vm[i]);
		if (!m->present) {
			continue;
		}
		if (m->real_pages > charge + m->self_pages) {
			fail(run, i, "I4: a VM has more than it is charged", m->real_pages, charge);
		}
		if (m->real_pages <= charge) {
			m->self_pages = 0;
		}
		real += m->real_pages;
		self += m->self_pages;
	}
	const int64_t debt = p->free_pages < 0 ? -p->free_pages : 0;
	if (real > p->config.pool_pages + (uint64_t)debt + self) {
		fail(run, 0, "I1: the VMs have more than the pool", real, p->config.pool_pages);
	}
	/* What the script takes is seen by the next tick's measurement, at worst the one after. */
	if (debt > run->debt_pages && run->tick > run->external_tick + 2) {
		fail(run, 0, "I4: a debt that nobody but the core has made", (uint64_t)debt,
		     (uint64_t)run->debt_pages);
	}
	run->debt_pages = debt;
}

static void remember(struct scenario_run *run)
{
	if (!run->options->sloppy) {
		run->before = run->p;
	}
}

/* A call of the core has returned `err`; `counts_only`: then it may have changed counters alone. */
static void returned(struct scenario_run *run, uint32_t vm, enum poise_err err, bool counts_only)
{
	if (err != POISE_OK && counts_only && !run->options->sloppy) {
		__builtin_memcpy(run->before.errors, run->p.errors, sizeof(run->p.errors));
		run->before.now_ms = run->p.now_ms;
		if (__builtin_memcmp(&run->before, &run->p, sizeof(run->p)) != 0) {
			fail(run, vm, "I5: a call that failed has changed something",
			     (uint64_t)-err, 0);
		}
	}
	check(run);
}

/* --- the port --- */

static enum scenario_way decide(struct scenario_run *run, enum scenario_call call)
{
	run->calls += !run->calm;
	if (run->options->decide == NULL || run->calm) {
		return WAY_OK;
	}
	const enum scenario_way way =
		run->options->decide(run->options->decide_arg, call, run->calls);
	run->faults += way != WAY_OK;
	return way;
}

static void late_push(struct scenario_run *run, struct model_vm *m, uint64_t epoch)
{
	for (uint32_t i = 0; i < MODEL_LATE_MAX; i++) {
		if (m->late[i].due_tick == 0) {
			m->late[i] = (struct model_late){run->tick + LATE_TICKS, epoch};
			return;
		}
	}
}

static enum poise_err port_resize(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch)
{
	struct scenario_run *run = ctx;
	struct model_vm *m = &run->vm[vm];
	const enum scenario_way way = decide(run, CALL_RESIZE);
	if (!m->present || target_pages == 0 || epoch == 0 || epoch <= m->epoch) {
		fail(run, vm, "resize: VM, target or epoch", target_pages, epoch);
	}
	/* Outside the limits only on the way towards them. */
	if (target_pages < m->config.min_pages && target_pages < m->asked_pages) {
		fail(run, vm, "I2: below the reservation", target_pages, m->config.min_pages);
	}
	if (target_pages > m->config.max_pages && target_pages > m->asked_pages) {
		fail(run, vm, "I2: above the limit", target_pages, m->config.max_pages);
	}
	m->asked_pages = target_pages;
	m->asked++;
	if (way == WAY_ERROR) {
		return POISE_E_PORT;
	}
	m->goal_pages = target_pages;
	m->epoch = epoch;
	m->open = true;
	m->never = way == WAY_NEVER;
	m->duplicate = way == WAY_DUPLICATE;
	m->wait_ticks = way == WAY_LATE ? LATE_TICKS : 0;
	m->stop_pages = target_pages;
	const bool shrink = target_pages < m->real_pages;
	const uint64_t way_pages =
		shrink ? m->real_pages - target_pages : target_pages - m->real_pages;
	const uint64_t permille = way == WAY_SHORT                ? 370
				  : m->balloon == BALLOON_PARTIAL ? m->balloon_arg
								  : 1000;
	const uint64_t part = way_pages * permille / 1000;
	m->stop_pages = shrink ? m->real_pages - part : m->real_pages + part;
	if (m->balloon == BALLOON_OVER && shrink) {
		m->stop_pages = target_pages > m->balloon_arg ? target_pages - m->balloon_arg : 1;
	}
	if (way == WAY_LATE) {
		late_push(run, m, epoch);
	}
	return POISE_OK;
}

static enum poise_err port_measure(void *ctx, uint32_t vm, uint64_t *pages)
{
	static const enum poise_err errors[WAY_COUNT] = {POISE_OK,     POISE_E_PORT, POISE_E_GONE,
							 POISE_E_BUSY, POISE_E_LOST, POISE_OK};
	struct scenario_run *run = ctx;
	struct model_vm *m = &run->vm[vm];
	const enum scenario_way way = decide(run, CALL_MEASURE);
	if (!m->present) {
		fail(run, vm, "measure: no such VM", 0, 0);
	}
	/* Whatever is left in *pages beside an error must not matter; neither must an absurd count.
	 */
	*pages = way == WAY_OK && m->blind == 0 ? m->real_pages : UINT64_MAX - way;
	if (m->blind != 0) {
		return m->blind == 1 ? POISE_E_GONE : POISE_OK;
	}
	return errors[way];
}

static void port_notify(void *ctx, uint32_t vm, const struct poise_notice *notice)
{
	struct scenario_run *run = ctx;
	struct model_vm *m = &run->vm[vm];
	const enum scenario_way way = decide(run, CALL_NOTIFY);
	if (notice->target_pages == 0 || notice->interval_ms != INTERVAL_MS) {
		fail(run, vm, "notify: target or interval", notice->target_pages,
		     notice->interval_ms);
	}
	switch (way) {
	case WAY_ERROR:
	case WAY_NEVER:
		return; /* Lost: the guest hears of it with the next notice. */
	case WAY_SHORT:
		/* The writer stopped half-way; it knows its own sequence and goes on from there. */
		m->host_page.head.seq = m->writer.seq + 1;
		m->told = false;
		return;
	case WAY_DUPLICATE:
		poise_host_page_write(&m->host_page, &m->writer, notice);
		break;
	default:
		break;
	}
	poise_host_page_write(&m->host_page, &m->writer, notice);
	m->notice = *notice;
	m->told = true;
}

static void port_event(void *ctx, const struct poise_event *event)
{
	struct scenario_run *run = ctx;
	struct model_vm *m = &run->vm[event->vm];
	if (event->code == POISE_EVENT_URGENT && event->a == 1) {
		const uint64_t gap_ms = event->now_ms - m->early_ms;
		if (m->early != 0 && gap_ms < run->p.config.urgent_gap_ms) {
			fail(run, event->vm, "an early tick too early", gap_ms, 0);
		}
		m->early++;
		m->early_ms = event->now_ms;
	}
	if (run->options->listen != NULL) {
		run->options->listen(run->options->listen_arg, event);
	}
}

static const struct poise_port port = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};

/* --- a VM's life --- */

static uint64_t pages_of(uint32_t mib)
{
	return (uint64_t)mib * SCENARIO_MIB;
}

/* Changes what a VM truly has. */
static void set_real(struct model_vm *m, uint64_t pages)
{
	m->moved_pages += pages > m->real_pages ? pages - m->real_pages : m->real_pages - pages;
	m->real_pages = pages;
}

/* The guest takes `pages` by its own power. */
static void help_itself(struct scenario_run *run, struct model_vm *m, uint64_t pages)
{
	if (pages > m->real_pages) {
		m->self_pages += pages - m->real_pages;
		run->external_tick = run->tick;
		set_real(m, pages);
	}
}

static void guest_boot(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const uint32_t features = POISE_GF_KNOWN & ~POISE_GF_MGLRU;
	const uint64_t boot_id = ++m->boots | (uint64_t)(vm + 1) << 32;
	const uint32_t urgent = m->gd.urgent;
	m->counters = (struct poise_abi_guest){0};
	m->swapped_pages = 0;
	if (gd_init(&m->gd, &m->page, &m->host_page, boot_id, m->total_pages, features) != 0) {
		fail(run, vm, "gd_init", boot_id, m->total_pages);
	}
	/* The sequence goes on, as it does when the page outlives the driver. */
	m->gd.seq = m->page.head.seq & ~1u;
	m->gd.urgent = urgent;
}

static void vm_add(struct scenario_run *run, uint32_t vm, bool has_boot)
{
	const struct scenario_vm *s = &run->scenario->vm[vm];
	struct model_vm *m = &run->vm[vm];
	const uint64_t boots = m->boots;
	const uint64_t actual = has_boot ? pages_of(s->boot) : 0;
	__builtin_memset(m, 0, sizeof(*m));
	m->boots = boots;
	m->config = (struct poise_vm_config){.min_pages = pages_of(s->min),
					     .boot_pages = pages_of(s->boot),
					     .max_pages = pages_of(s->max),
					     .weight = s->weight,
					     .flags = s->flags};
	m->present = true;
	m->total_pages = m->config.max_pages;
	m->anon_pages = pages_of(s->anon);
	m->cache_pages = pages_of(s->cache);
	m->real_pages = actual;
	m->goal_pages = actual;
	m->asked_pages = actual;
	if (has_boot) {
		run->external_tick = run->tick;
	}
	guest_boot(run, vm);
	remember(run);
	const enum poise_err err = poise_vm_add(&run->p, vm, &m->config, actual);
	if (err != POISE_OK) {
		fail(run, vm, "a VM of the script was not accepted", (uint64_t)-err, 0);
	}
	returned(run, vm, err, true);
}

static void vm_remove(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const uint64_t epoch = m->epoch;
	const uint64_t charge = poise_vm_charge(&run->p.vm[vm]);
	int64_t others = 0;
	remember(run);
	const int64_t before = run->p.free_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		others -= i == vm ? 0 : (int64_t)poise_vm_charge(&run->p.vm[i]);
	}
	m->present = false;
	m->real_pages = 0;
	m->self_pages = 0;
	returned(run, vm, poise_vm_remove(&run->p, vm), true);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		others += i == vm ? 0 : (int64_t)poise_vm_charge(&run->p.vm[i]);
	}
	if (run->p.free_pages != before + (int64_t)charge - others) {
		fail(run, vm, "a removed VM's pages did not come back once", charge, 0);
	}
	/* Its last answer is still on its way. */
	remember(run);
	const enum poise_err err = poise_ack(&run->p, vm, epoch, 1, run->now_ms);
	if (err != POISE_E_NOT_FOUND) {
		fail(run, vm, "an answer from the dead", (uint64_t)-err, 0);
	}
	returned(run, vm, err, true);
}

/* The guest starts anew: whatever it had, the hypervisor maps its boot size. */
static void vm_reset(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	if (m->real_pages < m->config.boot_pages) {
		help_itself(run, m, m->config.boot_pages);
	} else {
		set_real(m, m->config.boot_pages);
	}
	m->goal_pages = m->real_pages;
	m->stop_pages = m->real_pages;
	m->open = false;
	run->external_tick = run->tick;
	guest_boot(run, vm);
}

static void vm_set(struct scenario_run *run, uint32_t vm)
{
	remember(run);
	returned(run, vm, poise_vm_set(&run->p, vm, &run->vm[vm].config), true);
}

static void step(struct scenario_run *run, const struct scenario_step *s)
{
	struct model_vm *m = &run->vm[s->vm];
	switch (s->what) {
	case STEP_DEMAND:
		m->anon_pages = pages_of(s->a);
		m->cache_pages = pages_of(s->b);
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
		vm_reset(run, s->vm);
		remember(run);
		returned(run, s->vm, poise_vm_restart(&run->p, s->vm, m->real_pages), true);
		break;
	case STEP_REBOOT:
		vm_reset(run, s->vm);
		break;
	case STEP_POOL:
		remember(run);
		run->external_tick = run->tick;
		returned(run, 0, poise_pool_set(&run->p, pages_of(s->a)), true);
		break;
	case STEP_LIMITS:
		m->config.min_pages = pages_of(s->a);
		m->config.max_pages = pages_of(s->b);
		m->config.boot_pages =
			most(least(m->config.boot_pages, pages_of(s->b)), pages_of(s->a));
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
		fail(run, s->vm, "no such step", s->what, 0);
		break;
	}
}

/* --- balloons --- */

/* How many pages a balloon moves in a half tick. */
static uint64_t speed(const struct scenario_run *run, const struct model_vm *m)
{
	switch (m->balloon) {
	case BALLOON_RATE:
		return m->balloon_arg;
	case BALLOON_STUCK:
		return 0;
	case BALLOON_MOODY:
		return run->tick % 20 == 19 ? m->balloon_arg : 0;
	case BALLOON_CRAWL:
		return run->tick % 10 == 9; /* two half ticks in ten: one page in five ticks */
	default:
		return UINT64_MAX;
	}
}

static void acknowledge(struct scenario_run *run, uint32_t vm, uint64_t epoch)
{
	struct model_vm *m = &run->vm[vm];
	remember(run);
	const bool known = run->p.vm[vm].epoch == epoch;
	const enum poise_err err = poise_ack(&run->p, vm, epoch, m->real_pages, run->now_ms);
	if (err != (known ? POISE_OK : POISE_E_LOST)) {
		fail(run, vm, "an answer not recognised for what it is", epoch, (uint64_t)-err);
	}
	returned(run, vm, err, true);
}

static void balloon(struct scenario_run *run, uint32_t vm, bool full_tick)
{
	struct model_vm *m = &run->vm[vm];
	if (m->balloon == BALLOON_LEAK) {
		help_itself(run, m, least(m->real_pages + m->balloon_arg, m->total_pages));
	}
	if (full_tick) {
		for (uint32_t i = 0; i < MODEL_LATE_MAX; i++) {
			if (m->late[i].due_tick != 0 && m->late[i].due_tick <= run->tick) {
				m->late[i].due_tick = 0;
				acknowledge(run, vm, m->late[i].epoch);
			}
		}
		if (m->wait_ticks > 0 && --m->wait_ticks > 0) {
			return;
		}
	}
	if (!m->open || m->never || m->wait_ticks > 0 || m->blind != 0) {
		return;
	}
	const uint64_t before = m->real_pages;
	const uint64_t pages = speed(run, m);
	if (m->stop_pages > before) {
		set_real(m, before + least(pages, m->stop_pages - before));
	} else {
		set_real(m, before - least(pages, before - m->stop_pages));
	}
	if (m->real_pages == before && before != m->goal_pages) {
		return; /* Nothing to tell. */
	}
	const uint64_t epoch = m->epoch;
	m->open = m->real_pages != m->stop_pages;
	const bool again = m->duplicate && !m->open;
	check(run);
	acknowledge(run, vm, epoch);
	if (again && m->present) {
		acknowledge(run, vm, epoch);
	}
}

/* --- guests --- */

/* What an honest guest sees of itself. Returns whether it had to swap out. */
static bool live(struct model_vm *m)
{
	struct poise_abi_guest *c = &m->counters;
	const uint64_t size = m->real_pages;
	const uint64_t usable = size - size / 32;
	const uint64_t anon = least(m->anon_pages, usable);
	const uint64_t cache = least(m->cache_pages, usable - anon);
	const uint64_t swapped = m->anon_pages - anon;
	const bool out = swapped > m->swapped_pages;
	/* What is out is wanted back now and then, and something else goes out for it. */
	const uint64_t thrash = swapped / 8;
	c->swap_out_pages += thrash + (out ? swapped - m->swapped_pages : 0);
	c->swap_in_pages += thrash + (out ? 0 : m->swapped_pages - swapped);
	c->refault_anon_pages += thrash;
	c->refault_file_pages += (m->cache_pages - cache) / 8;
	c->direct_reclaims += out;
	m->swapped_pages = swapped;
	c->balloon_pages = m->total_pages - size;
	c->free_pages = size - anon - cache;
	c->active_file_pages = cache / 2;
	c->inactive_file_pages = cache - cache / 2;
	c->active_anon_pages = 0;
	c->inactive_anon_pages = anon;
	c->swap_used_pages = swapped;
	c->available_pages = c->free_pages + cache / 2;
	c->committed_pages = m->anon_pages;
	c->floor_pages = 0;
	c->unevictable_pages = 0;
	return out;
}

static void pretend(struct scenario_run *run, struct model_vm *m, uint32_t report)
{
	struct poise_abi_guest *c = &m->counters;
	const uint64_t size = m->real_pages;
	c->active_file_pages = 0;
	c->inactive_file_pages = 0;
	c->inactive_anon_pages = 0;
	c->free_pages = 0;
	c->available_pages = 0;
	c->swap_used_pages = 0;
	switch (report) {
	case REPORT_STARVING:
		c->inactive_anon_pages = size;
		c->swap_used_pages = size;
		c->swap_out_pages += size;
		c->swap_in_pages += size;
		c->refault_anon_pages += size;
		c->committed_pages += size;
		c->floor_pages = m->total_pages;
		break;
	case REPORT_IDLE:
		c->free_pages = size;
		c->committed_pages = 0;
		break;
	case REPORT_RANDOM:
		c->inactive_anon_pages = random_next(run) % size;
		c->free_pages = random_next(run) % (size - c->inactive_anon_pages);
		c->swap_used_pages = random_next(run) % (2 * m->total_pages);
		c->swap_in_pages = random_next(run);
		c->refault_file_pages = random_next(run);
		c->committed_pages = random_next(run);
		c->floor_pages = random_next(run) % m->total_pages;
		break;
	default:
		for (uint32_t i = 0; i < sizeof(*c) / sizeof(uint64_t); i++) {
			((uint64_t *)(void *)c)[i] = random_next(run) >> random_next(run) % 64;
		}
		break;
	}
}

static void publish(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const uint32_t turn = m->reported++;
	uint32_t report = m->report;
	bool urgent = live(m);
	m->counters.guest_ms = run->now_ms;
	if (report == REPORT_SQUARE) {
		report = turn / m->report_arg % 2 == 0 ? REPORT_STARVING : REPORT_IDLE;
	}
	switch (report) {
	case REPORT_STARVING:
	case REPORT_IDLE:
	case REPORT_RANDOM:
	case REPORT_WILD:
		pretend(run, m, report);
		urgent = report != REPORT_IDLE;
		break;
	case REPORT_SILENT:
	case REPORT_GONE:
		return;
	case REPORT_REBOOT:
		vm_reset(run, vm);
		(void)live(m);
		break;
	case REPORT_REWIND:
		m->gd.sample = turn % 2 == 0 ? m->gd.sample + 1000 : m->gd.sample - 1000;
		break;
	case REPORT_TOTAL:
		m->gd.total_pages = m->total_pages - 1;
		m->counters.free_pages -= m->counters.free_pages > 0;
		break;
	case REPORT_CLOCK:
		m->counters.guest_ms = turn % 3 == 0   ? UINT64_MAX - turn
				       : turn % 3 == 1 ? 0
						       : random_next(run);
		break;
	default:
		break;
	}
	gd_publish(&m->gd, &m->counters);
	if (report == REPORT_TORN) {
		m->page.head.seq++;
	} else if (report == REPORT_BROKEN) {
		m->page.update.checksum ^= 1;
	} else if (report == REPORT_TOTAL) {
		m->gd.total_pages = m->total_pages;
	}
	if (urgent) {
		(void)gd_urgent(&m->gd, run->now_ms, 100);
	}
}

static void poll(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const struct poise_guest_page *page = m->report == REPORT_GONE ? NULL : &m->page;
	remember(run);
	/* An error of guest data is counted with the VM, so more than error counters may change. */
	returned(run, vm, poise_poll(&run->p, vm, run->now_ms, page), false);
}

/* The guest reads its host page: it must find what was told last, or nothing new. */
static void listen(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	struct gd_host host;
	const int result = gd_host_read(&m->gd, &host);
	if (result == 1 && (host.target_pages != m->notice.target_pages ||
			    host.epoch != m->notice.epoch || host.state != m->notice.state)) {
		fail(run, vm, "the guest does not read what the core told", host.target_pages,
		     m->notice.target_pages);
	}
	const bool other_boot = m->notice.boot_id != m->gd.boot_id && m->notice.boot_id != 0;
	if (result == -1 && !other_boot) {
		fail(run, vm, "the guest does not understand the host page", host.epoch, 0);
	}
}

static void half_tick(struct scenario_run *run, bool full_tick)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		if (run->vm[i].present) {
			listen(run, i);
			balloon(run, i, full_tick);
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
			publish(run, vm);
		}
		(void)gd_urgent(&m->gd, run->now_ms, 0);
		poll(run, vm);
	}
	run->now_ms = start_ms;
}

static void one_tick(struct scenario_run *run)
{
	const uint64_t beat_ms = run->beat_ms != 0 ? run->beat_ms : INTERVAL_MS;
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
			publish(run, i);
			poll(run, i);
		}
	}
	for (uint32_t i = 0; i <= run->burst; i++) {
		remember(run);
		returned(run, 0, poise_tick(&run->p, run->now_ms), true);
	}
	run->burst = 0;
}

/* --- the script --- */

static void expect(struct scenario_run *run, const struct scenario_expect *e)
{
	const struct model_vm *m = &run->vm[e->vm % POISE_VM_MAX];
	const uint64_t pages = pages_of(e->value);
	const int64_t free_pages = run->p.free_pages;
	switch (e->what) {
	case EXPECT_SIZE_LEAST:
		if (m->real_pages < pages) {
			fail(run, e->vm, "expected a larger VM", m->real_pages, pages);
		}
		break;
	case EXPECT_SIZE_MOST:
		if (m->real_pages > pages) {
			fail(run, e->vm, "expected a smaller VM", m->real_pages, pages);
		}
		break;
	case EXPECT_STATE:
		if (run->p.vm[e->vm].state != e->value) {
			fail(run, e->vm, "expected another state", run->p.vm[e->vm].state,
			     e->value);
		}
		break;
	case EXPECT_UNMET_MOST:
		if (m->swapped_pages > pages) {
			fail(run, e->vm, "expected less swapped out", m->swapped_pages, pages);
		}
		break;
	case EXPECT_EARLY_MOST:
		if (m->early > e->value) {
			fail(run, e->vm, "expected fewer early ticks", m->early, e->value);
		}
		break;
	case EXPECT_ERRORS:
		if (run->p.errors[e->vm] < e->value) {
			fail(run, e->vm, "expected an error to be counted", run->p.errors[e->vm],
			     e->value);
		}
		break;
	case EXPECT_FREE_LEAST:
		if (free_pages < (int64_t)pages) {
			fail(run, e->vm, "expected more free memory", (uint64_t)free_pages, pages);
		}
		break;
	case EXPECT_ASKED_MOST:
		if (m->asked > e->value) {
			fail(run, e->vm, "expected fewer requests", m->asked, e->value);
		}
		break;
	case EXPECT_MOVED_MOST:
		if (m->moved_pages > pages) {
			fail(run, e->vm, "expected less to and fro", m->moved_pages, pages);
		}
		break;
	default:
		fail(run, e->vm, "no such expectation", e->what, 0);
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

const char *scenario_play(struct scenario_run *run, const struct scenario *scenario,
			  const struct scenario_options *options)
{
	const struct poise_config config = {.pool_pages = pages_of(scenario->pool),
					    .policy = options->policy,
					    .rules_off = options->rules_off,
					    .interval_ms = INTERVAL_MS};
	__builtin_memset(run, 0, sizeof(*run));
	run->scenario = scenario;
	run->options = options;
	run->now_ms = 5000;
	run->random = scenario->seed != 0 ? scenario->seed : 1;
	returned(run, 0, poise_init(&run->p, sizeof(run->p), &config, &port, run), false);
	for (uint32_t i = 0; i < scenario->vms; i++) {
		if (scenario->vm[i].late == 0) {
			vm_add(run, i, true);
		}
	}
	while (run->tick < scenario->ticks && run->failure == NULL) {
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
		if (run->vm[i].balloon == BALLOON_IDEAL && run->now_ms < v->quiet_ms &&
		    reference->now_ms >= r->quiet_ms) {
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
