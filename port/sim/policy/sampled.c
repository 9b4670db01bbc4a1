/* SPDX-License-Identifier: MIT */
/*
 * What policies `dirty` and `accessed` have in common. The working set is the part of a VM's frames
 * whose flag has been set within an interval, times its frames: all of them, or a random sample
 * that is drawn anew each time. Frames in the balloon are never touched, so the part is of all that
 * the VM can have. VMs are then served in the order of their importance; what is left goes to all
 * in proportion to their working sets, where it will be of most use.
 *
 * Decided here: the interval is 10 s and the sample 100 frames by default; importance is the
 * weight, and reservations come before it. No more than the memory it has can be seen of a VM's
 * working set, nor what its kernel uses, so a quarter more than was seen is aimed for (`headroom`).
 */
#include "sampled.h"

#include <stdlib.h>

#include "share.h"

struct state {
	struct sampler sampler;
	uint32_t period, steps; /* seconds */
	double headroom;
};

/* Draws frames and clears their flags. */
static void draw(struct sampler *s, const struct sim_view *view, uint32_t vm)
{
	const uint32_t frames = sim_probe_frames(view->host, vm);

	for (uint32_t i = 0; i < s->sample; i++) {
		s->frame[vm][i] = sim_random(&s->random, frames);
		sim_probe(view->host, vm, s->frame[vm][i], true);
	}
}

bool sampler_start(struct sampler *s, const struct sim_view *view, uint32_t flag, uint32_t sample)
{
	*s = (struct sampler){.flag = flag, .sample = sample, .random = 1};
	for (uint32_t i = 0; i < view->vm_count; i++) {
		if (sample == 0) {
			continue;
		}
		s->frame[i] = malloc(sample * sizeof(*s->frame[i]));
		if (s->frame[i] == NULL) {
			return false;
		}
		draw(s, view, i);
	}
	return true;
}

void sampler_stop(struct sampler *s)
{
	for (uint32_t i = 0; i < SIM_VM_MAX; i++) {
		free(s->frame[i]);
	}
}

double sampler_read(struct sampler *s, const struct sim_view *view, uint32_t vm)
{
	const uint32_t frames = sim_probe_frames(view->host, vm);
	const uint32_t reads = s->sample == 0 ? frames : s->sample;
	uint32_t count = 0;

	for (uint32_t i = 0; i < reads; i++) {
		const uint32_t frame = s->sample == 0 ? i : s->frame[vm][i];

		/* All of them are read and cleared at once; a sample is read, then drawn anew. */
		if ((sim_probe(view->host, vm, frame, s->sample == 0) & s->flag) != 0) {
			count++;
		}
	}
	if (s->sample != 0) {
		draw(s, view, vm);
	}
	return (double)count / reads * frames * view->granule;
}

void *sampled_start(const struct sim_view *view, uint32_t flag, const char *options,
		    const char **error)
{
	const double sample = sim_option(options, "sample", 100.0);
	const double period = sim_option(options, "period", 10.0);
	const double headroom = sim_option(options, "headroom", 0.25);
	struct state *s;

	if (sim_option_unknown(options, "sample,period,headroom") != NULL ||
	    !(sample >= 0.0 && sample <= 1e6) || !(period >= 1.0 && period <= 3600.0) ||
	    !(headroom >= 0.0 && headroom <= 10.0)) {
		*error = "options are sample (frames of each VM, 0: all), period (seconds, 1 or "
			 "more), headroom (part of the working set, 0 or more)";
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL || !sampler_start(&s->sampler, view, flag, (uint32_t)sample)) {
		*error = "no memory";
		sampled_stop(s);
		return NULL;
	}
	s->period = (uint32_t)period;
	s->headroom = headroom;
	return s;
}

void sampled_stop(void *state)
{
	struct state *s = state;

	if (s != NULL) {
		sampler_stop(&s->sampler);
	}
	free(s);
}

void sampled_step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;
	double need[SIM_VM_MAX];

	if (++s->steps % s->period != 0) {
		return;
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		need[i] = sampler_read(&s->sampler, view, i) * (1.0 + s->headroom);
	}
	sim_share_by_rank(view, need, target);
}
