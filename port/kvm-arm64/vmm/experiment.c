/* SPDX-License-Identifier: MIT */
/*
 * Working sets from dirty pages, as they were first tried for this project: a guest makes passes
 * over two arrays of 2^17 and 2^16 ints, and between two of its calls the dirty log says how many
 * pages it wrote. Next to that stand two counts that do not come from the log: how many pages have
 * other contents than before (the VMM compares sums of all pages), and how many the guest has
 * written by its own account. They have to be the same pages. What the guest has touched, reads
 * included, stands there too: it is what the log cannot tell.
 */
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPREAD_PAGES 8192u

/* The jobs, in order; amounts are cut to what the RAM has. */
static const struct {
	const char *name;
	enum vmm_job job;
	uint32_t amount;
} jobs[] = {
	{"start", VMM_JOB_COUNT, 0}, /* from the first instruction to the first call */
	{"a", VMM_JOB_A, 0},
	{"b", VMM_JOB_B, 0},
	{"a", VMM_JOB_A, 0},
	{"b", VMM_JOB_B, 0},
	{"idle", VMM_JOB_IDLE, 0},
	{"spread", VMM_JOB_SPREAD, 64},
	{"spread", VMM_JOB_SPREAD, SPREAD_PAGES},
	{"idle", VMM_JOB_IDLE, 0},
};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

struct truth {
	uint64_t *sum;     /* of each page's contents */
	uint64_t *changed; /* a bit a page */
	uint64_t *there;   /* a word a page, of /proc/self/pagemap */
	int pagemap_fd;
};
#define PAGEMAP    "/proc/self/pagemap"
#define PAGE_THERE (UINT64_C(3) << 62) /* present, or swapped */

static uint64_t page_sum(const uint8_t *page)
{
	uint64_t sum = POISE_ABI_CHECKSUM_SEED;
	for (size_t i = 0; i < PAGE_BYTES; i += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, page + i, sizeof(word));
		sum = poise_abi_checksum(sum, word);
	}
	return sum;
}

/* Compares all pages with what they were. Pages that are not there are left alone, for looking at
 * them would bring them: they are zero. */
static uint64_t truth_read(struct truth *t, struct vmm *vm)
{
	static const uint8_t zero[PAGE_BYTES];
	const uint64_t zero_sum = page_sum(zero);
	uint64_t count = 0;
	const size_t bytes = vm->config.ram_pages * sizeof(uint64_t);
	const off_t from = (off_t)((uintptr_t)vm->ram / PAGE_BYTES * sizeof(uint64_t));
	if (pread(t->pagemap_fd, t->there, bytes, from) != (ssize_t)bytes) {
		vmm_die(PAGEMAP ": %s", strerror(errno));
	}
	for (uint64_t i = 0; i < vm->config.ram_pages; i++) {
		const bool there = (t->there[i] & PAGE_THERE) != 0;
		const uint64_t sum = there ? page_sum(vm->ram + i * PAGE_BYTES) : zero_sum;
		const uint64_t bit = UINT64_C(1) << (i % 64);
		t->changed[i / 64] &= ~bit;
		if (sum != t->sum[i]) {
			t->changed[i / 64] |= bit;
			t->sum[i] = sum;
			count++;
		}
	}
	return count;
}

static void truth_open(struct truth *t, struct vmm *vm)
{
	const uint64_t pages = vm->config.ram_pages;
	t->sum = calloc(pages, sizeof(uint64_t));
	t->changed = calloc(pages / 64 + 1, sizeof(uint64_t));
	t->there = calloc(pages, sizeof(uint64_t));
	if (t->sum == NULL || t->changed == NULL || t->there == NULL) {
		vmm_die("no memory for %llu sums", (unsigned long long)pages);
	}
	t->pagemap_fd = open(PAGEMAP, O_RDONLY | O_CLOEXEC);
	if (t->pagemap_fd < 0) {
		vmm_die(PAGEMAP ": %s", strerror(errno));
	}
	(void)truth_read(t, vm);
}

static void truth_close(struct truth *t)
{
	free(t->sum);
	free(t->changed);
	free(t->there);
	close(t->pagemap_fd);
}

static uint64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* One interval: prints its row. Returns whether the three counts agree, page for page. */
static bool row(struct vmm *vm, struct truth *t, const char *name)
{
	const struct kvm_dirty_slot *slot = kvm_dirty_slot_find(&vm->dirty, 0);
	uint64_t dirty = 0;
	uint64_t missing = 0;
	uint64_t extra = 0;
	const uint64_t begin_us = now_us();
	const int result = kvm_dirty_read(&vm->dirty, &dirty);
	const uint64_t end_us = now_us();
	if (result < 0) {
		vmm_die("the dirty log cannot be read: %s", strerror(-result));
	}
	const uint64_t changed = truth_read(t, vm);
	for (uint64_t i = 0; i * 64 < vm->config.ram_pages; i++) {
		missing += (uint64_t)__builtin_popcountll(t->changed[i] & ~slot->written[i]);
		extra += (uint64_t)__builtin_popcountll(slot->written[i] & ~t->changed[i]);
	}
	const bool ok = missing == 0 && extra == 0 && dirty == changed && dirty == vm->arg[0];
	printf("%-6s %-6s %6llu/%-6llu %8llu %8llu %8llu %8llu %6llu %8llu  %s\n",
	       kvm_dirty_mode_name(vm->dirty.mode), name, (unsigned long long)dirty,
	       (unsigned long long)vm->config.ram_pages, (unsigned long long)changed,
	       (unsigned long long)vm->arg[0], (unsigned long long)vm->arg[1],
	       (unsigned long long)missing, (unsigned long long)extra,
	       (unsigned long long)(end_us - begin_us), ok ? "ok" : "WRONG");
	return ok;
}

/* The job's number as the guest takes it. */
static uint64_t job_at(size_t i, uint64_t ram_pages)
{
	const uint64_t most = ram_pages - VMM_IMAGE_PAGES;
	const uint64_t amount = jobs[i].amount;
	return VMM_JOB(jobs[i].job, amount < most ? amount : most);
}

/* Returns how many rows were wrong. */
static unsigned one(int kvm_fd, uint64_t ram_pages, enum kvm_dirty_mode mode)
{
	const struct vmm_config config = {.name = "vm",
					  .ram_pages = ram_pages,
					  .boot_pages = ram_pages,
					  .boot_id = 1,
					  .mode = mode};
	struct vmm vm;
	struct truth truth;
	unsigned wrong = 0;
	vmm_open(&vm, kvm_fd, &config);
	truth_open(&truth, &vm);
	for (size_t i = 0; i < JOBS; i++) {
		if (vmm_run(&vm, job_at(i, ram_pages)) != VMM_CALL_NEXT) {
			printf("the VM has ended: %s\n",
			       vm.error[0] != '\0' ? vm.error : "it made another call");
			wrong++;
			break;
		}
		wrong += !row(&vm, &truth, jobs[i].name);
	}
	if (vm.ring_exits != 0) {
		printf("the ring of %u entries was full %llu times\n", vm.dirty.ring_entries,
		       (unsigned long long)vm.ring_exits);
	}
	truth_close(&truth);
	vmm_close(&vm);
	return wrong;
}

int vmm_experiment(int kvm_fd, const uint64_t *ram_pages, enum kvm_dirty_mode mode)
{
	unsigned wrong = 0;
	unsigned modes = 0;
	vmm_mode_must(kvm_fd, mode);
	printf("mode   job     dirty/pages   changed  written  touched  missing  extra  read us\n");
	for (; *ram_pages != 0; ram_pages++) {
		for (unsigned m = KVM_DIRTY_MODE_LOG; m < KVM_DIRTY_MODE_COUNT; m++) {
			if (mode == m || (mode == KVM_DIRTY_MODE_AUTO &&
					  vmm_mode_there(kvm_fd, (enum kvm_dirty_mode)m))) {
				modes |= 1u << m;
				wrong += one(kvm_fd, *ram_pages, (enum kvm_dirty_mode)m);
			}
		}
	}
	printf("poise-vmm: modes");
	for (unsigned m = KVM_DIRTY_MODE_LOG; m < KVM_DIRTY_MODE_COUNT; m++) {
		if ((modes & 1u << m) != 0) {
			printf(" %s", kvm_dirty_mode_name((enum kvm_dirty_mode)m));
		}
	}
	printf(" wrong=%u check=%s\n", wrong, wrong == 0 ? "ok" : "FAILED");
	return wrong == 0 ? 0 : 1;
}
