/* SPDX-License-Identifier: MIT */
/*
 * Serves the simulator's own policies: shows them the machine, carries out their targets, counts
 * what breaks a reservation or a limit.
 */
#include "rival.h"

#define NONE UINT32_MAX

static struct sim_view make_view(struct sim_host *h)
{
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		const struct sim_guest *g = &h->guest[i];
		struct sim_vm_view *v = &h->view[i];
		struct poise_sample sample;

		v->actual_pages = sim_guest_pages(g);
		v->stall_ms = g->stall_us / 1000u;
		v->urgent_count = g->rings;
		if (poise_page_read(g->page, g->config->max_pages, &sample) == POISE_OK &&
		    sample.body.sample != v->stats.sample) {
			v->stats = sample.body;
			v->features = sample.features;
			v->stats_ms = h->books.now_us / 1000u;
		}
	}
	return (struct sim_view){
		.now_ms = h->books.now_us / 1000u,
		.total_pages = h->books.total_pages,
		.free_pages = h->books.free_pages,
		.granule = h->books.scenario->granule,
		.vm_count = h->books.scenario->vm_count,
		.vm = h->view,
		.host = h,
	};
}

/* What these policies have never heard of: VMs that come and go, other limits. */
static bool needs_core(const struct sim_scenario *s)
{
	bool needs = false;

	for (uint32_t i = 0; i < s->vm_count; i++) {
		needs = needs || s->vm[i].absent;
	}
	for (uint32_t i = 0; i < s->event_count; i++) {
		needs = needs || s->event[i].kind == SIM_EVENT_ADD ||
			s->event[i].kind == SIM_EVENT_REMOVE ||
			s->event[i].kind == SIM_EVENT_LIMITS;
	}
	return needs;
}

bool sim_rival_start(struct sim_host *h, const struct sim_policy *policy, const char *options,
		     const char **error)
{
	struct sim_view view;

	*error = needs_core(h->books.scenario) ? "this scenario needs a policy of the core" : NULL;
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		const struct sim_vm_config *c = &h->books.config[i];

		h->view[i] = (struct sim_vm_view){
			.name = c->name,
			.min_pages = c->min_pages,
			.boot_pages = c->boot_pages,
			.max_pages = c->max_pages,
			.weight = c->weight,
			.target_pages = c->boot_pages,
		};
		if (policy->stats_ms != 0) {
			h->guest[i].publish_ms = policy->stats_ms;
		}
	}
	view = make_view(h);
	if (*error != NULL) {
		return false;
	}
	if (policy->start != NULL) {
		h->policy_state = policy->start(&view, options, error);
	} else if (options[0] != '\0') {
		*error = "takes no options";
	}
	if (*error == NULL && policy->start != NULL && h->policy_state == NULL) {
		*error = "did not start";
	}
	if (*error == NULL) {
		h->policy = policy;
		h->next_step_ms = policy->period_ms;
	}
	return *error == NULL;
}

void sim_rival_stop(struct sim_host *h)
{
	if (h->policy != NULL && h->policy->stop != NULL) {
		h->policy->stop(h->policy_state);
	}
	h->policy_state = NULL;
	h->policy = NULL;
}

void sim_rival_repeat(struct sim_host *h, uint32_t vm)
{
	struct sim_guest *g = &h->guest[vm];
	const struct poise_notice notice = {
		.boot_id = g->driver.boot_id,
		.interval_ms = g->publish_ms,
		.target_pages = h->view[vm].target_pages,
		.epoch = ++g->epoch,
		.state = POISE_HOST_STATE_MANAGED,
	};

	g->allowed_pages = notice.target_pages;
	poise_host_page_write(g->host_page, &g->writer, &notice);
}

static void ask(struct sim_host *h, uint32_t vm, uint64_t target)
{
	const struct sim_vm_config *c = &h->books.config[vm];

	target = target < 1u ? 1u : target > c->max_pages ? c->max_pages : target;
	if (target == h->view[vm].target_pages) {
		return;
	}
	h->meter.violations += target < c->min_pages ? 1u : 0u;
	h->view[vm].target_pages = target;
	sim_rival_repeat(h, vm);
}

/* Lets the policy decide; `urgent`: the VM that rang, or none. */
static void decide(struct sim_host *h, uint32_t urgent)
{
	const struct sim_view view = make_view(h);
	uint64_t target[SIM_VM_MAX];

	for (uint32_t i = 0; i < view.vm_count; i++) {
		target[i] = h->view[i].target_pages;
	}
	if (urgent != NONE) {
		h->policy->urgent(h->policy_state, &view, urgent, target);
	} else {
		h->policy->step(h->policy_state, &view, target);
	}
	for (uint32_t i = 0; i < view.vm_count; i++) {
		ask(h, i, target[i]);
	}
}

void sim_rival_step(struct sim_host *h)
{
	for (uint32_t i = 0; i < h->books.scenario->vm_count; i++) {
		if (h->guest[i].rang && h->policy->urgent != NULL) {
			decide(h, i);
		}
		h->guest[i].rang = false;
	}
	if (h->books.now_us / 1000u >= h->next_step_ms) {
		h->next_step_ms += h->policy->period_ms;
		decide(h, NONE);
	}
}
