/* SPDX-License-Identifier: MIT */
/*
 * VMs that come, go, crash and restart while the others are being balanced: no page is lost, none
 * is promised twice, nobody else notices.
 */
#include <string.h>

#include "../../board/carve.h"
#include "../../board/monitor.h"
#include "../../board/panic.h"
#include "../../board/phase.h"
#include "../../board/pool.h"
#include "../../board/timer.h"
#include "../../board/vm_table.h"
#include "bench.h"
#include "report.h"

static struct board_vm_config configs[BENCH_GUESTS + 1u];
static struct board_totals totals;

static uint64_t configure(const char *odd)
{
	uint64_t pool_pages = 0;

	for (uint32_t i = 0; i < BENCH_GUESTS; i++) {
		if (!board_guest_config(&bench_guests[i], i == 0 ? odd : "", &configs[i])) {
			board_panic("the image has no %s", bench_guests[i].name);
		}
		pool_pages += configs[i].boot_pages;
	}
	return pool_pages;
}

static void run_phase(const char *odd, uint64_t seconds, uint32_t restart_limit)
{
	const struct board_phase phase = {
		.name = "test",
		.poise = {.pool_pages = configure(odd)},
		.vms = configs,
		.vm_count = BENCH_GUESTS,
		.duration_ms = seconds * 1000u,
		.restart_limit = restart_limit,
	};
	if (!board_phase_run(&phase, &totals)) {
		board_panic("the phase does not run");
	}
}

static void test_crashes(void)
{
	run_phase("crash=3", 60, 100);
	report(totals.checks_ok, "F45 crash every 3 s: every check after every tick holds");
	report(totals.vm[0].deaths >= 12, "F45 crash every 3 s: %lu restarts", totals.vm[0].deaths);
	report(totals.vm[1].deaths == 0 && totals.vm[2].deaths == 0,
	       "F45 crash every 3 s: the others live");

	/* Late enough for its balloon to be large and for others to have its memory. */
	run_phase("crash=20", 60, 100);
	report(totals.checks_ok && totals.vm[0].deaths == 2,
	       "F45 restart while its memory is lent: %lu restarts, checks hold",
	       totals.vm[0].deaths);
	report(totals.vm[0].alive, "F45 restart while its memory is lent: it came up again");

	run_phase("die=10", 40, 0);
	report(totals.checks_ok && !totals.vm[0].alive && totals.vm[0].size_pages == 0,
	       "F43 death for good: checks hold");
	report(totals.vm[1].size_pages + totals.vm[2].size_pages >
		       configs[1].boot_pages + configs[2].boot_pages,
	       "F43 death for good: the others have its memory");
}

/* Ticks the port by hand for some seconds; VMs that die are restarted. */
static void run_seconds(uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		uint64_t until = board_time_ns() + 1000 * MS;
		for (struct board_vm *dead = board_monitor_run(until); dead != NULL;
		     dead = board_monitor_run(until)) {
			board_port_restart(dead);
		}
		board_port_tick();
	}
}

static void test_add_remove(void)
{
	const struct poise_config config = {.pool_pages = configure("")};

	bench_reset();
	board_carve_release(board_carve_mark());
	if (!board_vm_init(1024) || !board_pool_init((uint32_t)config.pool_pages) ||
	    !board_port_start(&config, NULL)) {
		board_panic("no memory for the test");
	}
	struct board_vm *play = board_vm_create(0, &configs[0]);
	struct board_vm *web = board_vm_create(1, &configs[1]);
	report(board_port_add(play) && board_port_add(web), "F46 two VMs start");
	run_seconds(10);
	report(board_port_poise()->free_pages >= 0 && board_port_stats()->checks_failed == 0,
	       "F46 two VMs are balanced");

	/* Everything free goes to nobody without need: a third still finds its boot size. */
	struct board_vm *game = board_vm_create(2, &configs[2]);
	report(board_port_add(game), "F46 a third is added while the others run");
	run_seconds(10);
	report(board_vm_alive(game) && board_vm_alive(play) && board_vm_alive(web) &&
		       board_port_stats()->checks_failed == 0,
	       "F46 all three run, checks hold");

	/* Out again at any moment, tables and pages included. */
	for (int i = 0; i < 5; i++) {
		bool had_page = game->guest_page != 0;
		board_vm_exit(game, 0);
		const struct poise_vm *dead = &board_port_poise()->vm[2];
		uint32_t bad_run = dead->bad_run;
		uint64_t sample = dead->last.body.sample;
		board_port_poll();
		report(had_page && game->guest_page == 0 && game->host_page == 0 &&
			       dead->bad_run == bad_run && dead->last.body.sample == sample,
		       "F25 the page is gone with its VM, and not looked at, time %d", i + 1);
		board_port_remove(game);
		run_seconds(2);
		report(board_pool_count_owner(BOARD_VMID(game)) == 0 &&
			       board_port_stats()->checks_failed == 0,
		       "F43 removed while balancing, time %d", i + 1);
		bool added = board_port_add(game);
		const struct poise_vm *again = &board_port_poise()->vm[2];
		run_seconds(1);
		report(again->state == POISE_VM_UNMANAGED && again->forecast.steps < 2,
		       "F48 another life, time %d: nothing is decided on its first sample", i + 1);
		run_seconds(2);
		report(added && board_vm_alive(game) && board_port_stats()->checks_failed == 0,
		       "F46 added again, time %d", i + 1);
		report(again->state == POISE_VM_MANAGED && again->last.boot_id == game->boot_id &&
			       game->epoch == again->epoch &&
			       game->target_pages == again->target_pages,
		       "F48 another life, time %d: managed, nothing is left of the last one's "
		       "requests",
		       i + 1);
	}

	/* Reservations that do not fit are refused and change nothing. */
	configs[3] = configs[2];
	configs[3].poise.min_pages = configs[3].poise.boot_pages = config.pool_pages;
	configs[3].poise.max_pages = config.pool_pages;
	int64_t free_before = board_port_poise()->free_pages;
	report(poise_check(board_port_poise()) == 0, "F47 before");
	struct board_vm *big = board_vm_create(3, &configs[3]);
	report(big != NULL && !board_port_add(big) && board_port_poise()->free_pages == free_before,
	       "F47 a VM whose reservation does not fit is refused");
	board_vm_remove(big);
	run_seconds(2);
	report(board_port_stats()->checks_failed == 0, "F47 nothing has changed for the others");
}

void test_churn(void)
{
	test_crashes();
	test_add_remove();
}
