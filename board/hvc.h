/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls between the board's EL1 guests and its EL2 monitor: the contract that both sides
 * include.
 *
 * Calling convention: SMC Calling Convention 1.2 over `hvc #0`, fast 64-bit calls of the vendor
 * specific hypervisor service range (owning entity 6). x0 holds the function identifier, x1..x3 the
 * arguments; x0 returns the result, x1 a second result where the table names one; x4..x17 are
 * preserved. Every argument is hostile. An identifier that is not in this table, or one outside the
 * range, answers HVC_NOT_SUPPORTED and changes nothing.
 */
#ifndef BOARD_HVC_H
#define BOARD_HVC_H

#define HVC_BASE 0xC6000000u

/* clang-format off */
/*
 * identifier      x1            x2          x3      x0 = HVC_OK, and
 * HVC_VERSION     -             -           -       x0 = HVC_ABI_VERSION instead
 * HVC_FEATURES    -             -           -       x0 = HVC_FEATURE_* bits instead
 * HVC_PAGES       guest page    host page   -       IPAs, 4 KiB aligned, different, own RAM, not in the balloon.
 *                                                   The host page becomes read-only for the guest and is
 *                                                   zeroed; both are pinned (kept out of the balloon). A
 *                                                   second call re-registers: a new driver.
 * HVC_INFLATE     first IPA     pages >= 1  -       x1 = pages put into the balloon. At most HVC_RANGE_MAX
 *                                                   pages a call are looked at, fewer before a pinned
 *                                                   one. What is in it already is skipped and not
 *                                                   counted, so x1 < x2 is normal.
 * HVC_DEFLATE     first IPA     pages >= 1  -       x1 = pages got out of it. At most HVC_RANGE_MAX pages
 *                                                   a call; stops at the target of the host page; they
 *                                                   are populated on touch, zeroed.
 * HVC_SETTLED     epoch         -           -       the guest has done what it can for this epoch; the
 *                                                   monitor acknowledges its own count to the core.
 * HVC_URGENT      -             -           -       doorbell: the guest page's urgent word was raised.
 * HVC_BLK_READ    block         buffer IPA  blocks  x1 = blocks done; 4 KiB blocks, 1 to HVC_BLK_MAX; the
 *                                                   caller sleeps for the modelled time of the device.
 * HVC_BLK_WRITE   block         buffer IPA  blocks  likewise; only the swap area may be written.
 * HVC_CONSOLE     buffer IPA    bytes       -       at most HVC_CONSOLE_MAX bytes, printed as one line
 *                                                   with the VM's name; rate limited.
 * HVC_EXIT        status        -           -       does not return; the VM is dead, its pages go back.
 */
/* clang-format on */
#define HVC_VERSION   (HVC_BASE + 0x00)
#define HVC_FEATURES  (HVC_BASE + 0x01)
#define HVC_PAGES     (HVC_BASE + 0x02)
#define HVC_INFLATE   (HVC_BASE + 0x03)
#define HVC_DEFLATE   (HVC_BASE + 0x04)
#define HVC_SETTLED   (HVC_BASE + 0x05)
#define HVC_URGENT    (HVC_BASE + 0x06)
#define HVC_BLK_READ  (HVC_BASE + 0x07)
#define HVC_BLK_WRITE (HVC_BASE + 0x08)
#define HVC_CONSOLE   (HVC_BASE + 0x09)
#define HVC_EXIT      (HVC_BASE + 0x0a)
#define HVC_CALLS     0x0b

#define HVC_RANGE_MAX   512
#define HVC_BLK_MAX     64
#define HVC_CONSOLE_MAX 256

/* Block addresses: the swap area of the VM starts at block 0, its file area at HVC_FILE_BLOCK. */
#define HVC_FILE_BLOCK (UINT64_C(1) << 32)

#define HVC_ABI_VERSION   1u
#define HVC_FEATURE_POISE 1u /* HVC_PAGES, HVC_INFLATE, HVC_DEFLATE, HVC_SETTLED, HVC_URGENT */
#define HVC_FEATURE_BLOCK 2u /* HVC_BLK_READ, HVC_BLK_WRITE */

/* Results in x0; the values of the SMC Calling Convention where it has them. */
#define HVC_OK            0
#define HVC_NOT_SUPPORTED (-1)
#define HVC_NOT_REQUIRED  (-2)
#define HVC_INVALID       (-3)
#define HVC_DENIED        (-4) /* well formed, but this VM may not (pinned page, no such block) */

/*
 * Boot protocol: a guest image is a raw binary entered at EL1 at its first byte, MMU and caches
 * off, interrupts masked, linked to run at the IPA GUEST_RAM_BASE. x0 = IPA of struct board_boot.
 * RAM is [GUEST_RAM_BASE, GUEST_RAM_BASE + ram_pages * 4096). Pages from boot_pages on start out in
 * the balloon: they must be got out of it before they are touched; touching one is a fault that
 * ends the VM. Interrupts reach the guest as virtual INTIDs through the GICv3 system registers
 * (ICC_*_EL1); there is no distributor to program.
 */
#define GUEST_RAM_BASE  0x80000000u
#define GUEST_IRQ_TIMER 27u /* virtual timer CNTV */
#define GUEST_IRQ_POISE 48u /* the host page has changed: read it */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct board_boot {
	uint64_t ram_pages;  /* size of the RAM window = the VM's limit */
	uint64_t boot_pages; /* what it may use before its balloon has deflated */
	uint64_t boot_id;    /* new for every start of the VM */
	uint64_t data_ipa;   /* the workload's trace blob, or 0 */
	uint64_t data_bytes;
	uint64_t file_blocks; /* size of the file area */
	uint64_t swap_blocks; /* size of the swap area */
	char args[200]; /* NUL-terminated "key=value key=value", for the workload and for tests */
};
#endif

#endif
