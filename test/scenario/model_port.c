/* SPDX-License-Identifier: MIT */
/* The model machine behind the port: how calls go, and how they go wrong. */
#include "model.h"

/* A late answer comes after the window of three intervals, the parking and a new plan. */
#define LATE_TICKS 5u

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
		model_fail(run, vm, "resize: VM, target or epoch", target_pages, epoch);
	}
	/* Outside the limits only on the way towards them. */
	if (target_pages < m->config.min_pages && target_pages < m->asked_pages) {
		model_fail(run, vm, "I2: below the reservation", target_pages, m->config.min_pages);
	}
	if (target_pages > m->config.max_pages && target_pages > m->asked_pages) {
		model_fail(run, vm, "I2: above the limit", target_pages, m->config.max_pages);
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
		model_fail(run, vm, "measure: no such VM", 0, 0);
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
	if (notice->target_pages == 0 || notice->interval_ms != MODEL_INTERVAL_MS) {
		model_fail(run, vm, "notify: target or interval", notice->target_pages,
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
			model_fail(run, event->vm, "an early tick too early", gap_ms, 0);
		}
		m->early++;
		m->early_ms = event->now_ms;
	}
	if (run->options->flip && event->code == POISE_EVENT_SAMPLE) {
		__builtin_memset(&m->page.update, 0xa5, sizeof(m->page.update));
	}
	if (run->options->listen != NULL) {
		run->options->listen(run->options->listen_arg, event);
	}
}

const struct poise_port model_port = {
	.resize = port_resize,
	.measure = port_measure,
	.notify = port_notify,
	.event = port_event,
};
