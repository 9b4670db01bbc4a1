/* SPDX-License-Identifier: MIT */
/*
 * Faults of the catalogue in the simulator: VMs that come, go and start anew while memory is on its
 * way, a pool that changes its size, ticks and clocks that are not what they should be.
 */
#include "sim_fault.h"

static struct fault_bench bench, other;

/* A donor with a slow balloon: memory is on its way for seconds. */
#define SLOW                                                       \
	"{ name = 'odd';" FAULT_SIZES " balloon = { mib_s = 8; };" \
	" load = { kind = 'idle'; low = 20; files = 10; }; },"
#define VMS "vms = (" SLOW FAULT_NEIGHBOURS ");"

static void start_with(struct fault_bench *b, const char *format, double a, double c)
{
	char text[1024];

	snprintf(text, sizeof(text), format, a, c);
	fault_start(b, text, VMS);
}

/* In every phase of a transfer from the first to the second VM, which starts 2 s after the start
 * and goes on for some 10 s. */
static void remove_in_every_phase(const char *vm)
{
	char format[512];

	snprintf(format, sizeof(format),
		 FAULT_MACHINE "events = ( { at = %%.2f; kind = 'remove'; vm = '%s'; },"
			       " { at = %%.2f; kind = 'add'; vm = '%s'; } );",
		 vm, vm);
	for (unsigned i = 0; i < 24; i++) {
		const double at = 2.0 + i * 0.37;

		/* Another one takes its slot while answers to the first may be on their way. */
		start_with(&bench, format, at, at + 0.02);
		fault_run(&bench, (uint32_t)at + 4u);
		/* Its pages are free again, once, and what was on its way is nobody's. */
		assert_int_equal(bench.host.books.debt_pages, 0);
		assert_int_equal(bench.host.refused, 0);
		fault_run(&bench, (uint32_t)at + 20u);
		fault_assert_service(&bench);
		assert_true(bench.host.guest[0].present && bench.host.guest[1].present);
		fault_stop(&bench);
	}
}

static void sim_f43_donor_goes_in_every_phase(void **state)
{
	(void)state;
	remove_in_every_phase("odd");
}

static void sim_f44_receiver_goes_in_every_phase(void **state)
{
	(void)state;
	remove_in_every_phase("busy");
}

/* The first VM has given most of its memory to the second one when it starts anew. */
static void reset_while_the_balloon_is_large(const char *kind, uint32_t known_s)
{
	char machine[512];

	snprintf(machine, sizeof(machine),
		 FAULT_MACHINE "events = ( { at = 44.5; kind = '%s'; vm = 'odd'; } );", kind);
	fault_start(&bench, machine, VMS);
	fault_run(&bench, 44);
	assert_true(fault_size(&bench, 0) < MIB(100));
	fault_run(&bench, known_s);
	/* Charged for its boot size at once; the host has had to lend it what was not free. */
	assert_true(poise_vm_charge(fault_vm(&bench, 0)) >= MIB(128));
	assert_int_equal(bench.host.guest[0].boots, 2);
	fault_forget(&bench);
	fault_run(&bench, 57);
	assert_int_equal(bench.host.books.debt_pages, 0);
	assert_true(bench.host.core.free_pages >= 0);
	assert_true(bench.least[1] >= MIB(72));
	assert_true(bench.least[2] >= MIB(72));
	fault_assert_service(&bench);
	fault_stop(&bench);
}

static void sim_f45_reset_while_the_balloon_is_large(void **state)
{
	(void)state;
	reset_while_the_balloon_is_large("reset", 45);
}

static void sim_f45_reboot_that_nobody_is_told_of(void **state)
{
	(void)state;
	reset_while_the_balloon_is_large("reboot", 46);
}

static void sim_f46_added_while_memory_is_on_its_way(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		char machine[512];

		snprintf(machine, sizeof(machine),
			 "name = 'x'; total = 384; seconds = 100; granule = 4;"
			 "events = ( { at = %.2f; kind = 'add'; vm = 'new'; } );",
			 32.0 + i * 0.7);
		fault_start(&bench, machine,
			    "vms = (" SLOW FAULT_NEIGHBOURS
			    ", { name = 'new'; absent = true; boot = 96; min = 72; kernel = 16;"
			    " max = 320; load = { kind = 'stream'; low = 40; files = 8; }; } );");
		fault_run(&bench, 32);
		assert_false(bench.host.guest[3].present);
		fault_run(&bench, 60);
		/* It has waited for its memory and then started; nobody was promised it twice. */
		assert_true(bench.host.guest[3].present);
		assert_true(fault_size(&bench, 3) >= MIB(72));
		assert_int_equal(bench.host.books.debt_pages, 0);
		fault_run(&bench, 70);
		fault_assert_service(&bench);
		fault_stop(&bench);
	}
}

static void sim_f46_added_when_all_memory_is_in_use(void **state)
{
	(void)state;
	/* Its memory has been gone for seconds when it comes back: it waits for others to shrink.
	 */
	for (unsigned i = 0; i < 12; i++) {
		const double at = 2.0 + i * 0.7;

		start_with(&bench,
			   FAULT_MACHINE "events = ( { at = %.2f; kind = 'remove'; vm = 'odd'; },"
					 " { at = %.2f; kind = 'add'; vm = 'odd'; } );",
			   at, at + 5.0);
		fault_run(&bench, (uint32_t)at + 25u);
		assert_true(bench.host.guest[0].present);
		fault_assert_service(&bench);
		fault_stop(&bench);
	}
}

static void sim_f52_pool_shrinks(void **state)
{
	(void)state;
	fault_start(&bench,
		    FAULT_MACHINE "events = ( { at = 35; kind = 'pool'; total = 300; },"
				  " { at = 55; kind = 'pool'; total = 220; },"
				  " { at = 75; kind = 'pool'; total = 150; },"
				  " { at = 90; kind = 'pool'; total = 384; } );",
		    VMS);
	fault_run(&bench, 54);
	assert_int_equal(bench.host.books.debt_pages, 0);
	assert_true(bench.host.core.free_pages >= 0);
	fault_run(&bench, 74);
	assert_int_equal(bench.host.books.debt_pages, 0);
	assert_int_equal(bench.host.refused, 0);
	/* Less than the reservations: said so once, and everybody is at its reservation. */
	fault_run(&bench, 89);
	assert_int_equal(bench.host.refused, 1);
	assert_int_equal(fault_errors(&bench, POISE_E_INFEASIBLE), 1);
	for (uint32_t i = 0; i < 3; i++) {
		assert_in_range(fault_size(&bench, i), MIB(71), MIB(73));
	}
	fault_run(&bench, 100);
	fault_assert_service(&bench);
	assert_int_equal(bench.host.books.debt_pages, 0);
	fault_stop(&bench);
}

static void sim_f53_pool_grows(void **state)
{
	(void)state;
	fault_start(&bench,
		    "name = 'x'; total = 384; seconds = 100; granule = 4;"
		    "events = ( { at = 36; kind = 'pool'; total = 512; } );",
		    VMS);
	fault_start(&other, "name = 'x'; total = 512; seconds = 100; granule = 4;", VMS);
	fault_run(&bench, 34);
	fault_forget(&bench);
	fault_run(&bench, 100);
	fault_run(&other, 100);
	/* Whoever wants it gets it, and not more than on a machine that was as large before. */
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(bench.most[i] <= other.most[i] + MIB(24));
	}
	assert_true(bench.most[1] > MIB(170));
	fault_assert_service(&bench);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f55_reserve_is_eaten_into(void **state)
{
	uint64_t asked;

	(void)state;
	/* 4 MiB go for two seconds, six times: page tables of balloons, say. */
	fault_start(&bench,
		    FAULT_MACHINE "events = ( { at = 40; kind = 'pool'; total = 380; },"
				  " { at = 42; kind = 'pool'; total = 384; },"
				  " { at = 44; kind = 'pool'; total = 380; },"
				  " { at = 46; kind = 'pool'; total = 384; },"
				  " { at = 48; kind = 'pool'; total = 380; },"
				  " { at = 50; kind = 'pool'; total = 384; } );",
		    VMS);
	fault_start(&other, FAULT_MACHINE, VMS);
	fault_run(&bench, 38);
	fault_run(&other, 38);
	asked = bench.host.core.epoch;
	fault_run(&bench, 55);
	fault_run(&other, 55);
	/* No storm: a few requests more than without, for three VMs and six changes. */
	assert_true(bench.host.core.epoch - asked <= other.host.core.epoch - asked + 36u);
	fault_assert_service(&bench);
	fault_assert_not_worse(&bench, &other, 1, 500);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f67_jitter_and_bursts(void **state)
{
	(void)state;
	fault_start(&bench,
		    FAULT_MACHINE "jitter = 0.5; events = ("
				  " { at = 25; kind = 'burst'; count = 20; },"
				  " { at = 50; kind = 'burst'; count = 100; },"
				  " { at = 51; kind = 'burst'; count = 20; } );",
		    VMS);
	fault_start(&other, FAULT_MACHINE, VMS);
	fault_run(&bench, 100);
	fault_run(&other, 100);
	for (uint32_t i = 0; i < 3; i++) {
		fault_assert_not_worse(&bench, &other, i, 1000);
		assert_true(fault_size(&bench, i) + MIB(16) > fault_size(&other, i));
		assert_true(fault_size(&other, i) + MIB(16) > fault_size(&bench, i));
	}
	fault_assert_service(&bench);
	fault_stop(&bench);
	fault_stop(&other);
}

static unsigned ticks_recorded(FILE *record)
{
	unsigned ticks = 0;
	char line[512];

	rewind(record);
	while (fgets(line, sizeof(line), record) != NULL) {
		ticks += strstr(line, " tick ") != NULL;
	}
	return ticks;
}

static void sim_f68_missed_ticks(void **state)
{
	static const uint32_t missed_s[] = {1, 10, 1000};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const uint32_t until_s = 42u + missed_s[i];
		FILE *record = tmpfile();
		char machine[256];

		assert_non_null(record);
		snprintf(machine, sizeof(machine),
			 "name = 'x'; total = 384; seconds = 1100; granule = 8; events = ("
			 " { at = 34.5; kind = 'pause'; seconds = %u; } );",
			 missed_s[i]);
		fault_start(&bench, machine, VMS);
		bench.host.record = record;
		fault_run(&bench, 35u + missed_s[i]);
		fault_forget(&bench);
		fault_run(&bench, until_s);
		/* What was missed is not made up for. */
		assert_in_range(ticks_recorded(record), 34u + 5u, 34u + 9u);
		/* As fast as ever, but not faster: at most twice a VM's size in a second. */
		fault_assert_service(&bench);
		fclose(record);
		fault_stop(&bench);
	}
}

static void sim_f69_clock_leaps(void **state)
{
	static const char *const leaps[] = {
		"{ at = 31; kind = 'clock'; seconds = 3600; }",
		"{ at = 31; kind = 'clock'; seconds = -20; }",
		"{ at = 31; kind = 'clock'; seconds = -3600; }",
		/* Nearly 2^32 ms, and across it. */
		"{ at = 0; kind = 'clock'; seconds = 4294947.296; }",
	};

	(void)state;
	fault_start(&other, FAULT_MACHINE, VMS);
	fault_run(&other, 100);
	for (unsigned i = 0; i < sizeof(leaps) / sizeof(leaps[0]); i++) {
		char machine[256];

		snprintf(machine, sizeof(machine), FAULT_MACHINE "events = ( %s );", leaps[i]);
		fault_start(&bench, machine, VMS);
		fault_run(&bench, 100);
		fault_assert_service(&bench);
		for (uint32_t vm = 0; vm < 3; vm++) {
			fault_assert_not_worse(&bench, &other, vm, 3000);
		}
		fault_stop(&bench);
	}
	fault_stop(&other);
}

static void sim_f71_all_needy(void **state)
{
	uint64_t sum = 0;

	(void)state;
	fault_start(&bench, FAULT_MACHINE,
		    "vms = ( { name = 'a'; count = 2; boot = 128; min = 60; kernel = 16; max = 320;"
		    " load = { kind = 'stream'; low = 250; files = 10; }; },"
		    " { name = 'b'; weight = 200; boot = 128; min = 60; kernel = 16; max = 320;"
		    " load = { kind = 'stream'; low = 250; files = 10; }; } );");
	fault_run(&bench, 60);
	fault_forget(&bench);
	fault_run(&bench, 100);
	/* 384 less the reserve of 6 and three times 60: 198, of which 49, 49 and 99. */
	for (uint32_t i = 0; i < 3; i++) {
		const uint64_t share = i < 2 ? MIB(109) : MIB(159);

		assert_true(bench.least[i] + MIB(8) >= share);
		assert_true(bench.most[i] <= share + MIB(14));
		assert_true(bench.most[i] - bench.least[i] <= MIB(12));
		sum += fault_size(&bench, i);
	}
	assert_true(sum >= MIB(370));
	fault_assert_service(&bench);
	fault_stop(&bench);
}

static void sim_f76_limits_change_in_flight(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		char machine[768];
		const double at = 32.0 + i * 0.7;

		snprintf(
			machine, sizeof(machine),
			FAULT_MACHINE
			"events = ( { at = %.2f; kind = 'limits'; vm = 'busy'; max = 110; },"
			" { at = %.2f; kind = 'limits'; vm = 'odd'; min = 100; max = 200; weight = "
			"7; },"
			" { at = 70; kind = 'limits'; vm = 'busy'; min = 140; },"
			" { at = 70; kind = 'limits'; vm = 'odd'; } );",
			at, at + 0.2);
		fault_start(&bench, machine, VMS);
		fault_run(&bench, 55);
		assert_true(fault_size(&bench, 1) <= MIB(110));
		assert_true(fault_size(&bench, 0) >= MIB(100));
		fault_run(&bench, 85);
		assert_true(fault_size(&bench, 1) >= MIB(140));
		assert_int_equal(bench.host.refused, 0);
		fault_assert_service(&bench);
		fault_stop(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim_f43_donor_goes_in_every_phase),
		cmocka_unit_test(sim_f44_receiver_goes_in_every_phase),
		cmocka_unit_test(sim_f45_reset_while_the_balloon_is_large),
		cmocka_unit_test(sim_f45_reboot_that_nobody_is_told_of),
		cmocka_unit_test(sim_f46_added_while_memory_is_on_its_way),
		cmocka_unit_test(sim_f46_added_when_all_memory_is_in_use),
		cmocka_unit_test(sim_f52_pool_shrinks),
		cmocka_unit_test(sim_f53_pool_grows),
		cmocka_unit_test(sim_f55_reserve_is_eaten_into),
		cmocka_unit_test(sim_f67_jitter_and_bursts),
		cmocka_unit_test(sim_f68_missed_ticks),
		cmocka_unit_test(sim_f69_clock_leaps),
		cmocka_unit_test(sim_f71_all_needy),
		cmocka_unit_test(sim_f76_limits_change_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
