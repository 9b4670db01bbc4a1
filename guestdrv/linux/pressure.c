// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Notices that memory is short. The kernel calls a shrinker whenever it reclaims from the whole
 * system, so a shrinker with nothing to give back is an ear at the right door. Nothing is decided
 * here: these callbacks run inside reclaim and only leave a sign and kick main.c's work.
 */
#include <linux/atomic.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/swap.h>

#include "compat.h"
#include "judge.h"
#include "poise_guest.h"

static struct shrinker *ear;
static atomic_t signs;
static atomic64_t noticed[3];

static void notice(u32 sign, unsigned int index)
{
	atomic64_inc(&noticed[index]);
	/* Reclaim is busy enough: touch the shared word only when it says something new. */
	if (((u32)atomic_read(&signs) & sign) == 0) {
		atomic_or((int)sign, &signs);
		/* Either main.c's run takes the sign, or the kick sees that a run has begun. */
		smp_mb__after_atomic();
		poise_kick(sign);
	}
}

static unsigned long ear_count(struct shrinker *shrinker, struct shrink_control *control)
{
	/* Writing to drop_caches calls shrinkers too, but is no reclaim. */
	if (current->flags & PF_MEMALLOC) {
		if (current_is_kswapd()) {
			notice(JUDGE_BACKGROUND, 0);
		} else {
			notice(JUDGE_DIRECT, 1);
		}
	}
	return 0;
}

static unsigned long ear_scan(struct shrinker *shrinker, struct shrink_control *control)
{
	return SHRINK_STOP;
}

static int oom(struct notifier_block *block, unsigned long action, void *freed)
{
	notice(JUDGE_OOM, 2);
	return NOTIFY_OK;
}

static struct notifier_block oom_block = {.notifier_call = oom};

int poise_pressure_init(void)
{
	int error;

	ear = compat_shrinker_add(ear_count, ear_scan, POISE_NAME);
	if (!ear) {
		return -ENOMEM;
	}
	error = register_oom_notifier(&oom_block);
	if (error) {
		compat_shrinker_remove(ear);
	}
	return error;
}

void poise_pressure_exit(void)
{
	unregister_oom_notifier(&oom_block);
	compat_shrinker_remove(ear);
}

u32 poise_pressure_take(void)
{
	return (u32)atomic_xchg(&signs, 0);
}

void poise_pressure_counts(u64 counts[3])
{
	int i;

	for (i = 0; i < 3; i++) {
		counts[i] = (u64)atomic64_read(&noticed[i]);
	}
}
