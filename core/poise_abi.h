/* SPDX-License-Identifier: MIT */
/*
 * Shared page ABI between a guest and its hypervisor, version 1. ABI.md states the same in prose.
 *
 * Two pages of 4096 bytes for each VM: the guest page, written by the guest only, and the host
 * page, written by the hypervisor only (map it read-only for the guest where stage 2 allows).
 * Little-endian, fixed width, naturally aligned, explicit reserved bytes (write zero, ignore on
 * read). Both sides map the pages as Normal memory, Inner and Outer Write-Back Cacheable, Inner
 * Shareable.
 *
 * This is the one header that guests include. It needs nothing but fixed-width integers.
 */
#ifndef POISE_ABI_H
#define POISE_ABI_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Poise does not run on big-endian machines: its shared pages are little-endian (ABI.md)."
#endif

#define POISE_ABI_PAGE_BYTES 4096u

#define POISE_ABI_GUEST_MAGIC 0x47534F50u /* the bytes 'P' 'O' 'S' 'G' */
#define POISE_ABI_HOST_MAGIC  0x48534F50u /* the bytes 'P' 'O' 'S' 'H' */

/* The version that this header describes, and the oldest reader that understands pages written by
 * it. */
#define POISE_ABI_VERSION 1u
#define POISE_ABI_COMPAT  1u

/*
 * Guest features: what the guest's fields mean and which of them are filled in. Bits are only ever
 * added; a reader ignores those it does not know.
 */
/* New anonymous pages start on the inactive list (Linux >= 5.9). */
#define POISE_GF_ANON_INACTIVE 0x0001u
#define POISE_GF_MGLRU         0x0002u /* multi-generational LRU: lists are the oldest/youngest two */
#define POISE_GF_AVAILABLE     0x0004u /* available_pages is filled in */
#define POISE_GF_SWAP_FLOW     0x0008u /* swap_out_pages and swap_in_pages are filled in */
#define POISE_GF_REFAULT       0x0010u /* refault_anon_pages and refault_file_pages are filled in */
#define POISE_GF_COMMITTED     0x0020u /* committed_pages is filled in */
#define POISE_GF_RECLAIM       0x0040u /* direct_reclaims and oom_kills are filled in */
#define POISE_GF_FLOOR         0x0080u /* floor_pages is filled in */
#define POISE_GF_URGENT        0x0100u /* the urgent word is used */
#define POISE_GF_KNOWN         0x01ffu

/* Host features: what the hypervisor does with the page. */
#define POISE_HF_URGENT 0x0001u /* the urgent word is looked at; a doorbell is worth ringing */
#define POISE_HF_FLOOR  0x0002u /* the floor is honoured, up to the VM's boot reservation */
#define POISE_HF_KNOWN  0x0003u

/* VM states as the host page tells them; the transitions are in poise.h. */
#define POISE_HOST_STATE_UNMANAGED   1u /* no valid sample yet: the VM keeps its static share */
#define POISE_HOST_STATE_MANAGED     2u
#define POISE_HOST_STATE_STALE       3u /* no fresh sample: the last forecast is held, then fades */
#define POISE_HOST_STATE_FROZEN      4u /* nothing is decided for this VM */
#define POISE_HOST_STATE_QUARANTINED 5u /* too many bad samples in a row: static share */

/* Start of both pages, a cache line of its own. */
struct poise_abi_head {
	uint32_t seq;    /* 0x00 odd while the writer is at work, up by two for each update */
	uint32_t urgent; /* 0x04 guest page: up by one for each urgent request, not under seq */
	uint8_t reserved[56]; /* 0x08 */
};

/*
 * Body of the guest page. All sizes in pages of 4 KiB whatever the guest's page size. Counters
 * count up from boot and wrap at 2^64. Fields up to swap_used_pages must be there; those after it
 * may be missing (`length` ends before them) or unused (their feature bit is clear) and then count
 * as zero.
 */
struct poise_abi_guest {
	/* 0x060 number of this update, from 1, up by at least 1 each time */
	uint64_t sample;
	/* 0x068 the guest's monotonic time, informative */
	uint64_t guest_ms;
	/* 0x070 memory the guest booted with, balloon included; constant */
	uint64_t total_pages;
	/* 0x078 of total, now in the balloon as the guest sees it */
	uint64_t balloon_pages;
	/* 0x080 */
	uint64_t free_pages;
	/* 0x088 page cache, without shared memory */
	uint64_t active_file_pages;
	/* 0x090 */
	uint64_t inactive_file_pages;
	/* 0x098 anonymous and shared memory in RAM */
	uint64_t active_anon_pages;
	/* 0x0a0 */
	uint64_t inactive_anon_pages;
	/* 0x0a8 */
	uint64_t unevictable_pages;
	/* 0x0b0 now out in swap */
	uint64_t swap_used_pages;
	/* 0x0b8 POISE_GF_AVAILABLE: estimate of what can be had without swapping */
	uint64_t available_pages;
	/* 0x0c0 POISE_GF_SWAP_FLOW: counter, written to swap */
	uint64_t swap_out_pages;
	/* 0x0c8 POISE_GF_SWAP_FLOW: counter, read from swap */
	uint64_t swap_in_pages;
	/* 0x0d0 POISE_GF_REFAULT: counter, evicted and soon wanted again */
	uint64_t refault_anon_pages;
	/* 0x0d8 POISE_GF_REFAULT */
	uint64_t refault_file_pages;
	/* 0x0e0 POISE_GF_COMMITTED: promised to processes, touched or not */
	uint64_t committed_pages;
	/* 0x0e8 POISE_GF_RECLAIM: counter, allocations that had to reclaim */
	uint64_t direct_reclaims;
	/* 0x0f0 POISE_GF_RECLAIM: counter */
	uint64_t oom_kills;
	/* 0x0f8 POISE_GF_FLOOR: the guest asks not to be made smaller than this */
	uint64_t floor_pages;
};

/* Body of the host page. */
struct poise_abi_host {
	uint64_t update;       /* 0x060 number of this update, from 1 */
	uint64_t interval_ms;  /* 0x068 how often to publish; guests clamp it to 100..60000 */
	uint64_t target_pages; /* 0x070 the size this VM should have: total - balloon; never 0 */
	uint64_t epoch;        /* 0x078 names the target; an answer quotes it */
	uint64_t state;        /* 0x080 POISE_HOST_STATE_* */
};

/*
 * What seq guards. `checksum` is poise_abi_checksum over the 64-bit words from `magic` to the end
 * of the body, but at most to the end of the body that version 1 has: it finds torn writes of a
 * writer without barriers, wrong byte order and wrong mappings. It is no protection against
 * forgery.
 */
struct poise_guest_update {
	uint64_t checksum; /* 0x040 */
	uint32_t magic;    /* 0x048 POISE_ABI_GUEST_MAGIC */
	uint16_t version;  /* 0x04c what the writer speaks, >= 1 */
	uint16_t compat;   /* 0x04e oldest reader that still understands it, 1..version */
	uint32_t features; /* 0x050 POISE_GF_* */
	uint32_t length;   /* 0x054 bytes of body that are filled in, a multiple of 8 */
	uint64_t boot_id;  /* 0x058 boot generation of the VM: a new value for each boot, never 0 */
	struct poise_abi_guest body; /* 0x060 */
};

struct poise_host_update {
	uint64_t checksum; /* as above, but POISE_ABI_HOST_MAGIC and POISE_HF_* */
	uint32_t magic;
	uint16_t version;
	uint16_t compat;
	uint32_t features;
	uint32_t length;
	uint64_t boot_id; /* of the guest's last sample, 0 before the first */
	struct poise_abi_host body;
};

struct poise_guest_page {
	struct poise_abi_head head;
	struct poise_guest_update update;
	uint8_t spare[POISE_ABI_PAGE_BYTES - sizeof(struct poise_abi_head) -
		      sizeof(struct poise_guest_update)];
};

struct poise_host_page {
	struct poise_abi_head head;
	struct poise_host_update update;
	uint8_t spare[POISE_ABI_PAGE_BYTES - sizeof(struct poise_abi_head) -
		      sizeof(struct poise_host_update)];
};

#define POISE_ABI_BODY             (offsetof(struct poise_guest_page, update.body)) /* in both pages */
#define POISE_ABI_GUEST_LENGTH     ((uint32_t)sizeof(struct poise_abi_guest))
#define POISE_ABI_GUEST_LENGTH_MIN ((uint32_t)offsetof(struct poise_abi_guest, available_pages))
#define POISE_ABI_HOST_LENGTH      ((uint32_t)sizeof(struct poise_abi_host))
#define POISE_ABI_LENGTH_MAX       ((uint32_t)(POISE_ABI_PAGE_BYTES - POISE_ABI_BODY))

#define POISE_ABI_CHECKSUM_SEED 0xcbf29ce484222325u
/*
 * Adds one word to a checksum that starts at POISE_ABI_CHECKSUM_SEED. FNV-1a (Fowler, Noll, Vo)
 * taken a word at a time, with a fold so that high bits reach low ones.
 */
static inline uint64_t poise_abi_checksum(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x100000001b3u;
	return sum ^ (sum >> 29);
}

#if defined(__cplusplus)
#define POISE_ABI_ASSERT(cond, text) static_assert(cond, text)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define POISE_ABI_ASSERT(cond, text) _Static_assert(cond, text)
#else
/* C99: an array of a negative size does not compile either. */
#define POISE_ABI_ASSERT(cond, text) extern const char poise_abi_assert[(cond) ? 1 : -1]
#endif
#define POISE_ABI_AT(type, field, offset) \
	POISE_ABI_ASSERT(offsetof(struct type, field) == (offset), #type "." #field " has moved")

POISE_ABI_AT(poise_guest_page, head.seq, 0x00);
POISE_ABI_AT(poise_guest_page, head.urgent, 0x04);
POISE_ABI_AT(poise_guest_page, head.reserved, 0x08);
POISE_ABI_AT(poise_guest_page, update.checksum, 0x040);
POISE_ABI_AT(poise_guest_page, update.magic, 0x048);
POISE_ABI_AT(poise_guest_page, update.version, 0x04c);
POISE_ABI_AT(poise_guest_page, update.compat, 0x04e);
POISE_ABI_AT(poise_guest_page, update.features, 0x050);
POISE_ABI_AT(poise_guest_page, update.length, 0x054);
POISE_ABI_AT(poise_guest_page, update.boot_id, 0x058);
POISE_ABI_AT(poise_host_page, update.checksum, 0x040);
POISE_ABI_AT(poise_host_page, update.magic, 0x048);
POISE_ABI_AT(poise_host_page, update.version, 0x04c);
POISE_ABI_AT(poise_host_page, update.compat, 0x04e);
POISE_ABI_AT(poise_host_page, update.features, 0x050);
POISE_ABI_AT(poise_host_page, update.length, 0x054);
POISE_ABI_AT(poise_host_page, update.boot_id, 0x058);
POISE_ABI_AT(poise_guest_page, update.body.sample, 0x060);
POISE_ABI_AT(poise_guest_page, update.body.guest_ms, 0x068);
POISE_ABI_AT(poise_guest_page, update.body.total_pages, 0x070);
POISE_ABI_AT(poise_guest_page, update.body.balloon_pages, 0x078);
POISE_ABI_AT(poise_guest_page, update.body.free_pages, 0x080);
POISE_ABI_AT(poise_guest_page, update.body.active_file_pages, 0x088);
POISE_ABI_AT(poise_guest_page, update.body.inactive_file_pages, 0x090);
POISE_ABI_AT(poise_guest_page, update.body.active_anon_pages, 0x098);
POISE_ABI_AT(poise_guest_page, update.body.inactive_anon_pages, 0x0a0);
POISE_ABI_AT(poise_guest_page, update.body.unevictable_pages, 0x0a8);
POISE_ABI_AT(poise_guest_page, update.body.swap_used_pages, 0x0b0);
POISE_ABI_AT(poise_guest_page, update.body.available_pages, 0x0b8);
POISE_ABI_AT(poise_guest_page, update.body.swap_out_pages, 0x0c0);
POISE_ABI_AT(poise_guest_page, update.body.swap_in_pages, 0x0c8);
POISE_ABI_AT(poise_guest_page, update.body.refault_anon_pages, 0x0d0);
POISE_ABI_AT(poise_guest_page, update.body.refault_file_pages, 0x0d8);
POISE_ABI_AT(poise_guest_page, update.body.committed_pages, 0x0e0);
POISE_ABI_AT(poise_guest_page, update.body.direct_reclaims, 0x0e8);
POISE_ABI_AT(poise_guest_page, update.body.oom_kills, 0x0f0);
POISE_ABI_AT(poise_guest_page, update.body.floor_pages, 0x0f8);
POISE_ABI_AT(poise_guest_page, spare, 0x100);
POISE_ABI_AT(poise_host_page, update.body.update, 0x060);
POISE_ABI_AT(poise_host_page, update.body.interval_ms, 0x068);
POISE_ABI_AT(poise_host_page, update.body.target_pages, 0x070);
POISE_ABI_AT(poise_host_page, update.body.epoch, 0x078);
POISE_ABI_AT(poise_host_page, update.body.state, 0x080);
POISE_ABI_AT(poise_host_page, spare, 0x088);
POISE_ABI_ASSERT(sizeof(struct poise_guest_page) == POISE_ABI_PAGE_BYTES,
		 "guest page has changed size");
POISE_ABI_ASSERT(sizeof(struct poise_host_page) == POISE_ABI_PAGE_BYTES,
		 "host page has changed size");

#endif
