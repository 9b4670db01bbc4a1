/* SPDX-License-Identifier: MIT */
/*
 * Stage 7: the port's answers. The measured size beats what anybody claims; an answer to an older
 * request is dropped, because the number in it may be older than the one that is known.
 */
#include "internal.h"

enum poise_err poise_ack(struct poise *p, uint32_t vm, uint64_t epoch, uint64_t pages,
			 uint64_t now_ms)
{
	enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	if (pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	poise_clock(p, now_ms);
	err = epoch == v->epoch && epoch != 0 ? POISE_OK : POISE_E_LOST;
	poise_emit(p, POISE_EVENT_ACK, vm, err, epoch, pages);
	if (err == POISE_OK) {
		const bool shrank_too_far =
			pages < v->target_pages && v->window_pages > v->target_pages;
		poise_ledger_set(p, v, pages, v->target_pages);
		if (shrank_too_far && pages >= v->config.min_pages) {
			/* It shrank further than it was asked to: that is free now, and comes back
			 * with a plan. */
			v->goal_pages = poise_min(pages, v->config.max_pages);
			poise_resize_ask(p, v, pages, POISE_RULE_OVERSHOT);
		}
		poise_resize_settle(p);
		poise_tell(p);
	}
	return poise_leave(p, err);
}
