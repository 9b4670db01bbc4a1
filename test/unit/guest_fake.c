/* SPDX-License-Identifier: MIT */
/* The fake machine of guest_fake.h: the host's twin of board/guest/machine.c. */
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
} parts;

static void *must(void *memory)
{
	if (memory == NULL) {
		abort();
	}
	return memory;
}

/* Every call names the machine that mm_init was given. */
static void must_be_it(const void *machine)
{
	if (machine != &guest_fake) {
		abort();
	}
}

void guest_fake_start(struct mm *m, const struct mm_config *config, uint32_t reserved)
{
	guest_fake = (struct guest_fake){.m = m, .write_limit = UINT32_MAX};
	guest_fake.target = config->page_count;
	parts.ram = must(calloc(config->page_count, GUEST_PAGE_BYTES));
	parts.swap = must(calloc(config->slot_count + 1u, GUEST_PAGE_BYTES));
	parts.tables = must(calloc(1, mm_table_bytes(config)));
	parts.pte = must(calloc(config->anon_limit + 1u, sizeof(*parts.pte)));
	parts.young = must(calloc(config->anon_limit + 1u, sizeof(*parts.young)));
	struct mm_config own = *config;
	own.machine = &guest_fake;
	mm_init(m, &own, parts.tables);
	mm_add_free(m, reserved, config->boot_pages - reserved);
}

void guest_fake_stop(void)
{
	free(parts.ram);
	free(parts.swap);
	free(parts.tables);
	free(parts.pte);
	free(parts.young);
}

static void device_time(uint32_t count)
{
	guest_fake.now_us += guest_fake.request_us + (uint64_t)guest_fake.block_us * count;
}

void *machine_frame(void *machine, uint32_t pfn)
{
	must_be_it(machine);
	return parts.ram + (size_t)pfn * GUEST_PAGE_BYTES;
}

void machine_frame_zero(void *machine, uint32_t pfn)
{
	must_be_it(machine);
	memset(machine_frame(machine, pfn), 0, GUEST_PAGE_BYTES);
}

void machine_page_copy(void *machine, void *to, const void *from)
{
	must_be_it(machine);
	memcpy(to, from, GUEST_PAGE_BYTES);
}

void machine_map(void *machine, uint32_t vpn, uint32_t pfn)
{
	must_be_it(machine);
	parts.pte[vpn] = pfn + 1u;
	parts.young[vpn] = true;
}

void machine_unmap(void *machine, uint32_t vpn)
{
	must_be_it(machine);
	parts.pte[vpn] = 0;
}

bool machine_test_clear_young(void *machine, uint32_t vpn)
{
	must_be_it(machine);
	const bool young = parts.young[vpn];

	parts.young[vpn] = false;
	return young;
}

volatile uint64_t *machine_window(void *machine, uint32_t vpn)
{
	must_be_it(machine);
	if (parts.pte[vpn] == 0) {
		mm_anon_fault(guest_fake.m, vpn);
	}
	parts.young[vpn] = true;
	return machine_frame(machine, parts.pte[vpn] - 1u);
}

uint32_t machine_swap_read(void *machine, uint64_t block, void *buffer, uint32_t count)
{
	must_be_it(machine);
	guest_fake.reads++;
	device_time(count);
	memcpy(buffer, parts.swap + block * GUEST_PAGE_BYTES, (size_t)count * GUEST_PAGE_BYTES);
	return count;
}

uint32_t machine_swap_write(void *machine, uint64_t block, const void *buffer, uint32_t count)
{
	must_be_it(machine);
	const uint32_t done = count < guest_fake.write_limit ? count : guest_fake.write_limit;

	guest_fake.writes++;
	device_time(done);
	memcpy(parts.swap + block * GUEST_PAGE_BYTES, buffer, (size_t)done * GUEST_PAGE_BYTES);
	return done;
}

uint32_t machine_file_read(void *machine, uint64_t block, void *buffer, uint32_t count)
{
	must_be_it(machine);
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

uint32_t machine_inflate(void *machine, uint32_t pfn, uint32_t count)
{
	must_be_it(machine);
	guest_fake.gives++;
	/* What is given is gone: whoever reads it after this reads somebody else's bytes. */
	memset(machine_frame(machine, pfn), 0xee, (size_t)count * GUEST_PAGE_BYTES);
	return count;
}

uint32_t machine_deflate(void *machine, uint32_t pfn, uint32_t count)
{
	must_be_it(machine);
	const uint32_t size = balloon_size(guest_fake.m);
	const uint32_t room = guest_fake.target > size ? guest_fake.target - size : 0;
	const uint32_t done = count < room ? count : room;

	guest_fake.takes++;
	memset(machine_frame(machine, pfn), guest_fake.dirty_takes ? 0xee : 0,
	       (size_t)done * GUEST_PAGE_BYTES);
	return done;
}

void machine_settled(void *machine, uint64_t epoch)
{
	must_be_it(machine);
	guest_fake.settled++;
	guest_fake.settled_epoch = epoch;
}

void machine_pressure(void *machine)
{
	must_be_it(machine);
	guest_fake.pressures++;
}

void machine_poll(void *machine)
{
	must_be_it(machine);
}

uint64_t machine_now_ms(void *machine)
{
	must_be_it(machine);
	return guest_fake.now_us / 1000u;
}

void machine_corrupt(void *machine, const char *what, uint64_t where, uint64_t found,
		     uint64_t expected)
{
	must_be_it(machine);
	(void)where;
	(void)found;
	(void)expected;
	guest_fake.corrupt++;
	guest_fake.corrupt_what = what;
}
