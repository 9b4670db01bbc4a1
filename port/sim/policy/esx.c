/* SPDX-License-Identifier: MIT */
/*
 * Policy `esx`, baseline B8, after VMware ESX: shares with a tax on idle memory, and nothing that a
 * guest says. What a VM uses is sampled: of 100 random frames those that are touched within the
 * period, in three moving averages of which the largest counts, so that a rise is seen quickly and
 * a fall slowly. Memory is taken from whoever pays least for a page: shares / (pages * (f + k
 * (1-f))), f the active part, k = 1 / (1 - tax). How hard, the host's free memory decides.
 *
 * Decided here, as no more is known in public: period 30 s, and free memory of 6, 4, 2 and 1 % for
 * the states, as first published (later scales come to nearly the same below 4 GiB); a state is
 * left for a milder one at that one's own mark; the newest counts 1/2 in the fast average and 1/8
 * in the slow one; until the first period is over all memory is active; entitlements are what is
 * left when all have their limits and 1 MiB after the other is taken until 6 % are free; a VM grows
 * towards its entitlement in any state and shrinks towards it in none that is high: by 1/32 of its
 * size a second in soft (balloon), by 1/8 in hard (paging), at once in low (a VM above it stands
 * still). The frames are drawn from all that the VM can have: which are in the balloon cannot be
 * seen here, and they are never touched. The tax is flat; the partial count of the third average is
 * read every 5 s, because each look costs a probe here.
 */
#include <math.h>

#include "common.h"

#define STEP_MS    1000u
#define LOOK_STEPS 5u
#define PERIOD     30u /* steps */
#define FRAMES     100u
#define FAST       0.5
#define SLOW       0.125
#define UNIT       ((double)PAGES_PER_MIB)

enum { HIGH, SOFT, HARD, LOW, STATES };
/* Part of the machine that is free: below it, the state is worse than the one before. */
static const double mark[STATES] = {0.06, 0.04, 0.02, 0.01};
/* Part of its size that a VM is asked to give in a second. */
static const double slew[STATES] = {0.0, 1.0 / 32.0, 1.0 / 8.0, 1.0};

struct sampler {
	uint32_t frame[FRAMES];
	bool touched[FRAMES];
	uint32_t touched_count;
	double fast, slow; /* parts of the VM's frames */
};

struct state {
	double k;
	uint32_t steps, level;
	uint64_t random;
	struct sampler sampler[SIM_VM_MAX];
	double active[SIM_VM_MAX]; /* pages */
	double entitlement[SIM_VM_MAX];
};

static void draw(struct state *s, const struct sim_view *view, uint32_t vm)
{
	struct sampler *m = &s->sampler[vm];
	const uint32_t frames = sim_probe_frames(view->host, vm);

	m->touched_count = 0;
	for (uint32_t i = 0; i < FRAMES; i++) {
		m->frame[i] = sim_random(&s->random, frames);
		m->touched[i] = false;
		sim_probe(view->host, vm, m->frame[i], true);
	}
}

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = calloc(1, sizeof(*s));
	const double tax = sim_option(options, "tax", 0.75);

	if (s == NULL) {
		*error = "no memory";
		return NULL;
	}
	if (sim_option_unknown(options, "tax") != NULL || !(tax >= 0.0 && tax < 1.0)) {
		*error = "the only option is tax, the idle tax, 0 or more and less than 1";
		free(s);
		return NULL;
	}
	s->k = 1.0 / (1.0 - tax);
	for (uint32_t i = 0; i < view->vm_count; i++) {
		draw(s, view, i);
		s->active[i] = (double)view->vm[i].max_pages;
	}
	return s;
}

/* Looks at the frames of this period that had not been touched; at its end, draws new ones. */
static void look(struct state *s, const struct sim_view *view, uint32_t vm)
{
	struct sampler *m = &s->sampler[vm];
	const bool first = s->steps <= PERIOD;
	const bool over = s->steps % PERIOD == 0;
	double part;

	for (uint32_t i = 0; i < FRAMES; i++) {
		if (!m->touched[i] &&
		    (sim_probe(view->host, vm, m->frame[i], false) & SIM_ACCESSED) != 0) {
			m->touched[i] = true;
			m->touched_count++;
		}
	}
	part = (double)m->touched_count / FRAMES;
	if (over) {
		m->fast = first ? part : m->fast + FAST * (part - m->fast);
		m->slow = first ? part : m->slow + SLOW * (part - m->slow);
		draw(s, view, vm);
	}
	if (over || !first) {
		const double now = over ? m->fast : m->fast + FAST * (part - m->fast);

		s->active[vm] = fmax(fmax(m->slow, m->fast), now) * (double)view->vm[vm].max_pages;
	}
}

/* What a VM of this size pays for a page: its shares over its pages, idle ones taken k times. */
static double price(const struct state *s, const struct sim_view *view, uint32_t vm)
{
	const double pages = s->entitlement[vm];
	const double active = fmin(s->active[vm], pages);

	return pages <= (double)view->vm[vm].min_pages
		       ? INFINITY
		       : view->vm[vm].weight / (active + s->k * (pages - active));
}

/* Min-funding revocation, from all limits down to what the machine has without the 6 %. */
static void entitle(struct state *s, const struct sim_view *view)
{
	double over = -(1.0 - mark[HIGH]) * (double)view->total_pages;
	double prices[SIM_VM_MAX];

	for (uint32_t i = 0; i < view->vm_count; i++) {
		s->entitlement[i] = (double)view->vm[i].max_pages;
		over += s->entitlement[i];
		prices[i] = price(s, view, i);
	}
	while (over > 0.0) {
		uint32_t least = 0;
		double taken;

		for (uint32_t i = 1; i < view->vm_count; i++) {
			least = prices[i] < prices[least] ? i : least;
		}
		if (isinf(prices[least])) {
			break;
		}
		taken = fmin(UNIT, s->entitlement[least] - (double)view->vm[least].min_pages);
		s->entitlement[least] -= taken;
		over -= taken;
		prices[least] = price(s, view, least);
	}
}

/* Worse at once, better only at the milder state's own mark. */
static uint32_t level(uint32_t old, double free_part)
{
	uint32_t now = old;

	while (now < LOW && free_part < mark[now + 1u]) {
		now++;
	}
	while (now > HIGH && free_part >= mark[now - 1u]) {
		now--;
	}
	return now;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;

	s->level = level(s->level, (double)view->free_pages / (double)view->total_pages);
	if (++s->steps % LOOK_STEPS == 0) {
		for (uint32_t i = 0; i < view->vm_count; i++) {
			look(s, view, i);
		}
	}
	if (s->steps % LOOK_STEPS == 0 || s->steps == 1) {
		entitle(s, view);
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const struct sim_vm_view *vm = &view->vm[i];
		const double size = (double)vm->actual_pages;

		/* With a slew of 0, who is above the entitlement stops where it is. */
		target[i] = limit_size(fmax(size * (1.0 - slew[s->level]), s->entitlement[i]), 1,
				       vm->max_pages);
	}
}

const struct sim_policy sim_policy_esx = {
	.name = "esx",
	.text = "B8: VMware ESX, shares and idle tax 0.75 on sampled use, option tax=PART",
	.period_ms = STEP_MS,
	.start = start,
	.stop = free,
	.step = step,
};
