/* SPDX-License-Identifier: MIT */
/*
 * An observer in a policy's place: it samples as policies `dirty` and `accessed` do, compares, and
 * asks for nothing.
 */
#include "estimate.h"

#include <stdlib.h>

#include "loop.h"
#include "rival.h"
#include "policy/sampled.h"

#define STEP_MS 1000u

/* What the observer is to do, and what came of it. */
struct observer {
	struct sampler sampler;
	const struct sim_estimator *estimator;
	uint64_t next_ms;
	struct sim_estimate *sum;
};

static void compare(struct observer *o, const struct sim_view *view, uint32_t vm)
{
	struct sim_estimate *sum = &o->sum[vm];
	const uint64_t before = view->host->probes;
	const double truth = (double)sim_truth_working_set(view->host, vm, o->estimator->period_ms);
	const double estimate = sampler_read(&o->sampler, view, vm);
	const double frames = sim_probe_frames(view->host, vm);
	const double reads = o->estimator->sample == 0 ? frames : o->estimator->sample;

	sum->intervals++;
	sum->truth += truth;
	sum->estimate += estimate;
	sum->over += estimate > truth ? estimate - truth : 0.0;
	sum->under += estimate < truth ? truth - estimate : 0.0;
	sum->probes += (double)(view->host->probes - before);
	sum->hits += estimate / view->granule / frames * reads;
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct observer *o = state;

	(void)target;
	if (view->now_ms < o->next_ms) {
		return;
	}
	o->next_ms += o->estimator->period_ms;
	for (uint32_t i = 0; i < view->vm_count; i++) {
		compare(o, view, i);
	}
}

static const struct sim_policy observe = {
	.name = "observer",
	.text = "",
	.period_ms = STEP_MS,
	.step = step,
};

static void mean(struct sim_estimate *e)
{
	const double n = e->intervals == 0 ? 1.0 : e->intervals;

	e->truth /= n;
	e->estimate /= n;
	e->over /= n;
	e->under /= n;
	e->probes /= n;
	e->hits /= n;
}

/* Starts the observer on a host that stands, and lets the scenario pass. */
static bool observe_all(struct sim_host *h, struct observer *o, const char **reason)
{
	struct sim_view view = {.granule = h->books.scenario->granule,
				.vm_count = h->books.scenario->vm_count,
				.vm = h->view,
				.host = h};

	if (!sim_rival_start(h, &observe, "", reason)) {
		return false;
	}
	h->policy_state = o;
	if (!sampler_start(&o->sampler, &view, o->estimator->flag, o->estimator->sample)) {
		*reason = "no memory for the sample";
		return false;
	}
	while (h->books.now_us < h->books.scenario->end_ms * 1000u && h->books.failure[0] == '\0') {
		sim_host_step(h);
	}
	*reason = h->books.failure;
	return h->books.failure[0] == '\0';
}

bool sim_estimate_run(const struct sim_scenario *scenario, const struct sim_estimator *estimator,
		      uint64_t seed, struct sim_estimate *out, char error[SIM_ERROR_MAX])
{
	struct sim_host *h = malloc(sizeof(*h));
	struct observer o = {
		.estimator = estimator,
		.next_ms = estimator->period_ms,
		.sum = out,
	};
	const char *reason = "no memory for the VMs";
	bool ok = false;

	for (uint32_t i = 0; i < scenario->vm_count; i++) {
		out[i] = (struct sim_estimate){0};
	}
	if (h != NULL && sim_host_start(h, scenario, scenario->vm, seed)) {
		ok = observe_all(h, &o, &reason);
		sampler_stop(&o.sampler);
		for (uint32_t i = 0; i < scenario->vm_count; i++) {
			mean(&out[i]);
		}
	}
	if (!ok) {
		snprintf(error, SIM_ERROR_MAX, "%s", reason);
	}
	if (h != NULL && h->books.scenario != NULL) {
		sim_host_stop(h);
	}
	free(h);
	return ok;
}
