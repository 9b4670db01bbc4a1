/* SPDX-License-Identifier: MIT */
/*
 * The machine of the simulator's guests, as board/guest/kernel/machine.h asks for it: frames
 * without contents, a shared device that takes time, a host that counts. `machine` is the guest.
 */
#include "kernel/machine.h"

#include "report.h"

#define URGENT_GAP_MS 100u

/* What every frame holds. */
static uint64_t zero_page[GUEST_PAGE_WORDS];

void *machine_frame(void *machine, uint32_t pfn)
{
	(void)machine;
	(void)pfn;
	return zero_page;
}

void machine_frame_zero(void *machine, uint32_t pfn)
{
	(void)machine;
	(void)pfn;
}

void machine_page_copy(void *machine, void *to, const void *from)
{
	(void)machine;
	(void)to;
	(void)from;
}

void machine_map(void *machine, uint32_t vpn, uint32_t pfn)
{
	struct sim_guest *g = machine;

	g->frame_of[vpn] = pfn + 1u;
	g->young[vpn] = 1;
}

void machine_unmap(void *machine, uint32_t vpn)
{
	struct sim_guest *g = machine;

	g->frame_of[vpn] = 0;
}

bool machine_test_clear_young(void *machine, uint32_t vpn)
{
	struct sim_guest *g = machine;
	const bool young = g->young[vpn] != 0;

	g->young[vpn] = 0;
	return young;
}

volatile uint64_t *machine_window(void *machine, uint32_t vpn)
{
	(void)machine;
	(void)vpn;
	return zero_page;
}

static uint64_t submit(struct sim_guest *g, enum sim_io kind, uint32_t count)
{
	return sim_device_submit(&g->books->device, g->clock_us, kind,
				 (uint64_t)count * g->granule);
}

uint32_t machine_swap_read(void *machine, uint64_t block, void *buffer, uint32_t count)
{
	struct sim_guest *g = machine;

	(void)block;
	(void)buffer;
	sim_guest_stall(g, submit(machine, SIM_IO_SWAP_READ, count));
	return count;
}

uint32_t machine_swap_write(void *machine, uint64_t block, const void *buffer, uint32_t count)
{
	struct sim_guest *g = machine;
	const uint64_t done_us = submit(machine, SIM_IO_SWAP_WRITE, count);

	(void)block;
	(void)buffer;
	if (!g->background) {
		sim_guest_stall(g, done_us);
	}
	return count;
}

uint32_t machine_file_read(void *machine, uint64_t block, void *buffer, uint32_t count)
{
	struct sim_guest *g = machine;
	const uint64_t done_us = submit(machine, SIM_IO_FILE_READ, count);

	(void)block;
	(void)buffer;
	/* The load's own time has its first reads in it; what comes back is memory's fault. */
	if (!g->first_read) {
		sim_guest_stall(g, done_us);
	}
	return count;
}

uint32_t machine_inflate(void *machine, uint32_t pfn, uint32_t count)
{
	struct sim_guest *g = machine;
	const uint64_t pages = (uint64_t)count * g->granule;

	for (uint32_t i = pfn; i < pfn + count; i++) {
		g->probe[i] = 0;
	}
	if (sim_balloon_kind(g) == SIM_BALLOON_HOLLOW) {
		g->held_pages += pages;
	} else {
		sim_books_put(g->books, pages);
	}
	return count;
}

uint32_t machine_deflate(void *machine, uint32_t pfn, uint32_t count)
{
	struct sim_guest *g = machine;
	const uint32_t held = (uint32_t)(g->held_pages / g->granule);
	const uint32_t back = count < held ? count : held;
	const uint64_t size = sim_guest_pages(g);
	const uint64_t room = g->allowed_pages > size ? g->allowed_pages - size : 0;

	(void)pfn;
	g->held_pages -= (uint64_t)back * g->granule;
	return back > 0 ? back : sim_books_take(g->books, count, g->granule, room);
}

void machine_settled(void *machine, uint64_t epoch)
{
	struct sim_guest *g = machine;

	g->answered = epoch == g->epoch;
}

void machine_pressure(void *machine)
{
	struct sim_guest *g = machine;
	const uint64_t now_ms = g->clock_us / 1000u;

	if (sim_guest_is_silent(g)) {
		return;
	}
	if (g->driver.urgent_rung != 0 && now_ms - g->driver.urgent_ms < URGENT_GAP_MS) {
		return;
	}
	sim_guest_publish(g);
	sim_guest_ring(g, URGENT_GAP_MS);
}

void machine_poll(void *machine)
{
	(void)machine;
}

uint64_t machine_now_ms(void *machine)
{
	struct sim_guest *g = machine;

	return g->clock_us / 1000u;
}

void machine_corrupt(void *machine, const char *what, uint64_t where, uint64_t found,
		     uint64_t expected)
{
	struct sim_guest *g = machine;

	sim_books_fail(g->books, what, where, found, expected);
	/* The kernel counts on not getting any further. */
	longjmp(g->broken, 1);
}
