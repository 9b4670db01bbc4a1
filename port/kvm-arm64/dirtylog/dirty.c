/* SPDX-License-Identifier: MIT */
/*
 * Dirty pages by KVM's log. Owns the bitmaps and the mappings of the rings; knows nothing of
 * working sets, which are working_set.c's, and of vCPUs no more than their rings.
 */
#include "dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CORE_PAGE_BYTES 4096u
#define SLOT_PAGES_MAX  ((UINT64_C(1) << 31) - 1)
#define WORD_BITS       64u
/*
 * Where a vCPU's ring is mapped, in pages. The header says it per architecture and 0 where the
 * kernel that it came from had no ring; on every architecture that has one since, it is 64.
 */
#define RING_PAGE_OFFSET 64
/* Newer than the headers of some systems. */
#ifndef KVM_CAP_DIRTY_LOG_RING_ACQ_REL
#define KVM_CAP_DIRTY_LOG_RING_ACQ_REL 223
#endif
#ifndef KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP
#define KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP 225
#endif

static uint64_t words(uint64_t pages)
{
	return (pages + WORD_BITS - 1) / WORD_BITS;
}

/* An ioctl's answer as the functions here give it. */
static int answer(int result)
{
	return result < 0 ? -errno : result;
}

const char *kvm_dirty_mode_name(enum kvm_dirty_mode mode)
{
	static const char *const name[KVM_DIRTY_MODE_COUNT] = {"auto", "log", "clear", "ring"};
	return (unsigned)mode < KVM_DIRTY_MODE_COUNT ? name[mode] : "?";
}

uint64_t kvm_dirty_count(const uint64_t *bitmap, uint64_t pages)
{
	uint64_t count = 0;
	for (uint64_t i = 0; i < pages / WORD_BITS; i++) {
		count += (uint64_t)__builtin_popcountll(bitmap[i]);
	}
	if (pages % WORD_BITS != 0) {
		const uint64_t mask = (UINT64_C(1) << (pages % WORD_BITS)) - 1;
		count += (uint64_t)__builtin_popcountll(bitmap[pages / WORD_BITS] & mask);
	}
	return count;
}

/* --- what the kernel can do --- */

static int enable(int vm_fd, uint32_t capability, uint64_t argument)
{
	struct kvm_enable_cap cap = {.cap = capability, .args = {argument}};
	return answer(ioctl(vm_fd, KVM_ENABLE_CAP, &cap));
}

/* Returns what KVM_CHECK_EXTENSION says of this VM, 0 for "not there". */
static uint32_t check(int vm_fd, uint32_t capability)
{
	const int result = ioctl(vm_fd, KVM_CHECK_EXTENSION, capability);
	return result > 0 ? (uint32_t)result : 0;
}

static int ring_open(struct kvm_dirty *d)
{
	/* Weakly ordered machines offer the second kind only, and x86 offers both. The answer is
	 * the largest ring in bytes. */
	uint32_t capability = KVM_CAP_DIRTY_LOG_RING_ACQ_REL;
	uint32_t most = check(d->vm_fd, capability);
	if (most == 0) {
		capability = KVM_CAP_DIRTY_LOG_RING;
		most = check(d->vm_fd, capability);
	}
	uint32_t entries = KVM_DIRTY_RING_ENTRIES;
	while (entries > most / sizeof(struct kvm_dirty_gfn)) {
		entries /= 2;
	}
	if (entries == 0) {
		return -ENOTSUP;
	}
	int result = enable(d->vm_fd, capability, entries * sizeof(struct kvm_dirty_gfn));
	/*
	 * Where there can be a bitmap beside the rings (arm64), it is needed: what no vCPU has
	 * written stands there; and a slot without one is mapped as if it were not logged, so that
	 * a page's first read would count as a write.
	 */
	d->ring_bitmap = result == 0 && check(d->vm_fd, KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP) != 0;
	if (d->ring_bitmap) {
		result = enable(d->vm_fd, KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP, 0);
	}
	if (result == 0) {
		d->ring_entries = entries;
	}
	return result;
}

static int clear_open(struct kvm_dirty *d)
{
	if ((check(d->vm_fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) &
	     KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE) == 0) {
		return -ENOTSUP;
	}
	/* Not KVM_DIRTY_LOG_INITIALLY_SET: a first interval in which every page counts as written
	 * would be no measurement. */
	return enable(d->vm_fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
}

static int log_open(struct kvm_dirty *d)
{
	(void)d;
	return 0;
}

int kvm_dirty_open(struct kvm_dirty *d, int vm_fd, enum kvm_dirty_mode mode)
{
	static int (*const open_mode[KVM_DIRTY_MODE_COUNT])(struct kvm_dirty *) = {
		[KVM_DIRTY_MODE_LOG] = log_open,
		[KVM_DIRTY_MODE_CLEAR] = clear_open,
		[KVM_DIRTY_MODE_RING] = ring_open,
	};
	const long page_bytes = sysconf(_SC_PAGESIZE);
	if ((unsigned)mode >= KVM_DIRTY_MODE_COUNT || page_bytes < (long)CORE_PAGE_BYTES) {
		return -EINVAL;
	}
	*d = (struct kvm_dirty){.vm_fd = vm_fd, .page_bytes = (uint32_t)page_bytes};
	unsigned first = mode == KVM_DIRTY_MODE_AUTO ? KVM_DIRTY_MODE_COUNT - 1 : (unsigned)mode;
	int result = open_mode[first](d);
	while (result == -ENOTSUP && mode == KVM_DIRTY_MODE_AUTO) {
		first--;
		result = open_mode[first](d);
	}
	d->mode = (enum kvm_dirty_mode)first;
	return result;
}

/* --- slots and vCPUs --- */

const struct kvm_dirty_slot *kvm_dirty_slot_find(const struct kvm_dirty *d, uint32_t slot)
{
	for (uint32_t i = 0; i < KVM_DIRTY_SLOTS_MAX; i++) {
		if (d->slot[i].pages != 0 && d->slot[i].slot == slot) {
			return &d->slot[i];
		}
	}
	return NULL;
}

static void slot_free(struct kvm_dirty_slot *s)
{
	free(s->written);
	free(s->pending);
	*s = (struct kvm_dirty_slot){0};
}

int kvm_dirty_slot_add(struct kvm_dirty *d, const struct kvm_userspace_memory_region *region)
{
	const uint64_t pages = region->memory_size / d->page_bytes;
	if (pages == 0 || pages > SLOT_PAGES_MAX || region->memory_size % d->page_bytes != 0 ||
	    region->guest_phys_addr % d->page_bytes != 0 ||
	    region->userspace_addr % d->page_bytes != 0) {
		return -EINVAL;
	}
	if (kvm_dirty_slot_find(d, region->slot) != NULL) {
		return -EEXIST;
	}
	uint32_t i = 0;
	while (i < KVM_DIRTY_SLOTS_MAX && d->slot[i].pages != 0) {
		i++;
	}
	if (i == KVM_DIRTY_SLOTS_MAX) {
		return -ENOSPC;
	}
	struct kvm_dirty_slot *s = &d->slot[i];
	*s = (struct kvm_dirty_slot){
		.pages = pages,
		.slot = region->slot,
		.written = calloc(words(pages), sizeof(uint64_t)),
		.pending = calloc(words(pages), sizeof(uint64_t)),
	};
	if (s->written == NULL || s->pending == NULL) {
		slot_free(s);
		return -ENOMEM;
	}
	struct kvm_userspace_memory_region logged = *region;
	logged.flags |= KVM_MEM_LOG_DIRTY_PAGES;
	const int result = answer(ioctl(d->vm_fd, KVM_SET_USER_MEMORY_REGION, &logged));
	if (result < 0) {
		slot_free(s);
	}
	return result;
}

int kvm_dirty_vcpu_add(struct kvm_dirty *d, int vcpu_fd)
{
	if (d->mode != KVM_DIRTY_MODE_RING) {
		return 0;
	}
	uint32_t i = 0;
	while (i < KVM_DIRTY_VCPUS_MAX && d->ring[i].gfn != NULL) {
		i++;
	}
	if (i == KVM_DIRTY_VCPUS_MAX) {
		return -ENOSPC;
	}
	void *map =
		mmap(NULL, d->ring_entries * sizeof(struct kvm_dirty_gfn), PROT_READ | PROT_WRITE,
		     MAP_SHARED, vcpu_fd, (off_t)RING_PAGE_OFFSET * d->page_bytes);
	if (map == MAP_FAILED) {
		return -errno;
	}
	d->ring[i] = (struct kvm_dirty_ring){.gfn = map};
	return 0;
}

void kvm_dirty_close(struct kvm_dirty *d)
{
	for (uint32_t i = 0; i < KVM_DIRTY_SLOTS_MAX; i++) {
		slot_free(&d->slot[i]);
	}
	for (uint32_t i = 0; i < KVM_DIRTY_VCPUS_MAX; i++) {
		if (d->ring[i].gfn != NULL) {
			munmap(d->ring[i].gfn, d->ring_entries * sizeof(struct kvm_dirty_gfn));
			d->ring[i].gfn = NULL;
		}
	}
}

/* --- mode ring --- */

/* Notes a page as written. The number comes from the kernel; it is checked all the same, as it
 * becomes an index. */
static void note(struct kvm_dirty *d, uint32_t slot, uint64_t page)
{
	const struct kvm_dirty_slot *s = kvm_dirty_slot_find(d, slot);
	if (s == NULL || page >= s->pages) {
		d->strays++;
		return;
	}
	s->pending[page / WORD_BITS] |= UINT64_C(1) << (page % WORD_BITS);
}

uint32_t kvm_dirty_ring_collect(struct kvm_dirty *d, uint32_t ring)
{
	struct kvm_dirty_ring *r = &d->ring[ring];
	uint32_t count = 0;
	while (r->gfn != NULL && count < d->ring_entries) {
		struct kvm_dirty_gfn *gfn = &r->gfn[r->next & (d->ring_entries - 1)];
		/* Acquire: slot and offset were written before the flag. */
		if (__atomic_load_n(&gfn->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY) {
			break;
		}
		note(d, gfn->slot, gfn->offset);
		/* Release: they have been read before the kernel may reuse them. */
		__atomic_store_n(&gfn->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		r->next++;
		count++;
	}
	return count;
}

int kvm_dirty_ring_full(struct kvm_dirty *d)
{
	uint32_t count = 0;
	if (d->mode != KVM_DIRTY_MODE_RING) {
		return 0;
	}
	for (uint32_t i = 0; i < KVM_DIRTY_VCPUS_MAX; i++) {
		count += kvm_dirty_ring_collect(d, i);
	}
	/* Also when there was nothing new: the last time it may have failed. */
	const int result = answer(ioctl(d->vm_fd, KVM_RESET_DIRTY_RINGS, 0));
	return result < 0 ? result : (int)count;
}

/* --- reading --- */

static int slot_get(const struct kvm_dirty *d, const struct kvm_dirty_slot *s)
{
	struct kvm_dirty_log log = {.slot = s->slot, .dirty_bitmap = s->written};
	return answer(ioctl(d->vm_fd, KVM_GET_DIRTY_LOG, &log));
}

/* Clears exactly what was read: what is written between the two calls stays for the next interval,
 * or, if it is a page that was written before, belongs to this one. */
static int slot_read_clear(const struct kvm_dirty *d, const struct kvm_dirty_slot *s)
{
	struct kvm_clear_dirty_log clear = {
		.slot = s->slot,
		.num_pages = (uint32_t)s->pages,
		.dirty_bitmap = s->written,
	};
	const int result = slot_get(d, s);
	return result < 0 ? result : answer(ioctl(d->vm_fd, KVM_CLEAR_DIRTY_LOG, &clear));
}

/* What the rings had, and what is in the bitmap beside them. */
static int slot_read_ring(const struct kvm_dirty *d, const struct kvm_dirty_slot *s)
{
	int result = 0;
	if (d->ring_bitmap) {
		result = slot_get(d, s);
	} else {
		memset(s->written, 0, words(s->pages) * sizeof(uint64_t));
	}
	for (uint64_t i = 0; i < words(s->pages) && result == 0; i++) {
		s->written[i] |= s->pending[i];
		s->pending[i] = 0;
	}
	return result;
}

int kvm_dirty_read(struct kvm_dirty *d, uint64_t *pages)
{
	static int (*const slot_read[KVM_DIRTY_MODE_COUNT])(const struct kvm_dirty *,
							    const struct kvm_dirty_slot *) = {
		[KVM_DIRTY_MODE_LOG] = slot_get,
		[KVM_DIRTY_MODE_CLEAR] = slot_read_clear,
		[KVM_DIRTY_MODE_RING] = slot_read_ring,
	};
	uint64_t count = 0;
	int result = kvm_dirty_ring_full(d);
	for (uint32_t i = 0; i < KVM_DIRTY_SLOTS_MAX && result >= 0; i++) {
		const struct kvm_dirty_slot *s = &d->slot[i];
		if (s->pages != 0) {
			result = slot_read[d->mode](d, s);
			count += kvm_dirty_count(s->written, s->pages);
		}
	}
	if (result < 0) {
		return result;
	}
	*pages = count * (d->page_bytes / CORE_PAGE_BYTES);
	return 0;
}
