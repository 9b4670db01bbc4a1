// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A guest whose balloon says that it has grown by so many pages, while it has given nothing: what a
 * direct-mapped domain looks like to Xen. While the module is loaded.
 */
#include <linux/module.h>
#include <xen/balloon.h>

static unsigned long pages = 3000;
module_param(pages, ulong, 0444);

static int __init liar_init(void)
{
	balloon_stats.balloon_low += pages;
	return 0;
}

static void __exit liar_exit(void)
{
	balloon_stats.balloon_low -= pages;
}

module_init(liar_init);
module_exit(liar_exit);
MODULE_DESCRIPTION("Test of poised: a balloon that lies");
MODULE_LICENSE("Dual MIT/GPL");
