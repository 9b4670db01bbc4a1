/* SPDX-License-Identifier: MIT */
/*
 * Swap: slots on the device and the traffic with it. Pages go out in runs of contiguous slots, as
 * many as a request takes; they come in one at a time, without read-around. A slot is freed when
 * its page comes in, so there is no swap cache, and every anonymous page in RAM counts as dirty.
 */
#include "mm.h"

static bool slot_is_used(const struct mm *m, uint32_t slot)
{
	return (m->slot_map[slot / 64u] >> (slot % 64u) & 1u) != 0;
}

/* Finds up to `want` contiguous free slots, next fit. Returns how many, from `first` on. */
static uint32_t slots_find(struct mm *m, uint32_t want, uint32_t *first)
{
	uint32_t slot = m->slot_next < m->slot_count ? m->slot_next : 0;

	if (m->swap_used >= m->slot_count) {
		return 0;
	}
	while (slot_is_used(m, slot)) {
		/* A full word is skipped at once; the used count says that a free slot exists. */
		slot = m->slot_map[slot / 64u] == UINT64_MAX ? (slot | 63u) + 1u : slot + 1u;
		if (slot >= m->slot_count) {
			slot = 0;
		}
	}
	*first = slot;
	while (slot < m->slot_count && slot - *first < want && !slot_is_used(m, slot)) {
		slot++;
	}
	m->slot_next = slot;
	return slot - *first;
}

static uint32_t write_run(struct mm *m, const uint32_t *pfn, uint32_t count)
{
	const uint64_t start_ms = machine_now_ms(m->machine);
	uint32_t first;
	uint32_t run = slots_find(m, count, &first);
	uint32_t done;

	if (run == 0) {
		return 0;
	}
	for (uint32_t i = 0; i < run; i++) {
		machine_page_copy(m->machine, (char *)m->bounce + (size_t)i * GUEST_PAGE_BYTES,
				  machine_frame(m->machine, pfn[i]));
	}
	done = machine_swap_write(m->machine, first, m->bounce, run);
	m->io_ms += machine_now_ms(m->machine) - start_ms;
	for (uint32_t i = 0; i < done; i++) {
		const uint32_t slot = first + i;

		m->slot_map[slot / 64u] |= UINT64_C(1) << (slot % 64u);
		m->slot_shadow[slot] = lru_shadow(m, &m->page[pfn[i]]);
		m->swap_used++;
		m->swap_out++;
		mm_anon_evict(m, pfn[i], slot);
	}
	return done;
}

uint32_t swap_out(struct mm *m, const uint32_t *pfn, uint32_t count)
{
	uint32_t done = 0;

	if (m->swap_used >= m->slot_count) {
		return 0;
	}
	machine_pressure(m->machine);
	while (done < count) {
		const uint32_t run = write_run(m, pfn + done, count - done);

		if (run == 0) {
			break;
		}
		done += run;
	}
	return done;
}

void swap_in(struct mm *m, uint32_t slot, uint32_t pfn, uint32_t *shadow)
{
	const uint64_t start_ms = machine_now_ms(m->machine);

	if (machine_swap_read(m->machine, slot, machine_frame(m->machine, pfn), 1) != 1) {
		machine_corrupt(m->machine, "swap read failed at slot", slot, 0, 1);
	}
	m->io_ms += machine_now_ms(m->machine) - start_ms;
	*shadow = m->slot_shadow[slot];
	m->swap_in++;
	swap_free(m, slot);
}

void swap_free(struct mm *m, uint32_t slot)
{
	m->slot_map[slot / 64u] &= ~(UINT64_C(1) << (slot % 64u));
	m->swap_used--;
}
