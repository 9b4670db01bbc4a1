/* SPDX-License-Identifier: MIT */
/* The model machine: what must hold after every call of the core. */
#include "model.h"

uint64_t model_random(struct scenario_run *run)
{
	/* xorshift64 (Marsaglia 2003); the state is never 0. */
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return run->random;
}

void model_fail(struct scenario_run *run, uint32_t vm, const char *what, uint64_t a, uint64_t b)
{
	if (run->failure == NULL) {
		run->failure = what;
		run->failure_tick = run->tick;
		run->failure_vm = vm;
		run->failure_a = a;
		run->failure_b = b;
	}
}

void model_check(struct scenario_run *run)
{
	const struct poise *p = &run->p;
	const unsigned broken = poise_check(p);
	uint64_t real = 0;
	uint64_t self = 0;
	run->checks++;
	if (broken != 0) {
		model_fail(run, 0, "poise_check", broken, 0);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct model_vm *m = &run->vm[i];
		const uint64_t charge = poise_vm_charge(&p->vm[i]);
		if (!m->present) {
			continue;
		}
		if (m->real_pages > charge + m->self_pages) {
			model_fail(run, i, "I4: a VM has more than it is charged", m->real_pages,
				   charge);
		}
		if (m->real_pages <= charge) {
			m->self_pages = 0;
		}
		real += m->real_pages;
		self += m->self_pages;
	}
	const int64_t debt = p->free_pages < 0 ? -p->free_pages : 0;
	if (real > p->config.pool_pages + (uint64_t)debt + self) {
		model_fail(run, 0, "I1: the VMs have more than the pool", real,
			   p->config.pool_pages);
	}
	/* What the script takes is seen by the next tick's measurement, at worst the one after. */
	if (debt > run->debt_pages && run->tick > run->external_tick + 2) {
		model_fail(run, 0, "I4: a debt that nobody but the core has made", (uint64_t)debt,
			   (uint64_t)run->debt_pages);
	}
	run->debt_pages = debt;
}

void model_remember(struct scenario_run *run)
{
	if (!run->options->sloppy) {
		run->before = run->p;
	}
}

void model_returned(struct scenario_run *run, uint32_t vm, enum poise_err err, bool counts_only)
{
	if (err != POISE_OK && counts_only && !run->options->sloppy) {
		__builtin_memcpy(run->before.errors, run->p.errors, sizeof(run->p.errors));
		run->before.now_ms = run->p.now_ms;
		if (__builtin_memcmp(&run->before, &run->p, sizeof(run->p)) != 0) {
			model_fail(run, vm, "I5: a call that failed has changed something",
				   (uint64_t)-err, 0);
		}
	}
	model_check(run);
}
