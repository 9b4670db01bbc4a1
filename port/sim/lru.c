/* SPDX-License-Identifier: MIT */
/*
 * Frames in LRU lists, and the two ways to move them between VMs. An access that finds its page
 * elsewhere takes the oldest frame of the VM; only if something else was in it is that a miss.
 */
#include "lru.h"

#include <stdlib.h>

#define NONE UINT32_MAX
/* Entries of all page tables together. */
#define TABLE_MAX 200000000u

struct frame {
	uint32_t next, prev; /* towards the oldest, towards the newest */
	uint32_t page;       /* NONE: unused */
};

struct list {
	uint32_t newest, oldest;
	uint32_t frames;
	uint32_t recent; /* misses since frames were last moved by `recent` */
	uint32_t *table; /* by page: its frame */
};

struct machine {
	const struct sim_pages *pages;
	const struct sim_lru_config *config;
	struct sim_lru *result;
	struct frame *frame;
	struct list *list;
	uint32_t *order;  /* of VMs */
	uint64_t *target; /* frames of each VM */
	uint64_t *rest;   /* what rounding down has cost it */
};

static void unlink_frame(struct machine *m, struct list *l, uint32_t f)
{
	const struct frame *frame = &m->frame[f];

	if (frame->prev == NONE) {
		l->newest = frame->next;
	} else {
		m->frame[frame->prev].next = frame->next;
	}
	if (frame->next == NONE) {
		l->oldest = frame->prev;
	} else {
		m->frame[frame->next].prev = frame->prev;
	}
	l->frames--;
}

static void push_newest(struct machine *m, struct list *l, uint32_t f)
{
	m->frame[f].prev = NONE;
	m->frame[f].next = l->newest;
	if (l->newest == NONE) {
		l->oldest = f;
	} else {
		m->frame[l->newest].prev = f;
	}
	l->newest = f;
	l->frames++;
}

static void push_oldest(struct machine *m, struct list *l, uint32_t f)
{
	m->frame[f].next = NONE;
	m->frame[f].prev = l->oldest;
	if (l->oldest == NONE) {
		l->newest = f;
	} else {
		m->frame[l->oldest].next = f;
	}
	l->oldest = f;
	l->frames++;
}

/* Takes the oldest frame away; its page is lost. */
static uint32_t pop_oldest(struct machine *m, struct list *l)
{
	const uint32_t f = l->oldest;

	unlink_frame(m, l, f);
	if (m->frame[f].page != NONE) {
		l->table[m->frame[f].page] = NONE;
		m->frame[f].page = NONE;
	}
	return f;
}

static void access_page(struct machine *m, uint32_t vm, uint32_t at)
{
	struct list *l = &m->list[vm];
	struct sim_lru_vm *r = &m->result->vm[vm];
	const uint32_t page = m->pages->vm[vm].access[at];
	uint32_t f = l->table[page];

	if (f != NONE) {
		unlink_frame(m, l, f);
	} else {
		r->missed[at] = m->frame[l->oldest].page != NONE;
		r->misses += r->missed[at];
		l->recent += r->missed[at];
		f = pop_oldest(m, l);
		m->frame[f].page = page;
		l->table[page] = f;
	}
	push_newest(m, l, f);
}

/* Sorts the VMs by `key`, equal ones by number; few VMs, so by insertion. */
static void sort_order(struct machine *m, const uint64_t *key)
{
	for (uint32_t i = 0; i < m->pages->vms; i++) {
		uint32_t at = i;

		for (; at > 0 && key[m->order[at - 1u]] > key[i]; at--) {
			m->order[at] = m->order[at - 1u];
		}
		m->order[at] = i;
	}
}

static void balance_recent(struct machine *m)
{
	uint32_t low = 0;
	uint32_t high = m->pages->vms - 1u;

	for (uint32_t i = 0; i < m->pages->vms; i++) {
		m->rest[i] = m->list[i].recent;
		m->list[i].recent = 0;
	}
	sort_order(m, m->rest);
	for (; low < high && m->rest[m->order[low]] != m->rest[m->order[high]]; low++, high--) {
		struct list *from = &m->list[m->order[low]];

		if (from->frames > 1u) {
			push_oldest(m, &m->list[m->order[high]], pop_oldest(m, from));
		}
	}
}

static void balance_total(struct machine *m)
{
	const uint32_t vms = m->pages->vms;
	const uint64_t bonus = m->config->frames - (uint64_t)vms * m->config->minimum;
	uint64_t left = bonus;
	uint64_t misses = 0;
	uint32_t pool = NONE;

	for (uint32_t i = 0; i < vms; i++) {
		misses += m->result->vm[i].misses;
	}
	if (misses == 0) {
		return;
	}
	for (uint32_t i = 0; i < vms; i++) {
		const uint64_t product = m->result->vm[i].misses * bonus;

		m->target[i] = m->config->minimum + product / misses;
		m->rest[i] = misses - product % misses;
		left -= product / misses;
	}
	sort_order(m, m->rest);
	for (uint32_t i = 0; i < left; i++) {
		m->target[m->order[i]]++;
	}
	for (uint32_t i = 0; i < vms; i++) {
		while (m->list[i].frames > m->target[i]) {
			const uint32_t f = pop_oldest(m, &m->list[i]);

			m->frame[f].next = pool;
			pool = f;
		}
	}
	for (uint32_t i = 0; i < vms; i++) {
		while (m->list[i].frames < m->target[i]) {
			const uint32_t f = pool;

			pool = m->frame[f].next;
			push_oldest(m, &m->list[i], f);
		}
	}
}

/* Deals the frames out in runs, as many as come out even and one more; the last VMs get fewer. */
static void deal(struct machine *m)
{
	const uint32_t vms = m->pages->vms;
	const uint32_t run = (m->config->frames + vms - 1u) / vms;
	uint32_t f = 0;

	for (uint32_t i = 0; i < vms; i++) {
		struct list *l = &m->list[i];

		l->newest = l->oldest = NONE;
		/* A run leaves at least one frame for each of the VMs behind. */
		for (uint32_t j = 0; j < run && m->config->frames - f > vms - 1u - i; j++) {
			m->frame[f].page = NONE;
			push_oldest(m, l, f++);
		}
	}
}

static const char *set_up(struct machine *m)
{
	const uint32_t vms = m->pages->vms;
	uint64_t entries = 0;

	m->frame = calloc(m->config->frames, sizeof(*m->frame));
	m->list = calloc(vms, sizeof(*m->list));
	m->order = calloc(vms, sizeof(*m->order));
	m->target = calloc(vms, sizeof(*m->target));
	m->rest = calloc(vms, sizeof(*m->rest));
	m->result->vm = calloc(vms, sizeof(*m->result->vm));
	if (m->frame == NULL || m->list == NULL || m->order == NULL || m->target == NULL ||
	    m->rest == NULL || m->result->vm == NULL) {
		return "no memory";
	}
	m->result->vms = vms;
	for (uint32_t i = 0; i < vms; i++) {
		const struct sim_pages_vm *p = &m->pages->vm[i];

		entries += p->pages;
		if (entries > TABLE_MAX) {
			return "the page numbers are too large for so many VMs";
		}
		m->list[i].table = malloc((p->pages + 1u) * sizeof(uint32_t));
		m->result->vm[i].missed = calloc(p->count + 1u, 1);
		m->result->vm[i].count = p->count;
		if (m->list[i].table == NULL || m->result->vm[i].missed == NULL) {
			return "no memory";
		}
		for (uint32_t page = 0; page < p->pages; page++) {
			m->list[i].table[page] = NONE;
		}
	}
	deal(m);
	return NULL;
}

static void run(struct machine *m)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < m->pages->vms; i++) {
		longest = m->pages->vm[i].count > longest ? m->pages->vm[i].count : longest;
	}
	for (uint32_t at = 0; at < longest; at++) {
		for (uint32_t i = 0; i < m->pages->vms; i++) {
			if (at < m->pages->vm[i].count) {
				access_page(m, i, at);
			}
		}
		if (m->config->strategy == SIM_LRU_TOTAL) {
			balance_total(m);
		} else if (m->config->strategy == SIM_LRU_RECENT &&
			   (at + 1u) % m->config->every == 0) {
			balance_recent(m);
		}
	}
	for (uint32_t i = 0; i < m->pages->vms; i++) {
		m->result->vm[i].frames = m->list[i].frames;
	}
}

const char *sim_lru_run(struct sim_lru *result, const struct sim_pages *pages,
			const struct sim_lru_config *config)
{
	struct machine m = {.pages = pages, .config = config, .result = result};
	const char *reason;

	*result = (struct sim_lru){0};
	if (config->frames < pages->vms) {
		return "fewer frames than VMs";
	}
	if (config->strategy == SIM_LRU_TOTAL &&
	    (uint64_t)config->minimum * pages->vms > config->frames) {
		return "fewer frames than the VMs' minimum together";
	}
	reason = set_up(&m);
	if (reason == NULL) {
		run(&m);
	}
	for (uint32_t i = 0; m.list != NULL && i < pages->vms; i++) {
		free(m.list[i].table);
	}
	free(m.frame);
	free(m.list);
	free(m.order);
	free(m.target);
	free(m.rest);
	return reason;
}

void sim_lru_free(struct sim_lru *result)
{
	for (uint32_t i = 0; i < result->vms; i++) {
		free(result->vm[i].missed);
	}
	free(result->vm);
	*result = (struct sim_lru){0};
}
