/* SPDX-License-Identifier: MIT */
/* The misbehaviours of hostile.h. */
#include "hostile.h"
#include "hvc_call.h"

#define FLOOD_CALLS    256u /* doorbells a step */
#define TORN_UPDATES   3u
#define STARVING_PAGES 10000u /* swapped out anew in each update of a starving liar */

static uint64_t seconds(const char *args, const char *key)
{
	const uint32_t value = args_number(args, key, UINT32_MAX);

	return value == UINT32_MAX ? UINT64_MAX : (uint64_t)value * 1000u;
}

void hostile_init(struct hostile *h, const char *args)
{
	*h = (struct hostile){
		.scribble = args_is(args, "scribble", "1"),
		.torn = args_is(args, "torn", "1"),
		.flood = args_is(args, "flood", "1"),
		.die_ms = seconds(args, "die"),
		.crash_ms = seconds(args, "crash"),
		.spin_ms = seconds(args, "spin"),
		.random = 88172645463325252u,
	};
	if (args_is(args, "lie", "starving")) {
		h->lie = LIE_STARVING;
	} else if (args_is(args, "lie", "idle")) {
		h->lie = LIE_IDLE;
	}
}

bool hostile_publishes(const struct hostile *h)
{
	return !h->torn || h->updates < TORN_UPDATES;
}

void hostile_counters(struct hostile *h, const struct mm *m, struct poise_abi_guest *counters)
{
	h->updates++;
	if (h->lie == LIE_STARVING) {
		counters->active_anon_pages += counters->free_pages + counters->inactive_file_pages;
		counters->free_pages = 0;
		counters->available_pages = 0;
		counters->inactive_file_pages = 0;
		counters->swap_used_pages += m->page_count;
		counters->swap_out_pages += (uint64_t)h->updates * STARVING_PAGES;
		counters->swap_in_pages += (uint64_t)h->updates * STARVING_PAGES;
		counters->direct_reclaims += h->updates;
	} else if (h->lie == LIE_IDLE) {
		counters->free_pages = balloon_size(m);
		counters->available_pages = counters->free_pages;
		counters->active_file_pages = 0;
		counters->inactive_file_pages = 0;
		counters->active_anon_pages = 0;
		counters->inactive_anon_pages = 0;
		counters->swap_used_pages = 0;
		counters->committed_pages = 0;
	}
}

void hostile_page(struct hostile *h, volatile uint32_t *words)
{
	if (h->scribble) {
		for (uint32_t i = 0; i < GUEST_PAGE_BYTES / 4u; i++) {
			h->random ^= h->random << 13;
			h->random ^= h->random >> 7;
			h->random ^= h->random << 17;
			words[i] = (uint32_t)h->random;
		}
	}
	if (h->torn && h->updates == TORN_UPDATES) {
		words[0] |= 1u;
	}
}

void hostile_step(const struct hostile *h, uint64_t now_ms)
{
	if (now_ms >= h->die_ms) {
		console_print("dies at %l ms, as asked to", now_ms);
		guest_exit(0);
	}
	if (now_ms >= h->crash_ms) {
		console_print("touches what is not its own at %l ms, as asked to", now_ms);
		*(volatile uint32_t *)(uintptr_t)0xfffff000u = 1;
	}
	if (now_ms >= h->spin_ms) {
		console_print("spins from %l ms on, as asked to", now_ms);
		irq_mask();
		for (;;) {
			__asm__ volatile("" ::: "memory");
		}
	}
	for (uint32_t i = 0; h->flood && i < FLOOD_CALLS; i++) {
		hvc_call(HVC_URGENT, 0, 0, 0);
	}
}

uint64_t hostile_next_ms(const struct hostile *h)
{
	uint64_t next = h->flood ? 0 : UINT64_MAX;

	next = next < h->die_ms ? next : h->die_ms;
	next = next < h->crash_ms ? next : h->crash_ms;
	return next < h->spin_ms ? next : h->spin_ms;
}
