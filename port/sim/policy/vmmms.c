/* SPDX-License-Identifier: MIT */
/*
 * Policy `vmmms`, baseline B11, after ChromeOS's VM memory management service: no sizes are worked
 * out; host and guests ask for memory when they are about to kill, with a priority, and a request
 * blocks the opposite one for a time (vmmms_blocker.c).
 *
 *	guest	a stall of 200/400/600 ms in 2 s asks for 100 MiB for a cached, perceptible or
 *		focused app, then not for 5/2/1 s
 *	host	below its critical margin, 5.2 % of its memory: takes 128 MiB, shared by all VMs
 *	boot	takes 40 MiB every 200 ms until a first request is refused
 *	stall	a balloon more than 1 MiB short of its target for 4 s and filling at less than
 *		15 MiB/s is emptied by 128 MiB, and not filled for a while
 *	age	every 30 s file pages older than the youngest of the VMs' oldest generations go
 *		(vmmms_ages.c)
 *
 * To fill, it goes from the balloon's target, to empty from what the balloon has. Nothing knows
 * reservations or weights.
 *
 * Decided here: the host runs nothing but VMs, so it always says that it has nobody to kill; it
 * looks once a second, and so often while it is short. It has no page cache of its own to take part
 * in age balancing. A guest's most urgent level counts alone. Guests' kills are not known before
 * they happen, so stalls are all that guests ask by. A balloon that has to empty waits for the
 * host's memory and does not stall.
 */
#include "common.h"
#include "vmmms.h"

#define STEP_MS        200u
#define WINDOW_STEPS   10u
#define HOST_STEPS     5u
#define STALL_STEPS    25u
#define AGE_STEPS      150u
#define STALL_AFTER_MS 4000u
#define STALL_RATE     (15.0 * PAGES_PER_MIB) /* pages a second */
#define HOST_CRITICAL  0.052
#define REQUEST        (100u * PAGES_PER_MIB)
#define BIG_REQUEST    (128u * PAGES_PER_MIB)
#define BOOT_REQUEST   (40u * PAGES_PER_MIB)

static const struct {
	uint64_t stall_ms;
	enum vmmms_priority priority;
	uint64_t quiet_ms;
} levels[] = {
	{600, VMMMS_FOCUSED_APP, 1000},
	{400, VMMMS_PERCEPTIBLE_APP, 2000},
	{200, VMMMS_CACHED_APP, 5000},
};
#define LEVELS (sizeof(levels) / sizeof(levels[0]))

struct vm_state {
	struct vmmms_blocker blocker;
	struct vmmms_ages ages;
	bool booted;
	uint64_t stall_ms[WINDOW_STEPS];
	uint64_t quiet_ms[LEVELS]; /* no request of this level until then */
	uint64_t filled_ms;        /* the balloon was last told to fill */
	uint64_t size;             /* at the last look for stalls */
};

struct state {
	uint32_t steps;
	struct vm_state vm[SIM_VM_MAX];
};

static void *start(const struct sim_view *view, const char *options, const char **error)
{
	struct state *s = state_without_options(sizeof(*s), options, error);
	uint64_t random = 1;

	for (uint32_t i = 0; s != NULL && i < view->vm_count; i++) {
		vmmms_ages_start(&s->vm[i].ages, view->host, i, &random);
	}
	return s;
}

static bool fill(struct vm_state *v, enum vmmms_priority priority, uint64_t pages, uint64_t now_ms,
		 uint64_t *target)
{
	if (!vmmms_request(&v->blocker, VMMMS_INFLATE, priority, now_ms)) {
		return false;
	}
	*target = *target > pages ? *target - pages : 1u;
	v->filled_ms = now_ms;
	return true;
}

static void empty(struct vm_state *v, const struct sim_vm_view *vm, enum vmmms_priority priority,
		  uint64_t pages, uint64_t now_ms, uint64_t *target)
{
	if (vmmms_request(&v->blocker, VMMMS_DEFLATE, priority, now_ms)) {
		*target = limit_pages(vm->actual_pages + pages, 1, vm->max_pages);
	}
}

/* A guest whose work stands still is about to kill one of its programs. */
static void guest_asks(struct state *s, struct vm_state *v, const struct sim_vm_view *vm,
		       uint64_t now_ms, uint64_t *target)
{
	uint64_t *oldest = &v->stall_ms[s->steps % WINDOW_STEPS];
	const uint64_t stall_ms = vm->stall_ms - *oldest;
	uint32_t level = 0;

	*oldest = vm->stall_ms;
	while (level < LEVELS && stall_ms < levels[level].stall_ms) {
		level++;
	}
	if (level < LEVELS && now_ms >= v->quiet_ms[level]) {
		v->quiet_ms[level] = now_ms + levels[level].quiet_ms;
		empty(v, vm, levels[level].priority, REQUEST, now_ms, target);
	}
}

static void look_for_stall(struct vm_state *v, const struct sim_vm_view *vm, uint64_t now_ms,
			   uint64_t *target)
{
	const double rate =
		((double)v->size - (double)vm->actual_pages) * 1000.0 / (STALL_STEPS * STEP_MS);

	v->size = vm->actual_pages;
	if (now_ms - v->filled_ms >= STALL_AFTER_MS &&
	    vm->actual_pages > vm->target_pages + PAGES_PER_MIB && rate < STALL_RATE) {
		empty(v, vm, VMMMS_BALLOON_STALL, BIG_REQUEST, now_ms, target);
	}
}

static void balance_ages(struct state *s, const struct sim_view *view, uint64_t *target)
{
	uint32_t youngest = UINT32_MAX;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		uint32_t oldest;

		vmmms_ages_step(&s->vm[i].ages, view->host, i);
		oldest = vmmms_ages_oldest(&s->vm[i].ages, &view->vm[i], PAGES_PER_MIB);
		youngest = oldest < youngest ? oldest : youngest;
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		const double old = vmmms_ages_older(&s->vm[i].ages, &view->vm[i], youngest + 1u);

		if (old > PAGES_PER_MIB) {
			fill(&s->vm[i], VMMMS_MGLRU_RECLAIM, (uint64_t)old, view->now_ms,
			     &target[i]);
		}
	}
}

static void host_asks(struct state *s, const struct sim_view *view, uint64_t *target)
{
	if ((double)view->free_pages >= HOST_CRITICAL * (double)view->total_pages) {
		return;
	}
	for (uint32_t i = 0; i < view->vm_count; i++) {
		fill(&s->vm[i], VMMMS_NO_KILL_CANDIDATES_HOST, BIG_REQUEST / view->vm_count,
		     view->now_ms, &target[i]);
	}
}

static void step(void *state, const struct sim_view *view, uint64_t *target)
{
	struct state *s = state;

	for (uint32_t i = 0; i < view->vm_count; i++) {
		struct vm_state *v = &s->vm[i];

		guest_asks(s, v, &view->vm[i], view->now_ms, &target[i]);
		if (!v->booted && view->vm[i].stats.sample != 0) {
			v->booted = !fill(v, VMMMS_AGGRESSIVE_BALLOON, BOOT_REQUEST, view->now_ms,
					  &target[i]);
		}
		if ((s->steps + 1u) % STALL_STEPS == 0) {
			look_for_stall(v, &view->vm[i], view->now_ms, &target[i]);
		}
	}
	s->steps++;
	if (s->steps % AGE_STEPS == 0) {
		balance_ages(s, view, target);
	}
	if (s->steps % HOST_STEPS == 0) {
		host_asks(s, view, target);
	}
}

const struct sim_policy sim_policy_vmmms = {
	.name = "vmmms",
	.text = "B11: ChromeOS VMMMS, requests with priorities that block each other",
	.period_ms = STEP_MS,
	.start = start,
	.stop = free,
	.step = step,
};
