/* SPDX-License-Identifier: MIT */
/*
 * Dirty pages of a VM by KVM's own log, for VMMs that hold the VM's file descriptors themselves.
 *
 * Turns logging on for each memory slot, reads which pages the guest has written since the last
 * read, and begins the next interval in the same call. The kernel has up to three ways; they tell
 * the same pages, at different cost:
 *
 *	log	every kernel: KVM_GET_DIRTY_LOG copies a slot's bits and write-protects the slot's
 *		written pages again, all under KVM's lock
 *	clear	since 5.2: the copy and the protection are two calls, so that the lock is
 *		held for short spans only
 *	ring	since 6.2 (arm64): each vCPU notes what it writes in a ring that is shared with the
 *		VMM; the cost goes with the pages written, not with the size of the slot
 *
 * The last has a bitmap beside the rings on arm64 for what no vCPU has written; it is read too.
 *
 * Written by the guest is what counts: pages that are only read do not show, nor does what the VMM
 * itself writes to the guest's memory, nor what it throws away by madvise.
 *
 * Use: kvm_dirty_open before any vCPU is made, kvm_dirty_slot_add in place of
 * KVM_SET_USER_MEMORY_REGION, kvm_dirty_vcpu_add after KVM_CREATE_VCPU, kvm_dirty_ring_full at each
 * exit KVM_EXIT_DIRTY_RING_FULL, kvm_dirty_read once an interval. One call at a time for each
 * struct. All functions that return int return 0 or more, or a negative errno.
 */
#ifndef KVM_DIRTY_H
#define KVM_DIRTY_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KVM_DIRTY_SLOTS_MAX    8u
#define KVM_DIRTY_VCPUS_MAX    8u
#define KVM_DIRTY_RING_ENTRIES 4096u /* a vCPU, asked for; the kernel takes 65536 at most */

enum kvm_dirty_mode {
	KVM_DIRTY_MODE_AUTO, /* the last of those below that the kernel has */
	KVM_DIRTY_MODE_LOG,
	KVM_DIRTY_MODE_CLEAR,
	KVM_DIRTY_MODE_RING,
	KVM_DIRTY_MODE_COUNT
};

/* One memory slot that is logged. */
struct kvm_dirty_slot {
	uint64_t pages;    /* of the host; 0: entry not in use */
	uint64_t *written; /* a bit a page, as of the last read */
	uint64_t *pending; /* mode ring: collected since then */
	uint32_t slot;     /* KVM's number */
};

/* One vCPU's ring. */
struct kvm_dirty_ring {
	struct kvm_dirty_gfn *gfn; /* shared with the kernel; NULL: entry not in use */
	uint32_t next;             /* the entry that is looked at next; wraps at 2^32 */
};

/* The log of one VM. Read it as you like, change it by the functions only. */
struct kvm_dirty {
	int vm_fd;
	enum kvm_dirty_mode mode; /* the one in use, never AUTO */
	uint32_t page_bytes;      /* of the host: what one bit stands for */
	uint32_t ring_entries;    /* of each ring, a power of two; 0 in the other modes */
	bool ring_bitmap;         /* mode ring: the kernel keeps a bitmap beside the rings */
	uint64_t strays;          /* ring entries that named no page of ours: a kernel bug */
	struct kvm_dirty_slot slot[KVM_DIRTY_SLOTS_MAX];
	struct kvm_dirty_ring ring[KVM_DIRTY_VCPUS_MAX];
};

/*
 * Finds out what the kernel can do and turns it on. `vm_fd`: from KVM_CREATE_VM, stays the
 * caller's. Returns 0; -EINVAL no such mode; -ENOTSUP the kernel does not have that mode; the errno
 * of KVM_ENABLE_CAP (-EINVAL for a ring when there is a vCPU already). After an error nothing is
 * held.
 */
int kvm_dirty_open(struct kvm_dirty *d, int vm_fd, enum kvm_dirty_mode mode);

/*
 * Gives the VM a memory slot, logged from its first page on; flags of `region` other than
 * KVM_MEM_LOG_DIRTY_PAGES are kept. Returns 0; -EINVAL size 0, size or address no multiple of the
 * host's page, or more than 2^31 - 1 pages; -EEXIST slot in use; -ENOSPC too many slots; -ENOMEM;
 * the errno of KVM_SET_USER_MEMORY_REGION. After an error the slot is not there.
 */
int kvm_dirty_slot_add(struct kvm_dirty *d, const struct kvm_userspace_memory_region *region);

/* Makes a vCPU's ring visible; in the other modes, nothing. Returns 0; -ENOSPC; errno of mmap. */
int kvm_dirty_vcpu_add(struct kvm_dirty *d, int vcpu_fd);

/*
 * Empties the rings, so that a vCPU that stopped with KVM_EXIT_DIRTY_RING_FULL can go on; what was
 * in them shows at the next read. Returns how many entries it was; the errno of
 * KVM_RESET_DIRTY_RINGS. In the other modes 0.
 */
int kvm_dirty_ring_full(struct kvm_dirty *d);

/*
 * Ends an interval and begins the next: fills in slot[].written. `pages`: set to how many pages of
 * 4 KiB were written in it, over all slots. Returns 0; the errno of the ioctl that failed, and then
 * `pages` is untouched and what some slots had may be lost: treat the interval as unknown. vCPUs
 * that run meanwhile are counted in this interval or in the next.
 */
int kvm_dirty_read(struct kvm_dirty *d, uint64_t *pages);

/* Returns the entry of KVM's slot number `slot`, or NULL. Valid until kvm_dirty_close. */
const struct kvm_dirty_slot *kvm_dirty_slot_find(const struct kvm_dirty *d, uint32_t slot);

/* Frees what this struct holds; slots and log stay on in the kernel until the VM is gone. */
void kvm_dirty_close(struct kvm_dirty *d);

/* Returns a mode's name, "log", "clear", "ring" or "auto"; "?" for a number that is none. */
const char *kvm_dirty_mode_name(enum kvm_dirty_mode mode);

/* --- the pure parts, here for tests and for those who keep their own bitmaps --- */

/* Returns how many of the first `pages` bits are set; bits behind them do not count. */
uint64_t kvm_dirty_count(const uint64_t *bitmap, uint64_t pages);

/*
 * Moves a ring's new entries into slot[].pending and marks them as taken, without telling the
 * kernel. `ring`: index into ring[]. Returns how many it was, at most ring_entries.
 */
uint32_t kvm_dirty_ring_collect(struct kvm_dirty *d, uint32_t ring);

#endif
