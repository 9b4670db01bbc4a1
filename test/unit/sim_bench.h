/* SPDX-License-Identifier: MIT */
/*
 * A bench for the simulator's policies: a hand-made machine whose VMs do and say what a test wants,
 * without guests or engine, so that each rule of a policy can be looked at alone.
 */
#ifndef TEST_UNIT_SIM_BENCH_H
#define TEST_UNIT_SIM_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

#define MIB(n) ((uint64_t)(n)*256u)

struct bench {
	const struct sim_policy *policy;
	void *state;
	struct sim_view view;
	struct sim_vm_view vm[SIM_VM_MAX];
};

/* An empty machine of so many MiB. */
static inline void bench_start(struct bench *b, uint64_t total_mib)
{
	memset(b, 0, sizeof(*b));
	b->view.total_pages = MIB(total_mib);
	b->view.free_pages = MIB(total_mib);
	b->view.granule = 1;
	b->view.vm = b->vm;
}

/* Adds a VM with these MiB that has said that all of it is in use. Returns it. */
static inline struct sim_vm_view *bench_vm(struct bench *b, uint64_t min, uint64_t max,
					   uint64_t size)
{
	struct sim_vm_view *vm = &b->vm[b->view.vm_count++];

	*vm = (struct sim_vm_view){
		.name = "vm",
		.min_pages = MIB(min),
		.boot_pages = MIB(size),
		.max_pages = MIB(max),
		.weight = 100,
		.actual_pages = MIB(size),
		.target_pages = MIB(size),
		.stats = {.sample = 1, .total_pages = MIB(max), .balloon_pages = MIB(max - size)},
	};
	b->view.free_pages -= MIB(size);
	return vm;
}

/* The guest needs so many pages: what its memory has not room for is in swap. */
static inline void bench_need(struct sim_vm_view *vm, uint64_t pages)
{
	const uint64_t size = vm->actual_pages;

	vm->stats.free_pages = size > pages ? size - pages : 0;
	vm->stats.swap_used_pages = size > pages ? 0 : pages - size;
}

/* The VM has this size now; its guest knows, and needs as much as before. */
static inline void bench_resize(struct bench *b, struct sim_vm_view *vm, uint64_t pages)
{
	const uint64_t need = vm->actual_pages - vm->stats.free_pages + vm->stats.swap_used_pages;

	b->view.free_pages = b->view.free_pages + vm->actual_pages - pages;
	vm->actual_pages = pages;
	vm->stats.balloon_pages = vm->stats.total_pages - pages;
	bench_need(vm, need);
}

/* Starts the policy of that name with these options. */
static inline void bench_policy(struct bench *b, const char *name, const char *options)
{
	const char *error = NULL;

	b->policy = sim_policy_find(name, strlen(name));
	assert_non_null(b->policy);
	if (b->policy->start != NULL) {
		b->state = b->policy->start(&b->view, options, &error);
		assert_non_null(b->state);
	}
	assert_null(error);
}

static inline void bench_stop(struct bench *b)
{
	if (b->policy->stop != NULL) {
		b->policy->stop(b->state);
	}
}

/* A period passes and the policy decides; nobody has moved yet. */
static inline void bench_step(struct bench *b)
{
	uint64_t target[SIM_VM_MAX];

	b->view.now_ms += b->policy->period_ms;
	for (uint32_t i = 0; i < b->view.vm_count; i++) {
		target[i] = b->vm[i].target_pages;
	}
	b->policy->step(b->state, &b->view, target);
	for (uint32_t i = 0; i < b->view.vm_count; i++) {
		assert_in_range(target[i], 1, b->vm[i].max_pages);
		b->vm[i].target_pages = target[i];
	}
}

/* All VMs but `but` (NULL: none) give what they were asked for, then get what there is for them. */
static inline void bench_follow(struct bench *b, const struct sim_vm_view *but)
{
	for (uint32_t i = 0; i < b->view.vm_count; i++) {
		if (&b->vm[i] != but && b->vm[i].target_pages < b->vm[i].actual_pages) {
			bench_resize(b, &b->vm[i], b->vm[i].target_pages);
		}
	}
	for (uint32_t i = 0; i < b->view.vm_count; i++) {
		const uint64_t most = b->vm[i].actual_pages + b->view.free_pages;

		if (&b->vm[i] != but && b->vm[i].target_pages > b->vm[i].actual_pages) {
			bench_resize(b, &b->vm[i],
				     b->vm[i].target_pages < most ? b->vm[i].target_pages : most);
		}
	}
}

/* Asserts that a policy refuses these options with a reason. */
static inline void bench_refuses(struct bench *b, const char *name, const char *options)
{
	const struct sim_policy *policy = sim_policy_find(name, strlen(name));
	const char *error = NULL;

	assert_non_null(policy);
	assert_non_null(policy->start);
	assert_null(policy->start(&b->view, options, &error));
	assert_non_null(error);
}

#endif
