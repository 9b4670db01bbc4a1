/* SPDX-License-Identifier: MIT */
/*
 * The guest as a whole: places its tables, starts the parts, and then does one thing after another
 * for ever: look at the host's page, keep house, play a row of the trace when it is due, sleep. The
 * timer's interrupt publishes in between.
 */
#include "guest.h"
#include "hvc_call.h"
#include "hostile.h"
#include "workload.h"
#include "../../guestdrv/bare/bare.h"

#define DEFAULT_SWAPPINESS  60u
#define DEFAULT_TOUCH       16000u
#define DEFAULT_TOUCH_FILE  8000u
#define DEFAULT_HOT_PERCENT 30u
#define BALLOON_SLOW_MS     50u /* between two steps of a slow balloon */

#define FEATURES                                                                           \
	(POISE_GF_AVAILABLE | POISE_GF_SWAP_FLOW | POISE_GF_REFAULT | POISE_GF_COMMITTED | \
	 POISE_GF_RECLAIM | POISE_GF_URGENT)

struct mm guest_mm;

static struct workload workload;
static struct gd_bare driver;
static struct hostile hostile;
static uint64_t next_publish_ms;
static volatile bool host_due; /* the host's page is looked at with each update, asked or not */
static uint32_t floor_pages;

/* Context: interrupts masked. */
static void publish(void)
{
	const struct mm *m = &guest_mm;
	struct poise_abi_guest counters = {
		.guest_ms = machine_now_ms(NULL),
		.balloon_pages = m->balloon_pages,
		.free_pages = m->free_pages,
		.active_file_pages = m->lru_pages[LRU_ACTIVE_FILE],
		.inactive_file_pages = m->lru_pages[LRU_INACTIVE_FILE],
		.active_anon_pages = m->lru_pages[LRU_ACTIVE_ANON],
		.inactive_anon_pages = m->lru_pages[LRU_INACTIVE_ANON],
		.unevictable_pages =
			0, /* nothing is ever locked; the kernel's own is no LRU page */
		.swap_used_pages = m->swap_used,
		.available_pages = mm_available(m),
		.swap_out_pages = m->swap_out,
		.swap_in_pages = m->swap_in,
		.refault_anon_pages = m->refault_anon,
		.refault_file_pages = m->refault_file,
		.committed_pages = m->committed,
		.direct_reclaims = m->direct_reclaims,
		.oom_kills = m->oom_kills,
		.floor_pages = floor_pages,
	};

	if (!hostile_publishes(&hostile)) {
		return;
	}
	hostile_counters(&hostile, m, &counters);
	gd_bare_publish(&driver, &counters);
	hostile_page(&hostile, gd_bare_words());
}

uint64_t guest_timer(uint64_t now_ticks)
{
	const uint64_t now_ms = now_ticks / irq_ticks_per_ms();

	if (!driver.attached) {
		return GUEST_TICK_NONE;
	}
	if (now_ms >= next_publish_ms) {
		publish();
		host_due = true;
		next_publish_ms = now_ms + driver.interval_ms;
	}
	return next_publish_ms * irq_ticks_per_ms();
}

void machine_poll(void *machine)
{
	struct mm *m = &guest_mm;
	struct gd_host host;

	(void)machine;
	if (!irq_poise_pending() && !host_due) {
		return;
	}
	host_due = false;
	if (gd_bare_host(&driver, &host) && host.epoch != m->balloon.epoch) {
		balloon_target(m, (uint32_t)host.target_pages, host.epoch);
	}
}

void machine_pressure(void *machine)
{
	const uint64_t now_ms = machine_now_ms(machine);

	irq_mask();
	if (gd_bare_may_ring(&driver, now_ms)) {
		publish();
		gd_bare_urgent(&driver, now_ms);
	}
	irq_unmask();
	/* The host may have answered at once. */
	machine_poll(machine);
}

/* --- start --- */

struct range {
	uint64_t start, end; /* IPAs, whole pages */
};

static struct range pages_of(uint64_t start, uint64_t bytes)
{
	return (struct range){
		.start = start / GUEST_PAGE_BYTES * GUEST_PAGE_BYTES,
		.end = (start + bytes + GUEST_PAGE_BYTES - 1u) / GUEST_PAGE_BYTES *
		       GUEST_PAGE_BYTES,
	};
}

/* Finds room for `bytes` between what the monitor and the linker have placed; 0 if there is none.
 */
static uint64_t place(const struct range *used, uint32_t count, uint64_t end, uint64_t bytes)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t start = used[i].end;
		bool fits = start + bytes <= end;

		for (uint32_t j = 0; j < count; j++) {
			if (used[j].start < start + bytes && used[j].end > start) {
				fits = false;
			}
		}
		if (fits) {
			return start;
		}
	}
	return 0;
}

static void add_free(struct mm *m, const struct range *used, uint32_t count, uint32_t boot_pages)
{
	for (uint32_t pfn = 0; pfn < boot_pages; pfn++) {
		const uint64_t ipa = GUEST_RAM_BASE + (uint64_t)pfn * GUEST_PAGE_BYTES;
		bool is_used = false;

		for (uint32_t i = 0; i < count; i++) {
			is_used = is_used || (ipa >= used[i].start && ipa < used[i].end);
		}
		if (!is_used) {
			mm_add_free(m, pfn, 1);
		}
	}
}

static void start_memory(const struct board_boot *boot)
{
	const struct workload_config work = {
		.blob = boot->data_ipa == 0 ? NULL : (const void *)(uintptr_t)boot->data_ipa,
		.blob_bytes = boot->data_bytes,
		.boot_id = boot->boot_id,
		.vm = args_number(boot->args, "vm", 0),
		.scale = args_number(boot->args, "scale", 1),
		.seed = args_number(boot->args, "seed", 1),
		.rows = args_number(boot->args, "rows", 0),
		.touch = args_number(boot->args, "touch", DEFAULT_TOUCH),
		.touch_file = args_number(boot->args, "touch_file", DEFAULT_TOUCH_FILE),
		.hot_percent = args_number(boot->args, "hot", DEFAULT_HOT_PERCENT),
		.file_blocks = boot->file_blocks,
	};
	struct mm_config config = {
		.page_count = (uint32_t)boot->ram_pages,
		.boot_pages = (uint32_t)boot->boot_pages,
		.slot_count = (uint32_t)boot->swap_blocks,
		.swappiness = args_number(boot->args, "swappiness", DEFAULT_SWAPPINESS),
		.anon_active = args_is(boot->args, "anon", "active"),
	};
	struct range used[4] = {
		{.start = GUEST_RAM_BASE, .end = (uintptr_t)guest_end},
		pages_of((uintptr_t)boot, sizeof(*boot)),
		pages_of(boot->data_ipa, boot->data_bytes),
	};
	const uint64_t end = GUEST_RAM_BASE + boot->boot_pages * GUEST_PAGE_BYTES;
	uint64_t tables;
	uint64_t window;
	uint64_t generations;
	uint64_t bytes;

	workload_open(&workload, &work, &config.anon_limit, &config.file_limit);
	/* One slot a page of the window is all that can ever be used. */
	if (config.slot_count > config.anon_limit) {
		config.slot_count = config.anon_limit;
	}
	bytes = mm_table_bytes(&config);
	window = bytes;
	bytes += mmu_window_bytes(config.anon_limit);
	generations = bytes;
	bytes += config.anon_limit;
	tables = place(used, 3, end, bytes);
	if (tables == 0) {
		console_print("%l KiB of tables do not fit into %l pages", bytes / 1024u,
			      boot->boot_pages);
		guest_exit(1);
	}
	used[3] = pages_of(tables, bytes);
	mm_init(&guest_mm, &config, (void *)(uintptr_t)tables);
	mmu_window_init((uint64_t *)(uintptr_t)(tables + window), config.anon_limit);
	workload_start(&workload, &guest_mm, (uint8_t *)(uintptr_t)(tables + generations));
	add_free(&guest_mm, used, 4, config.boot_pages);
}

static void start_balloon(const char *args)
{
	struct balloon *b = &guest_mm.balloon;

	floor_pages = args_number(args, "floor", 0);
	if (args_is(args, "balloon", "stuck")) {
		b->mode = BALLOON_STUCK;
	} else if (args_is(args, "balloon", "slow")) {
		b->mode = BALLOON_SLOW;
	} else if (args_is(args, "balloon", "refuse-inflate")) {
		b->mode = BALLOON_REFUSE_INFLATE;
	} else if (args_is(args, "balloon", "refuse-deflate")) {
		b->mode = BALLOON_REFUSE_DEFLATE;
	} else if (args_is(args, "balloon", "hog")) {
		b->mode = BALLOON_HOG;
		floor_pages = guest_mm.page_count;
	}
	b->floor = floor_pages;
}

/* RAM is mapped where it is: the address of a page is its IPA. */
static bool share(const volatile void *guest_page, const volatile void *host_page)
{
	return hvc_call(HVC_VERSION, 0, 0, 0).status == HVC_ABI_VERSION &&
	       (hvc_call(HVC_FEATURES, 0, 0, 0).status & HVC_FEATURE_POISE) != 0 &&
	       hvc_call(HVC_PAGES, (uintptr_t)guest_page, (uintptr_t)host_page, 0).status == HVC_OK;
}

static void ring(void)
{
	hvc_call(HVC_URGENT, 0, 0, 0);
}

static void start_driver(const struct board_boot *boot)
{
	static const struct gd_bare_calls calls = {.share = share, .ring = ring};
	uint32_t features = FEATURES;

	if (!guest_mm.anon_active) {
		features |= POISE_GF_ANON_INACTIVE;
	}
	if (floor_pages != 0) {
		features |= POISE_GF_FLOOR;
	}
	if (!gd_bare_attach(&driver, &calls, boot->boot_id, boot->ram_pages, features)) {
		console_print("no Poise here: goes on without");
	}
	irq_set_timer(guest_timer(irq_ticks()));
	irq_unmask();
}

/* --- the main loop --- */

static void report(uint64_t start_ms)
{
	const struct mm *m = &guest_mm;
	const uint64_t played_ms = workload_due_ms(&workload);
	const uint64_t now_ms = machine_now_ms(NULL) - start_ms;

	console_print(
		"row %u late %l ms, io %l ms, size %u free %u, anon %u+%u file %u+%u swap %u, "
		"out %l in %l refault %l+%l direct %l oom %l",
		workload.row, now_ms > played_ms ? now_ms - played_ms : 0, m->io_ms,
		balloon_size(m), m->free_pages, m->lru_pages[LRU_ACTIVE_ANON],
		m->lru_pages[LRU_INACTIVE_ANON], m->lru_pages[LRU_ACTIVE_FILE],
		m->lru_pages[LRU_INACTIVE_FILE], m->swap_used, m->swap_out, m->swap_in,
		m->refault_anon, m->refault_file, m->direct_reclaims, m->oom_kills);
}

static bool balloon_is_busy(const struct balloon *b)
{
	return b->pending && b->mode != BALLOON_STUCK && b->mode != BALLOON_SLOW;
}

_Noreturn static void run(const char *args)
{
	const uint32_t report_rows = args_number(args, "report", 0);
	const bool exit_at_end = args_is(args, "end", "exit");
	const uint64_t start_ms = machine_now_ms(NULL);
	bool playing = workload.head != NULL;

	for (;;) {
		const uint64_t now_ms = machine_now_ms(NULL);
		uint64_t next_ms = hostile_next_ms(&hostile);

		machine_poll(NULL);
		hostile_step(&hostile, now_ms);
		workload_housekeeping(&guest_mm);
		if (playing) {
			const uint64_t due_ms = start_ms + workload_due_ms(&workload);

			if (now_ms >= due_ms) {
				playing = workload_slice(&workload);
				if (!playing || (report_rows != 0 && workload.slice == 0 &&
						 workload.row % report_rows == 0)) {
					report(start_ms);
				}
				if (!playing && exit_at_end) {
					guest_exit(0);
				}
				continue;
			}
			next_ms = next_ms < due_ms ? next_ms : due_ms;
		}
		if (balloon_is_busy(&guest_mm.balloon)) {
			continue;
		}
		if (guest_mm.balloon.mode == BALLOON_SLOW && guest_mm.balloon.pending &&
		    next_ms > now_ms + BALLOON_SLOW_MS) {
			next_ms = now_ms + BALLOON_SLOW_MS;
		}
		irq_idle(next_ms == UINT64_MAX ? GUEST_TICK_NONE : next_ms * irq_ticks_per_ms());
	}
}

void guest_main(const struct board_boot *boot)
{
	irq_init();
	hostile_init(&hostile, boot->args);
	start_memory(boot);
	start_balloon(boot->args);
	start_driver(boot);
	run(boot->args);
}
