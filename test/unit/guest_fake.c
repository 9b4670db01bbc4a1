/* SPDX-License-Identifier: MIT */
/* The fake machine of guest_fake.h: the host's twin of board/guest/arch.c. */
#include <stdlib.h>
#include <string.h>

#include "guest_fake.h"
#include "../../board/blkpattern.h"

struct guest_fake guest_fake;

static struct {
	char *ram;
	char *swap;
	void *tables;
	uint32_t *pte; /* frame + 1, 0: not mapped */
	bool *young;
} machine;

static void *must(void *memory)
{
	if (memory == NULL) {
		abort();
	}
	return memory;
}

void guest_fake_start(struct mm *m, const struct mm_config *config, uint32_t reserved)
{
	guest_fake = (struct guest_fake){.m = m, .write_limit = UINT32_MAX};
	guest_fake.target = config->page_count;
	machine.ram = must(calloc(config->page_count, GUEST_PAGE_BYTES));
	machine.swap = must(calloc(config->slot_count + 1u, GUEST_PAGE_BYTES));
	machine.tables = must(calloc(1, mm_table_bytes(config)));
	machine.pte = must(calloc(config->anon_limit + 1u, sizeof(*machine.pte)));
	machine.young = must(calloc(config->anon_limit + 1u, sizeof(*machine.young)));
	mm_init(m, config, machine.tables);
	mm_add_free(m, reserved, config->boot_pages - reserved);
}

void guest_fake_stop(void)
{
	free(machine.ram);
	free(machine.swap);
	free(machine.tables);
	free(machine.pte);
	free(machine.young);
}

static void device_time(uint32_t count)
{
	guest_fake.now_us += guest_fake.request_us + (uint64_t)guest_fake.block_us * count;
}

void *arch_frame(uint32_t pfn)
{
	return machine.ram + (size_t)pfn * GUEST_PAGE_BYTES;
}

void arch_frame_zero(uint32_t pfn)
{
	memset(arch_frame(pfn), 0, GUEST_PAGE_BYTES);
}

void arch_page_copy(void *to, const void *from)
{
	memcpy(to, from, GUEST_PAGE_BYTES);
}

void arch_map(uint32_t vpn, uint32_t pfn)
{
	machine.pte[vpn] = pfn + 1u;
	machine.young[vpn] = true;
}

void arch_unmap(uint32_t vpn)
{
	machine.pte[vpn] = 0;
}

bool arch_test_clear_young(uint32_t vpn)
{
	const bool young = machine.young[vpn];

	machine.young[vpn] = false;
	return young;
}

volatile uint64_t *arch_window(uint32_t vpn)
{
	if (machine.pte[vpn] == 0) {
		mm_anon_fault(guest_fake.m, vpn);
	}
	machine.young[vpn] = true;
	return arch_frame(machine.pte[vpn] - 1u);
}

uint32_t arch_swap_read(uint64_t block, void *buffer, uint32_t count)
{
	guest_fake.reads++;
	device_time(count);
	memcpy(buffer, machine.swap + block * GUEST_PAGE_BYTES, (size_t)count * GUEST_PAGE_BYTES);
	return count;
}

uint32_t arch_swap_write(uint64_t block, const void *buffer, uint32_t count)
{
	const uint32_t done = count < guest_fake.write_limit ? count : guest_fake.write_limit;

	guest_fake.writes++;
	device_time(done);
	memcpy(machine.swap + block * GUEST_PAGE_BYTES, buffer, (size_t)done * GUEST_PAGE_BYTES);
	return done;
}

uint32_t arch_file_read(uint64_t block, void *buffer, uint32_t count)
{
	uint64_t *word = buffer;

	guest_fake.reads++;
	device_time(count);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t value = board_block_word(0, block + i, 0);

		for (uint32_t j = 0; j < GUEST_PAGE_WORDS; j++) {
			*word++ = value;
			value += BOARD_BLOCK_STEP;
		}
	}
	return count;
}

uint32_t arch_balloon_give(uint32_t pfn, uint32_t count)
{
	guest_fake.gives++;
	/* What is given is gone: whoever reads it after this reads somebody else's bytes. */
	memset(arch_frame(pfn), 0xee, (size_t)count * GUEST_PAGE_BYTES);
	return count;
}

uint32_t arch_balloon_take(uint32_t pfn, uint32_t count)
{
	const uint32_t size = balloon_size(guest_fake.m);
	const uint32_t room = guest_fake.target > size ? guest_fake.target - size : 0;
	const uint32_t done = count < room ? count : room;

	guest_fake.takes++;
	memset(arch_frame(pfn), guest_fake.dirty_takes ? 0xee : 0, (size_t)done * GUEST_PAGE_BYTES);
	return done;
}

void arch_balloon_settled(uint64_t epoch)
{
	guest_fake.settled++;
	guest_fake.settled_epoch = epoch;
}

void arch_pressure(struct mm *m)
{
	(void)m;
	guest_fake.pressures++;
}

void arch_poll(struct mm *m)
{
	(void)m;
}

uint64_t arch_now_ms(void)
{
	return guest_fake.now_us / 1000u;
}

void arch_corrupt(const char *what, uint64_t where, uint64_t found, uint64_t expected)
{
	(void)where;
	(void)found;
	(void)expected;
	guest_fake.corrupt++;
	guest_fake.corrupt_what = what;
}
