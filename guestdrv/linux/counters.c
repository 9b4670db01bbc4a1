// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The kernel's counters, in pages of 4 KiB. Only what the kernel exports to modules is read
 * directly. The size of the swap space is not exported: it is read from /proc/meminfo, and only
 * when /proc/swaps says that a swap area came or went.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/nodemask.h>
#include <linux/poll.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <xen/balloon.h>
#include <xen/xen.h>

#include "compat.h"
#include "judge.h"
#include "poise_guest.h"

/* From the kernel's pages to those of the ABI. */
static u64 abi_pages(unsigned long pages)
{
	return (u64)pages << (PAGE_SHIFT - 12);
}

/* --- size of the swap space --- */

/* A mount of our own: no dependence on what user space has mounted where. */
static struct vfsmount *proc;
static struct file *swaps;   /* polled: it is "ready" when an area came or went */
static struct file *meminfo; /* read then */
static u64 swap_total_pages;
static unsigned long vm_events[NR_VM_EVENT_ITEMS];

static struct file *proc_open(const char *name)
{
	const struct path root = {.mnt = proc, .dentry = proc->mnt_root};

	return file_open_root(&root, name, O_RDONLY, 0);
}

static void swap_total_read(void)
{
	char text[768]; /* SwapTotal is within the first 20 lines of 28 bytes. */
	loff_t position = 0;
	const ssize_t length = kernel_read(meminfo, text, sizeof(text), &position);
	const s64 kib = length > 0 ? judge_swap_total_kib(text, (size_t)length) : -1;

	if (kib < 0) {
		pr_warn_once(POISE_NAME ": no SwapTotal in /proc/meminfo\n");
		return;
	}
	swap_total_pages = (u64)kib / 4;
}

static u64 swap_used(void)
{
	const long free = get_nr_swap_pages(); /* below 0 while an area is being emptied */
	const u64 free_pages = free > 0 ? abi_pages((unsigned long)free) : 0;

	if (vfs_poll(swaps, NULL) & EPOLLPRI) {
		swap_total_read();
	}
	return swap_total_pages > free_pages ? swap_total_pages - free_pages : 0;
}

int poise_counters_init(void)
{
	struct file_system_type *type = get_fs_type("proc");

	if (!type) {
		return -ENODEV;
	}
	proc = kern_mount(type);
	module_put(type->owner);
	if (IS_ERR(proc)) {
		return PTR_ERR(proc);
	}
	swaps = proc_open("swaps");
	meminfo = proc_open("meminfo");
	if (IS_ERR(swaps) || IS_ERR(meminfo)) {
		const long error = IS_ERR(swaps) ? PTR_ERR(swaps) : PTR_ERR(meminfo);

		poise_counters_exit();
		return (int)error;
	}
	swap_total_read();
	return 0;
}

void poise_counters_exit(void)
{
	if (!IS_ERR(meminfo)) {
		fput(meminfo);
	}
	if (!IS_ERR(swaps)) {
		fput(swaps);
	}
	/* A kernel thread's fput is carried out later; the mount stays until then by itself. */
	kern_unmount(proc);
}

/* --- balloon --- */

static u64 balloon(void)
{
#if IS_ENABLED(CONFIG_XEN_BALLOON)
	if (xen_domain()) {
		return abi_pages(balloon_stats.balloon_low + balloon_stats.balloon_high);
	}
#endif
#if COMPAT_BALLOON_EVENTS
	/* Counted by the kernel's balloon list, whatever the driver tells the page allocator. */
	return abi_pages(vm_events[BALLOON_INFLATE] - vm_events[BALLOON_DEFLATE]);
#else
	return 0;
#endif
}

/* --- all of it --- */

u64 poise_counters_total(void)
{
	unsigned long present = 0;
	int node;

	/* All memory, the kernel's own and the balloon included: what the hypervisor gave. */
	for_each_online_node(node)
	{
		present += NODE_DATA(node)->node_present_pages;
	}
	return abi_pages(present);
}

static unsigned long direct_reclaims(void)
{
	unsigned long sum = 0;
	int event;

	for (event = ALLOCSTALL_NORMAL - ZONE_NORMAL; event <= ALLOCSTALL_MOVABLE; event++) {
		sum += vm_events[event];
	}
	return sum;
}

void poise_counters_read(struct poise_abi_guest *body)
{
	const long available = si_mem_available();

	all_vm_events(vm_events);
	*body = (struct poise_abi_guest){
		.guest_ms = (u64)ktime_to_ms(ktime_get()),
		/* Before free pages: a page on its way to the balloon is counted once at most. */
		.balloon_pages = balloon(),
		.swap_used_pages = swap_used(),
		.available_pages = available > 0 ? abi_pages((unsigned long)available) : 0,
		.swap_out_pages = abi_pages(vm_events[PSWPOUT]),
		.swap_in_pages = abi_pages(vm_events[PSWPIN]),
		.committed_pages = abi_pages(vm_memory_committed()),
		.direct_reclaims = direct_reclaims(),
		.oom_kills = vm_events[OOM_KILL],
	};
	body->free_pages = abi_pages(global_zone_page_state(NR_FREE_PAGES));
	body->active_file_pages = abi_pages(global_node_page_state(NR_ACTIVE_FILE));
	body->inactive_file_pages = abi_pages(global_node_page_state(NR_INACTIVE_FILE));
	body->active_anon_pages = abi_pages(global_node_page_state(NR_ACTIVE_ANON));
	body->inactive_anon_pages = abi_pages(global_node_page_state(NR_INACTIVE_ANON));
	body->unevictable_pages = abi_pages(global_node_page_state(NR_UNEVICTABLE));
	body->refault_anon_pages = abi_pages(global_node_page_state(WORKINGSET_REFAULT_ANON));
	body->refault_file_pages = abi_pages(global_node_page_state(WORKINGSET_REFAULT_FILE));
}
