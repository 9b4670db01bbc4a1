/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Differences between kernel versions, all of them. Oldest supported: 6.1. */
#ifndef POISE_LINUX_COMPAT_H
#define POISE_LINUX_COMPAT_H

#include <linux/platform_device.h>
#include <linux/shrinker.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "poise_guest needs Linux 6.1 or later"
#endif

/* 6.7: shrinkers are allocated by the kernel. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
typedef unsigned long compat_shrinker_fn(struct shrinker *, struct shrink_control *);

static struct shrinker compat_shrinker_storage;

static inline struct shrinker *compat_shrinker_add(compat_shrinker_fn *count,
						   compat_shrinker_fn *scan, const char *name)
{
	compat_shrinker_storage.count_objects = count;
	compat_shrinker_storage.scan_objects = scan;
	compat_shrinker_storage.seeks = DEFAULT_SEEKS;
	return register_shrinker(&compat_shrinker_storage, "%s", name) == 0
		       ? &compat_shrinker_storage
		       : NULL;
}

static inline void compat_shrinker_remove(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
}
#else
typedef unsigned long compat_shrinker_fn(struct shrinker *, struct shrink_control *);

static inline struct shrinker *compat_shrinker_add(compat_shrinker_fn *count,
						   compat_shrinker_fn *scan, const char *name)
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (shrinker) {
		shrinker->count_objects = count;
		shrinker->scan_objects = scan;
		shrinker_register(shrinker);
	}
	return shrinker;
}

static inline void compat_shrinker_remove(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}
#endif

/* 6.11: a platform driver's remove returns nothing. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define COMPAT_REMOVE_TYPE     int
#define COMPAT_REMOVE_RETURN() return 0
#else
#define COMPAT_REMOVE_TYPE     void
#define COMPAT_REMOVE_RETURN() return
#endif

/* 7.x: CONFIG_MEMORY_BALLOON is called CONFIG_BALLOON. */
#if defined(CONFIG_MEMORY_BALLOON) || defined(CONFIG_BALLOON)
#define COMPAT_BALLOON_EVENTS 1
#else
#define COMPAT_BALLOON_EVENTS 0
#endif

#endif
