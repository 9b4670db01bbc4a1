/* SPDX-License-Identifier: MIT */
/* The guests of the model machine: their memory, what they say of it, and their balloons. */
#include "model.h"

/* --- memory --- */

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

void model_boot(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const uint32_t features = POISE_GF_KNOWN & ~POISE_GF_MGLRU;
	const uint64_t boot_id = ++m->boots | (uint64_t)(vm + 1) << 32;
	const uint32_t urgent = m->gd.urgent;
	m->counters = (struct poise_abi_guest){0};
	m->swapped_pages = 0;
	if (gd_init(&m->gd, &m->page, &m->host_page, boot_id, m->total_pages, features) != 0) {
		model_fail(run, vm, "gd_init", boot_id, m->total_pages);
	}
	/* The sequence goes on, as it does when the page outlives the driver. */
	m->gd.seq = m->page.head.seq & ~1u;
	m->gd.urgent = urgent;
}

void model_reset(struct scenario_run *run, uint32_t vm)
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
	model_boot(run, vm);
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
	model_remember(run);
	const bool known = run->p.vm[vm].epoch == epoch;
	const enum poise_err err = poise_ack(&run->p, vm, epoch, m->real_pages, run->now_ms);
	if (err != (known ? POISE_OK : POISE_E_LOST)) {
		model_fail(run, vm, "an answer not recognised for what it is", epoch,
			   (uint64_t)-err);
	}
	model_returned(run, vm, err, true);
}

void model_balloon(struct scenario_run *run, uint32_t vm, bool full_tick)
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
	model_check(run);
	acknowledge(run, vm, epoch);
	if (again && m->present) {
		acknowledge(run, vm, epoch);
	}
}

/* --- what they say --- */

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
	c->direct_reclaims += out || thrash != 0;
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
	return out || thrash != 0;
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
		c->inactive_anon_pages = model_random(run) % size;
		c->free_pages = model_random(run) % (size - c->inactive_anon_pages);
		c->swap_used_pages = model_random(run) % (2 * m->total_pages);
		c->swap_in_pages = model_random(run);
		c->refault_file_pages = model_random(run);
		c->committed_pages = model_random(run);
		c->floor_pages = model_random(run) % m->total_pages;
		break;
	default:
		for (uint32_t i = 0; i < sizeof(*c) / sizeof(uint64_t); i++) {
			((uint64_t *)(void *)c)[i] = model_random(run) >> model_random(run) % 64;
		}
		break;
	}
}

void model_publish(struct scenario_run *run, uint32_t vm)
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
		model_reset(run, vm);
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
						       : model_random(run);
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

void model_poll(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	const struct poise_guest_page *page = m->report == REPORT_GONE ? NULL : &m->page;
	model_remember(run);
	if (run->options->flip) {
		run->kept = m->page;
	}
	const enum poise_err err = poise_poll(&run->p, vm, run->now_ms, page);
	if (run->options->flip) {
		m->page = run->kept;
	}
	/* An error of guest data is counted with the VM, so more than error counters may change. */
	model_returned(run, vm, err, false);
}

void model_listen(struct scenario_run *run, uint32_t vm)
{
	struct model_vm *m = &run->vm[vm];
	struct gd_host host;
	const int result = gd_host_read(&m->gd, &host);
	if (result == 1 && (host.target_pages != m->notice.target_pages ||
			    host.epoch != m->notice.epoch || host.state != m->notice.state)) {
		model_fail(run, vm, "the guest does not read what the core told", host.target_pages,
			   m->notice.target_pages);
	}
	const bool other_boot = m->notice.boot_id != m->gd.boot_id && m->notice.boot_id != 0;
	if (result == -1 && !other_boot) {
		model_fail(run, vm, "the guest does not understand the host page", host.epoch, 0);
	}
}
