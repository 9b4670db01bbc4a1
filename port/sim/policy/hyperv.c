/* SPDX-License-Identifier: MIT */
/*
 * Policy `hyperv`, baseline B9: demand with a buffer, as Hyper-V's Dynamic Memory is documented to
 * work, in the form that a container host gave it later. Samples every 5 s, a decision every 10 s.
 * A VM needs what its guest has promised to programs, and the floor that such a guest keeps for
 * itself; of the last sample and the mean of ten the larger counts. On top comes a buffer of 20 %,
 * less with less than 20 % of the host free, negative below 5 %. Growth comes at once; a VM loses
 * 5 % a decision, and never more than its guest has available beyond the floor.
 *
 * The guest's own refusal to go below its floor belongs to its driver and is not in here. The host
 * has no say between VMs: buffers shrink for all alike, nobody's weight counts.
 *
 * Decided here: what the guest boots with and what its kernel shows as its memory differ by what is
 * neither free nor on a list; the host's free memory is what no VM has; a guest without a sample is
 * left alone. The guest's commit does not contain its balloon.
 */
#include <math.h>

#include "common.h"

#define SAMPLE_MS         5000u
#define SAMPLES           10u
#define DECISION_SAMPLES  2u
#define PRESSURE          0.20
#define PRESSURE_CRITICAL 0.05
#define BUFFER            0.20
#define SHRINK            0.05
#define DEAD_BAND         0.0025

struct history {
	double value[SAMPLES];
	uint32_t count;
};

struct state {
	uint32_t samples;
	struct history host_free; /* part of the machine */
	struct history needs[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	(void)view;
	return state_without_options(sizeof(struct state), options, error);
}

static void add(struct history *h, double value)
{
	h->value[h->count++ % SAMPLES] = value;
}

static double mean(const struct history *h)
{
	const uint32_t count = h->count < SAMPLES ? h->count : SAMPLES;
	double sum = 0.0;

	for (uint32_t i = 0; i < count; i++) {
		sum += h->value[i];
	}
	return sum / count;
}

/* What the guest keeps for itself, by its size without the balloon. */
static double guest_floor(const struct sim_vm_view *vm)
{
	static const struct {
		double below_mib, base_mib, part;
	} rows[] = {
		{128.0, 8.0, 1.0 / 2.0},       {512.0, 40.0, 1.0 / 4.0},
		{2048.0, 104.0, 1.0 / 8.0},    {8192.0, 232.0, 1.0 / 16.0},
		{INFINITY, 488.0, 1.0 / 32.0},
	};
	const double size = (double)(vm->stats.total_pages - vm->stats.balloon_pages);
	uint32_t row = 0;

	while (size >= rows[row].below_mib * PAGES_PER_MIB) {
		row++;
	}
	return rows[row].base_mib * PAGES_PER_MIB + rows[row].part * size;
}

static void sample(struct state *s, const struct sim_view *view)
{
	add(&s->host_free, (double)view->free_pages / (double)view->total_pages);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];

		if (vm->stats.sample != 0) {
			add(&s->needs[i], (double)(vm->stats.committed_pages + kernel_pages(vm)) +
						  guest_floor(vm));
		}
	}
}

static double buffer(double host_free)
{
	if (host_free >= PRESSURE) {
		return BUFFER;
	}
	return host_free > PRESSURE_CRITICAL ? BUFFER * host_free / PRESSURE
					     : host_free - PRESSURE_CRITICAL;
}

static double decide(const struct history *needs, const struct sim_vm_view *vm, double part)
{
	const double now = (double)vm->actual_pages;
	const double last = needs->value[(needs->count - 1u) % SAMPLES];
	const double want = fmax(mean(needs), last) * (1.0 + part);
	double size = fmin(fmax(want, (double)vm->min_pages), (double)vm->max_pages);

	if (size < now) {
		const double spare = (double)vm->stats.available_pages - guest_floor(vm);

		size = fmax(size, fmax((1.0 - SHRINK) * now, now - fmax(0.0, spare)));
	}
	return fabs(size - now) > DEAD_BAND * now ? size : now;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	double part;

	sample(s, view);
	if (++s->samples % DECISION_SAMPLES != 0) {
		return;
	}
	part = buffer(mean(&s->host_free));
	for (uint32_t i = 0; i < view->vm_count; i++) {
		if (s->needs[i].count != 0) {
			const double size = decide(&s->needs[i], &view->vm[i], part);

			/* Within the dead band the old target stays in force. */
			if (size < (double)view->vm[i].actual_pages ||
			    size > (double)view->vm[i].actual_pages) {
				target[i] = (uint64_t)size;
			}
		}
	}
}

const struct sim_policy sim_policy_hyperv = {
	.name = "hyperv",
	.text = "B9: like Hyper-V, commit and a buffer of 20 %, down 5 % in 10 s, up at once",
	.period_ms = SAMPLE_MS,
	.start = start,
	.stop = free,
	.step = step,
};
