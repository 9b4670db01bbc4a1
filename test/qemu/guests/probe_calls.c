/* SPDX-License-Identifier: MIT */
/*
 * The probe's hypercalls: every edge of the memory calls, hostile numbers, unknown identifiers.
 */
#include "probe_lib.h"

/* The whole of HVC_INFLATE and HVC_DEFLATE with no target above the boot size. */
int do_balloon(void)
{
	uint64_t page = PROBE_BUFFER;

	/* Ranges that are no ranges. */
	CHECK(call(HVC_INFLATE, page, 0, 0) == HVC_INVALID && second == 0);
	CHECK(call(HVC_INFLATE, page + 1, 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, page + 8, 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, GUEST_RAM_BASE - PAGE, 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, GUEST_RAM_BASE - PAGE, 2, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, ram_end(), 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, ram_end() - PAGE, 2, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, page, UINT64_MAX, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, page, UINT64_MAX / PAGE, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, page, (UINT64_C(1) << 52) + 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, UINT64_MAX & ~(PAGE - 1), 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, UINT64_C(1) << 63 | page, 1, 0) == HVC_INVALID);
	CHECK(call(HVC_INFLATE, 0, 1, 0) == HVC_INVALID);
	CHECK(call(HVC_DEFLATE, page, 0, 0) == HVC_INVALID && second == 0);
	CHECK(call(HVC_DEFLATE, page + 1, 1, 0) == HVC_INVALID);
	CHECK(call(HVC_DEFLATE, ram_end(), 1, 0) == HVC_INVALID);
	CHECK(call(HVC_DEFLATE, page, UINT64_MAX, 0) == HVC_INVALID);

	/* At the boot size nothing can be taken, whatever is asked. */
	CHECK(call(HVC_DEFLATE, balloon_start(), 16, 0) == HVC_OK && second == 0);
	CHECK(call(HVC_DEFLATE, page, 16, 0) == HVC_OK && second == 0);

	/* Populated and untouched pages count alike; twice counts once. */
	fill(page, 2, PROBE_PATTERN);
	CHECK(call(HVC_INFLATE, page, 4, 0) == HVC_OK && second == 4);
	CHECK(call(HVC_INFLATE, page, 4, 0) == HVC_OK && second == 0);
	CHECK(call(HVC_INFLATE, page, 6, 0) == HVC_OK && second == 2);

	/* Below the boot size, what was given can be taken back: zeroed, and not more. */
	CHECK(call(HVC_DEFLATE, page, 3, 0) == HVC_OK && second == 3);
	CHECK(filled(page, 3, 0));
	CHECK(call(HVC_DEFLATE, page, 512, 0) == HVC_OK && second == 3);
	CHECK(call(HVC_DEFLATE, balloon_start(), 1, 0) == HVC_OK && second == 0);

	/* A huge range is done in parts. */
	CHECK(call(HVC_INFLATE, page, 600, 0) == HVC_OK && second == HVC_RANGE_MAX);
	CHECK(call(HVC_INFLATE, page + second * PAGE, 600 - second, 0) == HVC_OK && second == 88);
	CHECK(call(HVC_DEFLATE, page, 600, 0) == HVC_OK && second == HVC_RANGE_MAX);
	CHECK(call(HVC_DEFLATE, page + second * PAGE, 88, 0) == HVC_OK && second == 88);
	CHECK(filled(page, 600, 0));
	return 0;
}

/* Registration: what may be a shared page, that it is pinned, that it can be moved. */
int do_pages(void)
{
	CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_GUEST, 0) == HVC_INVALID);
	CHECK(call(HVC_PAGES, PROBE_GUEST + 8, PROBE_HOST, 0) == HVC_INVALID);
	CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_HOST + 1, 0) == HVC_INVALID);
	CHECK(call(HVC_PAGES, 0, PROBE_HOST, 0) == HVC_INVALID);
	CHECK(call(HVC_PAGES, PROBE_GUEST, ram_end(), 0) == HVC_INVALID);
	CHECK(call(HVC_PAGES, PROBE_GUEST, balloon_start(), 0) == HVC_DENIED);
	CHECK(call(HVC_PAGES, balloon_start(), PROBE_HOST, 0) == HVC_DENIED);

	fill(PROBE_HOST, 1, PROBE_PATTERN);
	CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_HOST, 0) == HVC_OK);
	CHECK(filled(PROBE_HOST, 1, 0));
	fill(PROBE_GUEST, 1, 1);

	/* Pinned: cannot be given; a range ends before them. */
	CHECK(call(HVC_INFLATE, PROBE_GUEST, 1, 0) == HVC_DENIED && second == 0);
	CHECK(call(HVC_INFLATE, PROBE_HOST, 1, 0) == HVC_DENIED && second == 0);
	CHECK(call(HVC_INFLATE, PROBE_GUEST - 2 * PAGE, 4, 0) == HVC_OK && second == 2);
	CHECK(filled(PROBE_GUEST, 1, 1));

	/* The device does not write to the host page either. */
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, PROBE_HOST, 1) == HVC_DENIED && second == 0);
	CHECK(call(HVC_BLK_READ, HVC_FILE_BLOCK, PROBE_GUEST, 2) == HVC_OK && second == 1);
	CHECK(filled(PROBE_HOST, 1, 0));

	/* A new driver registers other pages; the old ones are ordinary memory again. */
	CHECK(call(HVC_PAGES, PROBE_BUFFER, PROBE_BUFFER + PAGE, 0) == HVC_OK);
	fill(PROBE_HOST, 1, 2);
	CHECK(filled(PROBE_HOST, 1, 2));
	CHECK(call(HVC_INFLATE, PROBE_GUEST, 2, 0) == HVC_OK && second == 2);
	CHECK(call(HVC_INFLATE, PROBE_BUFFER, 2, 0) == HVC_DENIED);
	return 0;
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A number that is likely to hurt: borders, wraps, near misses, or plain noise. */
static uint64_t hostile_number(void)
{
	static const uint64_t favourites[] = {
		0,
		1,
		7,
		8,
		511,
		512,
		513,
		4095,
		4096,
		4097,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		UINT64_C(0x100000000),
		UINT64_C(0x7fffffffffffffff),
		UINT64_C(0x8000000000000000),
		UINT64_MAX - 4095,
		UINT64_MAX - 1,
		UINT64_MAX,
		GUEST_RAM_BASE - 4096,
		GUEST_RAM_BASE,
		PROBE_BUFFER,
		PROBE_BUFFER + 8,
		PROBE_GUEST,
		PROBE_HOST,
		0x40100000,
		0x09000000,
		0x08000000,
		HVC_FILE_BLOCK - 1,
		HVC_FILE_BLOCK,
	};
	uint64_t word = random_word();

	switch (word % 4u) {
	case 0:
		return random_word();
	case 1:
		return ram_end() + (random_word() % 5u - 2u) * PAGE;
	case 2:
		return PROBE_BUFFER + random_word() % 512u * PAGE;
	default:
		return favourites[word / 4u % (sizeof(favourites) / sizeof(favourites[0]))];
	}
}

/* Calls with arguments that nobody should send. Every answer is one of the contract's. */
int do_hostile(void)
{
	uint64_t turns = argument("turns", 2000);

	CHECK(call(HVC_PAGES, PROBE_GUEST, PROBE_HOST, 0) == HVC_OK);
	for (uint64_t i = 0; i < turns; i++) {
		uint64_t id = HVC_BASE + random_word() % HVC_CALLS;
		if (id == HVC_EXIT || (id == HVC_CONSOLE && i % 16u != 0)) {
			continue;
		}
		uint64_t a = hostile_number();
		uint64_t b = hostile_number();
		/* Its own code, stack and counters are what the probe must not give or overwrite.
		 */
		if (a < PROBE_BUFFER && a >= GUEST_RAM_BASE && id != HVC_CONSOLE) {
			a += PROBE_BUFFER - GUEST_RAM_BASE;
		}
		if (b < PROBE_BUFFER && b >= GUEST_RAM_BASE) {
			b += PROBE_BUFFER - GUEST_RAM_BASE;
		}
		int64_t answer = call(id, a, b, hostile_number());
		CHECK(answer >= HVC_DENIED && answer <= 3);
		shared[PROBE_PROGRESS]++;
	}
	return 0;
}

/* Identifiers that are in no table, by all ways in. */
int do_unknown(void)
{
	static const uint64_t ids[] = {
		HVC_BASE + HVC_CALLS, HVC_BASE + 0xffff, HVC_BASE - 1, 0,
		0x84000000,           0xC4000001,        0x86000000,   UINT64_MAX,
		UINT64_C(0xffffffff), 0x46000000};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		second = 77;
		CHECK(hvc_call(ids[i], 77, 78, 79, &second) == HVC_NOT_SUPPORTED && second == 77);
		CHECK(smc_call(ids[i]) == HVC_NOT_SUPPORTED);
	}
	for (uint64_t i = 0; i < 0x1000; i++) {
		CHECK(call(HVC_BASE + HVC_CALLS + i, i, i, i) == HVC_NOT_SUPPORTED);
	}
	CHECK(hvc_one(HVC_VERSION) == HVC_NOT_SUPPORTED);
	/* The upper half of the identifier's register means nothing. */
	CHECK(call(UINT64_C(0xdead00000000) | HVC_VERSION, 0, 0, 0) == HVC_ABI_VERSION);
	CHECK(call(HVC_FEATURES, 0, 0, 0) == (HVC_FEATURE_POISE | HVC_FEATURE_BLOCK));
	return 0;
}
