/* SPDX-License-Identifier: MIT */
/*
 * Policy `mom`, baseline B5, after the balloon rules of oVirt's Memory Overcommitment Manager:
 * samples every 5 s, a decision every 10 s from the mean of the last ten samples. With 20 % of the
 * host free or more every guest grows by 5 % or more until it is at its limit, whatever it needs;
 * with less every guest shrinks by up to 5 % down to what it uses and a part that gets smaller with
 * the host's free memory and, below 5 %, negative.
 *
 * Page cache counts as used. All guests are the same to it: no weights.
 *
 * Decided here: these are the rules of the program's own documentation, without the optional rule
 * for guests below their minimum and without a distribution's changes; the host's free memory is
 * the machine's that no VM has; a guest without a sample is left alone.
 */
#include "common.h"

#define SAMPLE_MS         5000u
#define SAMPLES           10u
#define DECISION_SAMPLES  2u /* every 10 s */
#define PRESSURE          0.20
#define PRESSURE_CRITICAL 0.05
#define GUEST_FREE        0.20
#define CHANGE_MOST       0.05
#define CHANGE_LEAST      0.0025

struct history {
	uint64_t value[SAMPLES];
	uint32_t count;
};

struct state {
	uint32_t samples;
	struct history host_free;
	struct history size[SIM_VM_MAX], unused[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

static void add(struct history *h, uint64_t value)
{
	h->value[h->count++ % SAMPLES] = value;
}

static double mean(const struct history *h)
{
	const uint32_t count = h->count < SAMPLES ? h->count : SAMPLES;
	double sum = 0.0;

	for (uint32_t i = 0; i < count; i++) {
		sum += (double)h->value[i];
	}
	return sum / count;
}

static double shrunk(double size, double used, double least, double host)
{
	const double keep = host > PRESSURE_CRITICAL ? GUEST_FREE * (host / PRESSURE)
						     : host - PRESSURE_CRITICAL;
	const double floor = used + keep * size > least ? used + keep * size : least;
	const double slow = size * (1.0 - CHANGE_MOST);

	return slow > floor ? slow : floor;
}

static double grown(double size, double used, double least)
{
	const double want = used + GUEST_FREE * size > least ? used + GUEST_FREE * size : least;
	const double steady = size * (1.0 + CHANGE_MOST);

	return steady > want ? steady : want;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	double host;

	add(&s->host_free, view->free_pages);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		if (view->vm[i].stats.sample != 0) {
			add(&s->size[i], view->vm[i].actual_pages);
			add(&s->unused[i], view->vm[i].stats.free_pages);
		}
	}
	if (++s->samples % DECISION_SAMPLES != 0) {
		return;
	}
	host = mean(&s->host_free) / (double)view->total_pages;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double size = (double)vm->actual_pages;
		const double max = (double)vm->max_pages;
		const double least = (double)vm->min_pages;
		double used, next;

		if (s->size[i].count == 0) {
			continue;
		}
		used = mean(&s->size[i]) - mean(&s->unused[i]);
		if (host < PRESSURE) {
			next = shrunk(size, used, least, host);
			if (size - next > CHANGE_LEAST * size) {
				target[i] = (uint64_t)next;
			}
		} else if (size < max) {
			next = grown(size, used, least);
			next = next < max ? next : max;
			if (next - size > CHANGE_LEAST * size) {
				target[i] = (uint64_t)next;
			}
		}
	}
}

const struct sim_policy sim_policy_mom = {
	.name = "mom",
	.text = "B5: oVirt MOM's balloon rules, mean of 50 s, 5 % every 10 s",
	.period_ms = SAMPLE_MS,
	.start = start,
	.stop = free,
	.step = step,
};
