/* SPDX-License-Identifier: MIT */
/* The meter: reads the simulated machine after each step and sums up. Changes nothing in it. */
#include "meter.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "player.h"

#define WINDOW_US 250000u
/* A VM is in distress while it waits for memory this part of a window... */
#define DISTRESS_PART 10u
/* ...and relieved at the start of the first so many windows in a row without. */
#define CALM_WINDOWS 4u
/* Moves smaller than 1/64 of the VM's boot size are not a change of direction. */
#define TURN_PART 64u

void sim_meter_start(struct sim_host *h)
{
	struct sim_meter *m = &h->meter;

	*m = (struct sim_meter){.next_window_us = WINDOW_US};
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		m->vm[i].pages = sim_guest_pages(&h->guest[i]);
		m->vm[i].turn_pages = m->vm[i].pages;
	}
}

void sim_meter_stop(struct sim_host *h)
{
	free(h->meter.relief.ms);
	h->meter.relief = (struct sim_relief){0};
}

static void relieved(struct sim_host *h, uint64_t us)
{
	struct sim_relief *r = &h->meter.relief;

	if (r->count == r->room) {
		const uint32_t room = r->room * 2u + 64u;
		uint32_t *ms = realloc(r->ms, room * sizeof(*ms));

		if (ms == NULL) {
			sim_books_fail(&h->books, "no memory for reliefs", r->count, 0, 0);
			return;
		}
		r->ms = ms;
		r->room = room;
	}
	r->ms[r->count++] = (uint32_t)(us / 1000u);
}

/* Counts reversals: a VM that has moved one way and then moves back by more than a part of its
 * size. */
static void watch_size(struct sim_host *h, uint32_t i)
{
	struct sim_meter_vm *v = &h->meter.vm[i];
	const uint64_t pages = sim_guest_pages(&h->guest[i]);
	const uint64_t least = h->books.config[i].boot_pages / TURN_PART + 1u;
	const uint64_t away = pages > v->turn_pages ? pages - v->turn_pages : v->turn_pages - pages;
	const int direction = pages > v->turn_pages ? 1 : -1;

	h->meter.moved_pages += pages > v->pages ? pages - v->pages : v->pages - pages;
	v->pages = pages;
	if (away == 0) {
		return;
	}
	if (direction == v->direction) {
		v->turn_pages = pages;
	} else if (away >= least) {
		h->meter.reversals += v->direction != 0 ? 1u : 0u;
		v->direction = direction;
		v->turn_pages = pages;
	}
}

static void watch_distress(struct sim_host *h, uint32_t i)
{
	struct sim_meter_vm *v = &h->meter.vm[i];
	const struct sim_guest *g = &h->guest[i];
	/* What the guest's clock has run ahead is waiting that has not passed yet. */
	const uint64_t ahead_us = g->clock_us > h->books.now_us ? g->clock_us - h->books.now_us : 0;
	const uint64_t stall_us = g->stall_us > ahead_us ? g->stall_us - ahead_us : 0;
	const bool distress = stall_us - v->stall_us >= WINDOW_US / DISTRESS_PART;

	v->stall_us = stall_us;
	if (distress) {
		v->calm = 0;
		if (v->distress_us == 0) {
			v->distress_us =
				h->books.now_us > WINDOW_US ? h->books.now_us - WINDOW_US : 1u;
		}
	} else if (v->distress_us != 0 && ++v->calm == CALM_WINDOWS) {
		relieved(h, h->books.now_us - CALM_WINDOWS * WINDOW_US - v->distress_us);
		v->distress_us = 0;
		v->calm = 0;
	}
}

void sim_meter_step(struct sim_host *h)
{
	struct sim_meter *m = &h->meter;

	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		watch_size(h, i);
	}
	if (h->books.now_us < m->next_window_us) {
		return;
	}
	m->next_window_us += WINDOW_US;
	m->windows++;
	m->idle_pages_sum += h->books.free_pages;
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		const struct mm *mm = &h->guest[i].mm;

		watch_distress(h, i);
		m->vm[i].pages_sum += sim_guest_pages(&h->guest[i]);
		if (mm->free_pages > mm->wmark_high) {
			m->idle_pages_sum += (uint64_t)(mm->free_pages - mm->wmark_high) *
					     h->books.scenario->granule;
		}
	}
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a;
	const uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void finish_vm(const struct sim_host *h, uint32_t i, struct sim_vm_result *r)
{
	const struct sim_guest *g = &h->guest[i];

	memcpy(r->name, g->config->name, sizeof(r->name));
	r->swap_out = g->past.swap_out + g->mm.swap_out * g->granule;
	r->swap_in = g->past.swap_in + g->mm.swap_in * g->granule;
	r->refault_anon = g->past.refault_anon + g->mm.refault_anon * g->granule;
	r->refault_file = g->past.refault_file + g->mm.refault_file * g->granule;
	r->oom_kills = g->past.oom_kills + g->mm.oom_kills;
	r->urgent = g->rings;
	r->stall_ms = (double)g->stall_us / 1000.0;
	r->work = g->boots == 0 ? 1.0 : sim_player_work(&g->player, h->books.now_us);
	r->mean_pages = (double)h->meter.vm[i].pages_sum /
			(double)(h->meter.windows == 0 ? 1u : h->meter.windows);
}

void sim_meter_finish(struct sim_host *h, struct sim_result *result)
{
	struct sim_meter *m = &h->meter;
	double weights = 0.0;

	*result = (struct sim_result){
		.moved = m->moved_pages,
		.reversals = m->reversals,
		.violations = m->violations,
		.checks = m->checks,
		.probes = h->probes,
		.worst_work = 1.0,
		.vm_count = h->books.scenario->vm_count,
		.idle_pages =
			m->windows == 0 ? 0.0 : (double)m->idle_pages_sum / (double)m->windows,
	};
	for (uint32_t i = 0; i < result->vm_count; i++) {
		struct sim_vm_result *r = &result->vm[i];

		if (m->vm[i].distress_us != 0) {
			relieved(h, h->books.now_us - m->vm[i].distress_us);
		}
		finish_vm(h, i, r);
		result->swap_out += r->swap_out;
		result->swap_in += r->swap_in;
		result->refault += r->refault_anon + r->refault_file;
		result->oom_kills += r->oom_kills;
		result->stall_ms += r->stall_ms;
		result->work += r->work * h->books.config[i].weight;
		weights += h->books.config[i].weight;
		result->worst_work = r->work < result->worst_work ? r->work : result->worst_work;
	}
	result->work /= weights;
	if (m->relief.count > 0) {
		qsort(m->relief.ms, m->relief.count, sizeof(*m->relief.ms), by_size);
		result->relief_ms_median = m->relief.ms[m->relief.count / 2u];
		result->relief_ms_worst = m->relief.ms[m->relief.count - 1u];
	}
	sim_meter_stop(h);
}
