// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Linux guest module: publishes this guest's memory counters to its hypervisor, at the interval
 * that the host's page asks for, and calls for help when memory is short.
 *
 * One delayed work does everything that touches the pages, under one lock. It is not deferrable: an
 * idle guest has to publish too, for its idle memory is what others can use. Finders attach and
 * detach pages, pressure.c kicks the work, debug.c copies what was published.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>
#include <asm/barrier.h>

#include "judge.h"
#include "poise_guest.h"

#define URGENT_GAP_MS     20u  /* least time between two doorbells, and between two looks */
#define BACKGROUND_GAP_MS 100u /* the same, while the kernel reclaims in the background only */

static unsigned int floor_mib;
module_param(floor_mib, uint, 0444);
MODULE_PARM_DESC(floor_mib, "the guest asks not to be made smaller than this, in MiB (0: no wish)");

static unsigned int background_permille = 100;
module_param(background_permille, uint, 0444);
MODULE_PARM_DESC(background_permille,
		 "background reclaim is urgent below this much available memory, 0..1000 (100)");

static int mglru = -1;
module_param(mglru, int, 0444);
MODULE_PARM_DESC(mglru, "multi-generational LRU: 0 off, 1 on, -1 as the kernel was built (-1)");

static bool any_region;
module_param(any_region, bool, 0444);
MODULE_PARM_DESC(any_region, "take a region even if something else seems to live there (0)");

static DEFINE_MUTEX(lock);
static struct workqueue_struct *queue;
static void run(struct work_struct *unused);
static DECLARE_DELAYED_WORK(work, run);

/* Under the lock, but for the two times, which reclaim looks at. */
static struct poise_source *source;
static struct poise_status now;
static bool renew;                       /* the next update starts a new generation */
static u32 unheard;                      /* signs that count and wait for the gap to pass */
static u64 due_ms;                       /* of the next regular update */
static u64 bad_host;                     /* bad host pages that have been spoken of */
static unsigned long last_run, next_run; /* jiffies */

static u64 clock_ms(void)
{
	return (u64)ktime_to_ms(ktime_get());
}

static u64 floor_pages(u64 total)
{
	return min((u64)floor_mib * 256u, total);
}

static u32 features(void)
{
	const bool generations = mglru < 0 ? IS_ENABLED(CONFIG_LRU_GEN_ENABLED) : mglru > 0;

	return POISE_GF_ANON_INACTIVE | POISE_GF_AVAILABLE | POISE_GF_SWAP_FLOW | POISE_GF_REFAULT |
	       POISE_GF_COMMITTED | POISE_GF_RECLAIM | POISE_GF_URGENT |
	       (generations ? POISE_GF_MGLRU : 0u) | (floor_mib != 0 ? POISE_GF_FLOOR : 0u);
}

/* --- one generation: from attaching, resuming or a changed size on --- */

static int generation_begin(u64 total)
{
	struct poise_guest_page *page = source->guest;
	u64 boot_id;

	do {
		boot_id = get_random_u64();
	} while (boot_id == 0);
	if (gd_init(&now.gd, page, source->host, boot_id, total, features()) != 0) {
		return -EINVAL;
	}
	/* Odd until the first update is complete: nobody takes a page that is half zero. */
	WRITE_ONCE(page->head.seq, 1u);
	virt_wmb();
	memset((char *)page + sizeof(page->head.seq), 0, sizeof(*page) - sizeof(page->head.seq));
	now.host = (struct gd_host){};
	now.generations++;
	bad_host = 0;
	renew = false;
	due_ms = clock_ms();
	return 0;
}

/* --- the work --- */

static void account(u64 stat[3], u64 ns)
{
	stat[0] = ns;
	stat[1] = max(stat[1], ns);
	stat[2] += ns;
}

static void publish(const struct poise_abi_guest *body)
{
	const u64 start = ktime_get_ns();

	/* The sequence word must not stay odd for as long as somebody else is scheduled. */
	preempt_disable();
	gd_publish(&now.gd, body);
	preempt_enable();
	account(now.write_ns, ktime_get_ns() - start);
	now.body = *body;
	now.body.sample = now.gd.sample;
	now.body.total_pages = now.gd.total_pages;
	now.updates++;
}

/* A call too soon after the last one is made later: a sign of OOM does not come again. */
static void call_for_help(u32 counts)
{
	unheard = gd_urgent(&now.gd, clock_ms(), URGENT_GAP_MS) == 0 ? counts : 0;
	if (unheard != 0) {
		return;
	}
	now.raised[0] += (counts & JUDGE_BACKGROUND) != 0;
	now.raised[1] += (counts & JUDGE_DIRECT) != 0;
	now.raised[2] += (counts & JUDGE_OOM) != 0;
	if (source->doorbell && (now.host.features & POISE_HF_URGENT) != 0) {
		source->doorbell(source);
	}
}

static void listen(void)
{
	if (gd_host_read(&now.gd, &now.host) == 1) {
		/* A shorter interval counts from now on, not after the old one. */
		due_ms = min(due_ms, clock_ms() + now.host.interval_ms);
		now.interval_ms = now.host.interval_ms;
	}
	if (now.gd.bad_host_pages != 0 && bad_host == 0) {
		bad_host = now.gd.bad_host_pages;
		pr_notice(POISE_NAME ": the host's page makes no sense; the last values stay\n");
	}
}

/* Publishes if it is time or somebody waits for memory. `signs`: what pressure.c noticed. */
static void update(u32 signs)
{
	const u64 start = ktime_get_ns();
	const u64 total = poise_counters_total();
	const u64 before = now.updates;
	struct poise_abi_guest body;
	u32 counts;

	if ((renew || total != now.gd.total_pages) && generation_begin(total) != 0) {
		return;
	}
	poise_counters_read(&body);
	body.total_pages = total;
	body.floor_pages = floor_pages(total);
	/* There is nothing to compare a first sample with. */
	counts = judge_urgent(signs, now.gd.sample == 0 ? &body : &now.body, &body,
			      background_permille) |
		 unheard;
	if (counts != 0 || clock_ms() >= due_ms) {
		if (clock_ms() >= due_ms) {
			due_ms = judge_next_due(due_ms, clock_ms(), now.interval_ms);
		}
		publish(&body);
	}
	if (counts != 0) {
		call_for_help(counts);
	}
	listen();
	if (now.updates != before) {
		account(now.cost_ns, ktime_get_ns() - start);
	}
}

static void run(struct work_struct *unused)
{
	mutex_lock(&lock);
	WRITE_ONCE(last_run, jiffies);
	/* From here on poise_kick queues again: it must not rely on this run, which has begun. */
	WRITE_ONCE(next_run, jiffies + MAX_JIFFY_OFFSET);
	if (source) {
		u64 wait_ms;

		update(poise_pressure_take());
		wait_ms = due_ms > clock_ms() ? due_ms - clock_ms() : 1;
		if (unheard != 0) {
			wait_ms = min_t(u64, wait_ms, URGENT_GAP_MS);
		}
		WRITE_ONCE(next_run, jiffies + msecs_to_jiffies((unsigned int)wait_ms));
		/* Does nothing if a kick has queued it already, for a time before that. */
		queue_delayed_work(queue, &work, msecs_to_jiffies((unsigned int)wait_ms));
	}
	mutex_unlock(&lock);
}

void poise_kick(u32 sign)
{
	const unsigned int gap_ms = sign == JUDGE_BACKGROUND ? BACKGROUND_GAP_MS : URGENT_GAP_MS;
	const unsigned long present = jiffies;
	unsigned long at = READ_ONCE(last_run) + msecs_to_jiffies(gap_ms);

	if (!READ_ONCE(source)) {
		return;
	}
	if (time_before(at, present)) {
		at = present;
	}
	if (time_before(at, READ_ONCE(next_run))) {
		mod_delayed_work(queue, &work, at - present);
	}
}

/* --- finders --- */

int poise_region(struct poise_source *found, void *region, void *host)
{
	found->guest = region;
	found->host = host ? host : (char *)region + POISE_ABI_PAGE_BYTES;
	if (any_region || judge_region_is_ours(READ_ONCE(found->guest->update.magic),
					       READ_ONCE(found->host->update.magic))) {
		return 0;
	}
	pr_err(POISE_NAME ": %s %s: something else lives in this memory; left alone\n", found->kind,
	       found->name);
	return -EBUSY;
}

int poise_attach(struct poise_source *found)
{
	int error = 0;

	mutex_lock(&lock);
	if (source) {
		pr_notice(POISE_NAME ": %s %s: pages are already found: %s %s\n", found->kind,
			  found->name, now.kind, now.name);
		error = -EBUSY;
	} else {
		source = found;
		unheard = 0;
		strscpy(now.kind, found->kind, sizeof(now.kind));
		strscpy(now.name, found->name, sizeof(now.name));
		now.interval_ms = GD_INTERVAL_MS;
		error = generation_begin(poise_counters_total());
		if (error) {
			WRITE_ONCE(source, NULL);
		}
	}
	if (!error) {
		update(0);
		pr_info(POISE_NAME ": publishing to %s %s\n", now.kind, now.name);
	}
	mutex_unlock(&lock);
	if (!error) {
		mod_delayed_work(queue, &work, 0);
	}
	return error;
}

void poise_detach(struct poise_source *gone)
{
	bool ours;

	mutex_lock(&lock);
	ours = gone && source == gone;
	if (ours) {
		WRITE_ONCE(source, NULL);
		strscpy(now.kind, "none", sizeof(now.kind));
		now.name[0] = 0;
	}
	mutex_unlock(&lock);
	if (ours) {
		cancel_delayed_work_sync(&work);
		pr_info(POISE_NAME ": pages are gone\n");
	}
}

void poise_status(struct poise_status *status)
{
	mutex_lock(&lock);
	*status = now;
	mutex_unlock(&lock);
}

/* --- suspend --- */

static int resumed(struct notifier_block *block, unsigned long event, void *unused)
{
	if (event == PM_POST_SUSPEND || event == PM_POST_HIBERNATION || event == PM_POST_RESTORE) {
		/* The balloon driver has given everything back meanwhile, as after a boot. */
		mutex_lock(&lock);
		renew = true;
		mutex_unlock(&lock);
		mod_delayed_work(queue, &work, 0);
	}
	return NOTIFY_DONE;
}

static struct notifier_block resumed_block = {.notifier_call = resumed};

/* --- module --- */

/* In this order, and back in the opposite one. */
static const struct {
	int (*init)(void);
	void (*exit)(void);
} parts[] = {
	{poise_counters_init, poise_counters_exit}, {poise_debug_init, poise_debug_exit},
	{poise_pressure_init, poise_pressure_exit}, {poise_find_dt_init, poise_find_dt_exit},
	{poise_find_pci_init, poise_find_pci_exit}, {poise_find_xen_init, poise_find_xen_exit},
};

static void parts_exit(size_t count)
{
	while (count > 0) {
		parts[--count].exit();
	}
	unregister_pm_notifier(&resumed_block);
	cancel_delayed_work_sync(&work);
	destroy_workqueue(queue);
}

static int __init poise_init(void)
{
	size_t i;
	int error;

	if (background_permille > 1000) {
		pr_err(POISE_NAME ": background_permille=%u is not within 0..1000\n",
		       background_permille);
		return -EINVAL;
	}
	strscpy(now.kind, "none", sizeof(now.kind));
	/* Of use when memory is short; asleep while the machine is. */
	queue = alloc_workqueue(POISE_NAME, WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_FREEZABLE,
				1);
	if (!queue) {
		return -ENOMEM;
	}
	error = register_pm_notifier(&resumed_block);
	if (error) {
		destroy_workqueue(queue);
		return error;
	}
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		error = parts[i].init();
		if (error) {
			parts_exit(i);
			return error;
		}
	}
	return 0;
}

static void __exit poise_exit(void)
{
	parts_exit(ARRAY_SIZE(parts));
}

module_init(poise_init);
module_exit(poise_exit);

MODULE_AUTHOR("The Poise project");
MODULE_DESCRIPTION("Publishes this guest's memory counters to its hypervisor");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("0.2.0");
