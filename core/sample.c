/* SPDX-License-Identifier: MIT */
/*
 * From a sample to a VM's history. Decides whether a sample is fresh and belongs to the boot that
 * is known, and what a VM's state is. Owns vm.state, vm.last and the runs; knows no page and no
 * policy.
 */
#include "internal.h"

void poise_vm_state_set(struct poise *p, struct poise_vm *v, uint32_t state)
{
	if (v->state != state) {
		poise_emit(p, POISE_EVENT_STATE, poise_slot(p, v), POISE_OK, v->state, state);
		v->state = state;
	}
}

void poise_vm_forget(struct poise *p, struct poise_vm *v)
{
	v->bad_run = 0;
	v->good_run = 0;
	v->forecast = (struct poise_forecast){0};
	v->last = (struct poise_sample){0};
	poise_vm_state_set(p, v,
			   (v->config.flags & POISE_VM_FREEZE) != 0 ? POISE_VM_FROZEN
								    : POISE_VM_UNMANAGED);
}

void poise_vm_reboot(struct poise *p, struct poise_vm *v, uint64_t actual_pages,
		     uint64_t target_pages)
{
	poise_vm_forget(p, v);
	v->backoff_exponent = 0;
	v->backoff_end_ms = 0;
	poise_ledger_set(p, v, actual_pages, v->target_pages);
	v->goal_pages = v->config.boot_pages;
	if (target_pages != 0) {
		poise_resize_ask(p, v, target_pages, POISE_RULE_STATIC);
	}
}

/* Counts a bad sample; too many in a row and nothing that this VM says is used any more. */
static void distrust(struct poise *p, struct poise_vm *v)
{
	v->good_run = 0;
	v->bad_run += v->bad_run < POISE_BAD_RUN;
	if (v->bad_run == POISE_BAD_RUN && (v->config.flags & POISE_VM_FREEZE) == 0) {
		v->forecast = (struct poise_forecast){0};
		poise_vm_state_set(p, v, POISE_VM_QUARANTINED);
	}
}

/* Counts a good sample and lets the VM back in step by step. */
static void trust(struct poise *p, struct poise_vm *v)
{
	if (v->forecast.steps >= 2) {
		v->bad_run = 0; /* A first sample may be every second one of two writers. */
	}
	if (v->state == POISE_VM_QUARANTINED && ++v->good_run < POISE_GOOD_RUN) {
		return;
	}
	v->good_run = 0;
	if ((v->config.flags & POISE_VM_FREEZE) == 0) {
		poise_vm_state_set(p, v,
				   v->forecast.steps >= 2 && v->state != POISE_VM_QUARANTINED
					   ? POISE_VM_MANAGED
					   : POISE_VM_UNMANAGED);
	}
}

/* It says that it has started anew, and that may be a lie: what is not there has to come first. */
static void believe_reboot(struct poise *p, struct poise_vm *v)
{
	const uint64_t most = poise_vm_charge(v) + poise_ledger_grantable(p, true);
	poise_vm_reboot(p, v, v->actual_pages, poise_min(v->config.boot_pages, most));
}

static enum poise_err take(struct poise *p, struct poise_vm *v, const struct poise_sample *sample)
{
	if (v->last.boot_id != 0 && sample->boot_id != v->last.boot_id) {
		believe_reboot(p, v);
	}
	if (v->last.boot_id != 0) {
		if (sample->body.total_pages != v->last.body.total_pages) {
			return POISE_E_TOTAL;
		}
		if (sample->body.sample == v->last.body.sample) {
			return POISE_E_STALE;
		}
		if (sample->body.sample < v->last.body.sample) {
			const uint32_t run = v->bad_run;
			believe_reboot(p, v);
			v->bad_run =
				run; /* A writer that does this again and again is not trusted. */
			return POISE_E_REPLAY;
		}
	}
	poise_forecast_update(&v->forecast, &p->config, v->config.basis, &v->last, sample,
			      p->now_ms);
	v->last = *sample;
	v->sample_ms = p->now_ms;
	return POISE_OK;
}

enum poise_err poise_report(struct poise *p, uint32_t vm, uint64_t now_ms,
			    const struct poise_sample *sample)
{
	enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	if (sample == NULL) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	poise_clock(p, now_ms);
	poise_emit_data(p, POISE_EVENT_SAMPLE, vm, 0, sample);
	err = take(p, v, sample);
	if (err == POISE_OK) {
		trust(p, v);
	} else if (err != POISE_E_STALE) {
		distrust(p, v);
	}
	return poise_leave(p, err);
}

enum poise_err poise_report_error(struct poise *p, uint32_t vm, uint64_t now_ms,
				  enum poise_err reason)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	if (reason > POISE_E_MAGIC || reason < POISE_E_UNMAPPED) {
		return poise_leave(p, POISE_E_ARG);
	}
	poise_clock(p, now_ms);
	poise_emit(p, POISE_EVENT_BAD, vm, reason, 0, 0);
	p->errors[-reason]++;
	struct poise_vm *v = &p->vm[vm];
	if (reason == POISE_E_UNMAPPED) {
		poise_vm_forget(p, v); /* No page, no driver: there may be another one later. */
	} else {
		distrust(p, v);
	}
	return poise_leave(p, POISE_OK);
}

/* How old a VM's sample is. */
static uint64_t age_ms(const struct poise_vm *v, uint64_t now_ms)
{
	return poise_over(now_ms, v->sample_ms);
}

uint64_t poise_vm_age_ms(const struct poise *p, uint32_t vm, uint64_t now_ms)
{
	return p == NULL || vm >= POISE_VM_MAX || p->vm[vm].last.boot_id == 0
		       ? UINT64_MAX
		       : age_ms(&p->vm[vm], now_ms);
}

void poise_vm_age(struct poise *p, struct poise_vm *v)
{
	if (v->state != POISE_VM_MANAGED && v->state != POISE_VM_STALE) {
		return;
	}
	const uint64_t age = age_ms(v, p->now_ms) / p->config.interval_ms;
	if (age >= p->config.freeze_intervals) {
		poise_vm_state_set(p, v, POISE_VM_FROZEN);
	} else if (age >= p->config.hold_intervals) {
		poise_vm_state_set(p, v, POISE_VM_STALE);
	}
}
