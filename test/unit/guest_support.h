/* SPDX-License-Identifier: MIT */
/* What the tests of the guest's memory management share: one guest on a fake machine. */
#ifndef GUEST_SUPPORT_H
#define GUEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest_fake.h"

#define RAM      2048u /* pages */
#define RESERVED 64u

static struct mm mm;

static inline struct mm_config config_of(uint32_t ram, uint32_t anon, uint32_t file, uint32_t swap)
{
	return (struct mm_config){
		.page_count = ram,
		.boot_pages = ram,
		.anon_limit = anon,
		.file_limit = file,
		.slot_count = swap,
		.swappiness = 60,
	};
}

static inline void start(uint32_t anon, uint32_t file, uint32_t swap)
{
	const struct mm_config config = config_of(RAM, anon, file, swap);

	guest_fake_start(&mm, &config, RESERVED);
}

static inline void assert_sane(void)
{
	const char *wrong = mm_check(&mm);

	if (wrong != NULL) {
		fail_msg("%s", wrong);
	}
	assert_int_equal(guest_fake.corrupt, 0);
}

static inline int teardown(void **state)
{
	(void)state;
	guest_fake_stop();
	return 0;
}

/* Writes a number that names the page; checks it first if the page has been written before. */
static inline void use(uint32_t vpn, bool first)
{
	volatile uint64_t *page = machine_window(&guest_fake, vpn);

	assert_int_equal(page[0], first ? 0 : vpn + UINT64_C(1000));
	page[0] = vpn + UINT64_C(1000);
}

/* Lets free memory fall and the background reclaimer run, as the main loop does. */
static inline void use_all(uint32_t from, uint32_t to, bool first)
{
	for (uint32_t vpn = from; vpn < to; vpn++) {
		use(vpn, first);
		if (vpn % 32u == 0) {
			reclaim_background(&mm, 128);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, teardown)

#endif
