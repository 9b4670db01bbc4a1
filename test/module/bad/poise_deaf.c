// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A guest whose balloon ignores what it is told to have. While the module is loaded.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <xen/balloon.h>

/* Its only argument is the number of pages that the domain is to have. */
static int target_set(struct kprobe *probe, struct pt_regs *regs)
{
	regs->regs[0] = balloon_stats.target_pages;
	return 0;
}

static struct kprobe probe = {.symbol_name = "balloon_set_new_target", .pre_handler = target_set};

static int __init deaf_init(void)
{
	return register_kprobe(&probe);
}

static void __exit deaf_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(deaf_init);
module_exit(deaf_exit);
MODULE_DESCRIPTION("Test of poised: a balloon that does not listen");
MODULE_LICENSE("Dual MIT/GPL");
