/* SPDX-License-Identifier: MIT */
/*
 * Stage 3: sample -> forecast. Equations (1) to (3) of Kim, Kim, Min, Jun, Lee, Kim and Eom,
 * "Symbiotic Dynamic Memory Balancing for Virtual Machines in Smart TV Systems", ETRI Journal
 * 36(5), 2014, in fixed point. Pure: no VM, no policy, no clock. Demand is rounded up and
 * reclaimable memory down, against shrinking; DESIGN.md argues the bound of the error.
 */
#include "internal.h"

#define ONE_Q16 (INT64_C(1) << POISE_FRACTION_BITS)
/* What was in use a moment ago may soon be so again; less likely while memory lies free. */
#define PEAK_FADES      10
#define PEAK_FADES_FREE 3
/* Refaults fade slowly, so that a VM is not shrunk again as soon as its size has stopped the
 * reading back; faster where memory lies free and nothing is read back. */
#define REFAULT_FADES      32
#define REFAULT_FADES_FREE 6
/* A VM is sated that reads back no more than this part of its size in an interval, and has free
 * memory. */
#define SATED_PART 256

uint64_t poise_forecast_used(const struct poise_sample *sample, uint32_t basis)
{
	const struct poise_abi_guest *b = &sample->body;
	/*
	 * "Swapped out" is the level, not the flow: a page that goes out and comes back has not
	 * changed how much the guest needs, and the sum of all changes stays what is in use now.
	 */
	uint64_t used = b->active_file_pages + b->active_anon_pages + b->swap_used_pages;
	if (basis == POISE_BASIS_AUTO) {
		basis = (sample->features & (POISE_GF_ANON_INACTIVE | POISE_GF_MGLRU)) != 0
				? POISE_BASIS_RESIDENT
				: POISE_BASIS_ACTIVE;
	}
	if (basis == POISE_BASIS_RESIDENT) {
		/* Since Linux 5.9 new anonymous pages start inactive: the active list shows nothing
		 * of them. */
		used += b->inactive_anon_pages;
	}
	return used;
}

int64_t poise_forecast_reclaimable(const struct poise_sample *sample, uint32_t headroom_permille)
{
	const struct poise_abi_guest *b = &sample->body;
	const int64_t size = (int64_t)(b->total_pages - b->balloon_pages) * ONE_Q16;
	const int64_t easy = (int64_t)(b->inactive_file_pages + b->free_pages) * ONE_Q16;
	return easy - (size * headroom_permille + 999) / 1000;
}

int64_t poise_forecast_average(int64_t delta_q16, int64_t change_pages, uint32_t alpha_q10)
{
	const int64_t alpha = alpha_q10;
	const int64_t sum =
		alpha * (change_pages * ONE_Q16) + (POISE_ALPHA_ONE - alpha) * delta_q16;
	/* The shift rounds towards minus infinity, so this rounds up. */
	return (sum + (POISE_ALPHA_ONE - 1)) >> 10;
}

/* How far a counter has come. Less than 2^32 pages pass between samples, so 32-bit guests may wrap.
 */
static uint64_t flow(uint64_t before, uint64_t after)
{
	return (uint32_t)(after - before);
}

/* Pages that the guest had to read back since the sample before. */
static uint64_t read_back(const struct poise_abi_guest *before, const struct poise_abi_guest *after)
{
	const uint64_t anon =
		poise_max(flow(before->swap_in_pages, after->swap_in_pages),
			  flow(before->refault_anon_pages, after->refault_anon_pages));
	return anon + flow(before->refault_file_pages, after->refault_file_pages);
}

/* Pages that it has promised to its processes since, and that are not in use yet. Much more is
 * promised than is ever touched: it counts for an eighth of the VM at most. */
static uint64_t promised(const struct poise_abi_guest *before, const struct poise_abi_guest *after,
			 int64_t grown, uint64_t size)
{
	const uint64_t more = poise_over(after->committed_pages, before->committed_pages);
	return poise_min(poise_over(more, grown > 0 ? (uint64_t)grown : 0), size / 8);
}

void poise_forecast_update(struct poise_forecast *f, const struct poise_config *config,
			   uint32_t basis, const struct poise_sample *before,
			   const struct poise_sample *sample, uint64_t now_ms)
{
	const uint64_t used = poise_forecast_used(sample, basis);
	f->size_pages = sample->body.total_pages - sample->body.balloon_pages;
	f->reclaimable_q16 = poise_forecast_reclaimable(sample, config->headroom_permille);
	const uint64_t in_use = poise_forecast_in_use(f);
	if (f->steps == 0) {
		*f = (struct poise_forecast){.used_pages = used,
					     .peak_in_use_pages = in_use,
					     .size_pages = f->size_pages,
					     .reclaimable_q16 = f->reclaimable_q16,
					     .stepped_ms = now_ms,
					     .steps = 1};
		return;
	}
	f->peak_in_use_pages = poise_max(f->peak_in_use_pages, in_use);
	const int64_t grown = (int64_t)used - (int64_t)poise_forecast_used(before, basis);
	const uint64_t refaults = read_back(&before->body, &sample->body);
	const uint64_t promise = promised(&before->body, &sample->body, grown, f->size_pages);
	const uint64_t elapsed =
		poise_min(now_ms - f->stepped_ms, (uint64_t)config->interval_ms << 16);
	if (elapsed * 2 < config->interval_ms) {
		f->refault_pages = poise_min(f->refault_pages + refaults, f->size_pages);
		f->promised_pages = poise_min(f->promised_pages + promise, f->size_pages / 8);
		return;
	}
	int64_t change = (int64_t)used - (int64_t)f->used_pages;
	if (elapsed * 2 > (uint64_t)config->interval_ms * 3) {
		/* Samples were missed: what came in several intervals is not what the next one will
		 * bring. Rounded up, like the average. */
		const int64_t up = change > 0 ? (int64_t)elapsed - 1 : 0;
		change = (change * (int64_t)config->interval_ms + up) / (int64_t)elapsed;
	}
	f->delta_q16 = f->steps == 1
			       ? change * ONE_Q16
			       : poise_forecast_average(f->delta_q16, change, config->alpha_q10);
	const bool sated = refaults <= f->size_pages / SATED_PART &&
			   sample->body.free_pages > f->size_pages / 10;
	f->peak_in_use_pages -=
		(f->peak_in_use_pages - in_use) / (sated ? PEAK_FADES_FREE : PEAK_FADES);
	const uint64_t fades = sated ? REFAULT_FADES_FREE : REFAULT_FADES;
	f->refault_pages =
		poise_min(f->refault_pages - f->refault_pages / fades + refaults, f->size_pages);
	f->promised_pages = poise_min(f->promised_pages / 2 + promise, f->size_pages / 8);
	f->used_pages = used;
	f->stepped_ms = now_ms;
	f->steps = 2;
}
