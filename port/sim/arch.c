/* SPDX-License-Identifier: MIT */
/*
 * The simulator's twin of board/guest/arch.c: frames without contents, a shared device that takes
 * time, a host that counts. The calls name no guest, as a kernel has only one; guest.c says which
 * one it is before it lets that code run.
 */
#include "arch.h"

#include "manners.h"
#include "report.h"

#define URGENT_GAP_MS 100u

struct sim_guest *sim_arch_guest;

/* What every frame holds. */
static uint64_t zero_page[GUEST_PAGE_WORDS];

void *arch_frame(uint32_t pfn)
{
	(void)pfn;
	return zero_page;
}

void arch_frame_zero(uint32_t pfn)
{
	(void)pfn;
}

void arch_page_copy(void *to, const void *from)
{
	(void)to;
	(void)from;
}

void arch_map(uint32_t vpn, uint32_t pfn)
{
	sim_arch_guest->frame_of[vpn] = pfn + 1u;
	sim_arch_guest->young[vpn] = 1;
}

void arch_unmap(uint32_t vpn)
{
	sim_arch_guest->frame_of[vpn] = 0;
}

bool arch_test_clear_young(uint32_t vpn)
{
	const bool young = sim_arch_guest->young[vpn] != 0;

	sim_arch_guest->young[vpn] = 0;
	return young;
}

volatile uint64_t *arch_window(uint32_t vpn)
{
	(void)vpn;
	return zero_page;
}

static uint64_t submit(enum sim_io kind, uint32_t count)
{
	struct sim_guest *g = sim_arch_guest;

	return sim_device_submit(&g->books->device, g->clock_us, kind,
				 (uint64_t)count * g->granule);
}

uint32_t arch_swap_read(uint64_t block, void *buffer, uint32_t count)
{
	(void)block;
	(void)buffer;
	sim_guest_stall(sim_arch_guest, submit(SIM_IO_SWAP_READ, count));
	return count;
}

uint32_t arch_swap_write(uint64_t block, const void *buffer, uint32_t count)
{
	const uint64_t done_us = submit(SIM_IO_SWAP_WRITE, count);

	(void)block;
	(void)buffer;
	if (!sim_arch_guest->background) {
		sim_guest_stall(sim_arch_guest, done_us);
	}
	return count;
}

uint32_t arch_file_read(uint64_t block, void *buffer, uint32_t count)
{
	const uint64_t done_us = submit(SIM_IO_FILE_READ, count);

	(void)block;
	(void)buffer;
	/* The load's own time has its first reads in it; what comes back is memory's fault. */
	if (!sim_arch_guest->first_read) {
		sim_guest_stall(sim_arch_guest, done_us);
	}
	return count;
}

uint32_t arch_balloon_give(uint32_t pfn, uint32_t count)
{
	for (uint32_t i = pfn; i < pfn + count; i++) {
		sim_arch_guest->probe[i] = 0;
	}
	sim_balloon_put(sim_arch_guest, (uint64_t)count * sim_arch_guest->granule);
	return count;
}

uint32_t arch_balloon_take(uint32_t pfn, uint32_t count)
{
	(void)pfn;
	return sim_balloon_take(sim_arch_guest, count);
}

void arch_balloon_settled(uint64_t epoch)
{
	sim_arch_guest->answered = epoch == sim_arch_guest->epoch;
}

void arch_pressure(struct mm *m)
{
	struct sim_guest *g = sim_arch_guest;
	const uint64_t now_ms = g->clock_us / 1000u;

	(void)m;
	if (sim_guest_is_silent(g)) {
		return;
	}
	if (g->driver.urgent_rung != 0 && now_ms - g->driver.urgent_ms < URGENT_GAP_MS) {
		return;
	}
	sim_guest_publish(g);
	sim_guest_ring(g, URGENT_GAP_MS);
}

void arch_poll(struct mm *m)
{
	(void)m;
}

uint64_t arch_now_ms(void)
{
	return sim_arch_guest->clock_us / 1000u;
}

void arch_corrupt(const char *what, uint64_t where, uint64_t found, uint64_t expected)
{
	sim_books_fail(sim_arch_guest->books, what, where, found, expected);
	/* The kernel counts on not getting any further. */
	longjmp(sim_arch_guest->broken, 1);
}
