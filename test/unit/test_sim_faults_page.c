/* SPDX-License-Identifier: MIT */
/*
 * Faults of the catalogue, section 1, in the simulator: guests that stop reporting, start anew,
 * lie, and ring without end. Each beside two honest neighbours.
 */
#include "sim_fault.h"

static struct fault_bench bench, other;

/* The machine with this report of the first VM, which uses `low` MiB. */
static const char *with(const char *low, const char *report)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "vms = ( { name = 'odd';" FAULT_SIZES " report = { %s };"
		 " load = { kind = 'stream'; low = %s; files = 10; stream = 1; }; "
		 "}," FAULT_NEIGHBOURS ");",
		 report, low);
	return text;
}

static void begin(struct fault_bench *b, const char *low, const char *report)
{
	fault_start(b, FAULT_MACHINE, with(low, report));
}

static void sim_f01_writer_hangs(void **state)
{
	(void)state;
	begin(&bench, "60", "kind = 'torn'; from = 20; until = 45;");
	fault_run(&bench, 20);
	fault_assert_service(&bench);
	/* The last numbers are held and age... */
	fault_run(&bench, 25);
	assert_int_equal(fault_vm(&bench, 0)->state, POISE_VM_STALE);
	assert_true(fault_errors(&bench, POISE_E_TORN) >= 4);
	/* ...until so many bad pages make it a static VM. */
	fault_run(&bench, 44);
	assert_int_equal(fault_vm(&bench, 0)->state, POISE_VM_QUARANTINED);
	assert_in_range(fault_vm(&bench, 0)->target_pages, MIB(120), MIB(128));
	assert_in_range(fault_errors(&bench, POISE_E_TORN), 20, 26);
	fault_run(&bench, 55);
	fault_assert_service(&bench);
	fault_stop(&bench);
}

static void sim_f11_counters_go_back(void **state)
{
	(void)state;
	begin(&bench, "60", "kind = 'rewind'; from = 20;");
	fault_run(&bench, 20);
	assert_true(fault_size(&bench, 0) < MIB(128));
	fault_run(&bench, 21);
	/* A restart: it is to have its boot size, as far as memory is there. */
	assert_int_equal(fault_errors(&bench, POISE_E_REPLAY), 1);
	assert_in_range(fault_vm(&bench, 0)->goal_pages, MIB(127), MIB(128));
	assert_true(bench.host.core.free_pages >= 0);
	fault_run(&bench, 26);
	fault_assert_service(&bench);
	assert_int_equal(fault_errors(&bench, POISE_E_REPLAY), 1);
	fault_stop(&bench);
}

static void sim_f12_sample_number_stands_still(void **state)
{
	(void)state;
	begin(&bench, "60", "kind = 'repeat'; from = 20; until = 40;");
	fault_run(&bench, 25);
	assert_int_equal(fault_vm(&bench, 0)->state, POISE_VM_STALE);
	fault_run(&bench, 39);
	assert_int_equal(fault_vm(&bench, 0)->state, POISE_VM_FROZEN);
	assert_in_range(fault_errors(&bench, POISE_E_STALE), 15, 60);
	fault_run(&bench, 43);
	fault_assert_service(&bench);
	fault_stop(&bench);
}

static void sim_f14_reboot_loop(void **state)
{
	(void)state;
	begin(&bench, "60", "kind = 'reboot'; from = 10;");
	begin(&other, "60", "kind = 'stale'; from = 10;");
	fault_run(&bench, 14);
	fault_forget(&bench);
	fault_run(&bench, 100);
	fault_run(&other, 100);
	/* It stays at its boot size, and the others are as if it said nothing. */
	assert_true(bench.least[0] >= MIB(127));
	assert_true(bench.most[0] <= MIB(128));
	assert_int_equal(fault_vm(&bench, 0)->state, POISE_VM_UNMANAGED);
	fault_assert_not_worse(&bench, &other, 1, 1000);
	fault_assert_not_worse(&bench, &other, 2, 1000);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f16_total_changes(void **state)
{
	(void)state;
	begin(&bench, "60", "kind = 'total'; from = 20; until = 45;");
	fault_run(&bench, 20);
	fault_assert_service(&bench);
	fault_run(&bench, 44);
	assert_in_range(fault_errors(&bench, POISE_E_TOTAL), 20, 26);
	/* Nothing that it says counts: first old numbers, then none. */
	assert_int_equal(fault_vm(&bench, 0)->state, POISE_VM_QUARANTINED);
	assert_int_equal(fault_vm(&bench, 0)->last.body.total_pages, MIB(320));
	fault_run(&bench, 55);
	fault_assert_service(&bench);
	fault_stop(&bench);
}

/* 72 MiB reserved each; of the other 168 a third each. */
#define ENTITLEMENT MIB(72 + 56)

static void sim_f19_greedy_liar(void **state)
{
	(void)state;
	begin(&bench, "30", "kind = 'over'; from = 5;");
	fault_start_as(&other, FAULT_MACHINE, with("30", "kind = 'over'; from = 5;"),
		       POISE_POLICY_STATIC);
	fault_run(&bench, 15);
	fault_forget(&bench);
	for (uint32_t s = 15; s < 100; s++) {
		fault_run(&bench, s + 1u);
		/* Whoever needs its entitlement, has seven eighths of it at once and the rest soon:
		 * in its high phases the second does. */
		if (s % 30u > 8u && s % 30u < 14u) {
			assert_true(fault_size(&bench, 1) >= ENTITLEMENT * 7 / 8 - MIB(2));
		}
	}
	fault_run(&other, 100);
	/* The honest get no less done than with their static shares. */
	fault_assert_not_worse(&bench, &other, 1, 500);
	fault_assert_not_worse(&bench, &other, 2, 500);
	/* What it has above its share is only what nobody else needs. */
	assert_true(bench.least[0] >= MIB(72));
	assert_true(bench.most[1] >= ENTITLEMENT);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f20_under_reporter(void **state)
{
	(void)state;
	begin(&bench, "90", "kind = 'under'; from = 10;");
	fault_run(&bench, 10);
	fault_forget(&bench);
	fault_run(&bench, 100);
	assert_true(bench.least[0] >= MIB(72));
	/* What it reads back from swap gives it away: it is not left at its reservation. */
	assert_true(bench.most[0] >= MIB(90));
	assert_true(fault_size(&bench, 0) >= MIB(76));
	assert_int_equal(bench.host.guest[0].mm.oom_kills, 0);
	fault_stop(&bench);
}

static void sim_f21_square_wave(void **state)
{
	(void)state;
	begin(&bench, "30", "kind = 'wave'; from = 10;");
	begin(&other, "30", "kind = 'honest';");
	fault_run(&bench, 25);
	fault_forget(&bench);
	fault_run(&bench, 100);
	fault_run(&other, 100);
	/* It swings between its reservation and what nobody else needs; the VM beside it, whose
	 * need is steady, does not swing with it. */
	assert_true(bench.least[0] >= MIB(72));
	assert_true(bench.most[2] - bench.least[2] < MIB(10));
	fault_assert_not_worse(&bench, &other, 1, 2000);
	fault_assert_not_worse(&bench, &other, 2, 500);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f22_colluding_liars(void **state)
{
	static const char liar[] =
		"{ name = \"liar\"; count = 3; boot = 96; min = 48; kernel = 16; max = 320;"
		" report = { kind = \"over\"; from = 5; };"
		" load = { kind = \"idle\"; low = 20; files = 8; }; }";
	static const char honest[] =
		"{ name = \"honest\"; boot = 96; min = 48; kernel = 16; max = 320; load = { kind = "
		"\"phases\"; low = 30; high = 110; period = 40; width = 20; files = 8; burst = 20; "
		"}; }";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "vms = ( %s, %s );", liar, honest);
	fault_start(&bench, FAULT_MACHINE, text);
	for (uint32_t s = 0; s < 100; s++) {
		fault_run(&bench, s + 1u);
		/* 384: 48 reserved for each, 48 more for each. It needs more than that now. */
		if (s >= 40u && s % 40u > 10u && s % 40u < 19u) {
			assert_true(fault_size(&bench, 3) >= MIB(96) * 7 / 8);
		}
	}
	assert_true(bench.least[3] >= MIB(48));
	fault_stop(&bench);
}

static void sim_f23_guest_clock(void **state)
{
	(void)state;
	begin(&bench, "60", "kind = 'clock'; from = 5;");
	begin(&other, "60", "kind = 'honest';");
	fault_run(&bench, 60);
	fault_run(&other, 60);
	/* The host goes by its own time only: all is as if the guest's clock were right. */
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(fault_vm(&bench, i)->epoch, fault_vm(&other, i)->epoch);
		assert_int_equal(fault_vm(&bench, i)->target_pages,
				 fault_vm(&other, i)->target_pages);
		fault_assert_not_worse(&bench, &other, i, 0);
		fault_assert_not_worse(&other, &bench, i, 0);
	}
	fault_assert_service(&bench);
	fault_stop(&bench);
	fault_stop(&other);
}

static void sim_f27_doorbell_storm(void **state)
{
	FILE *record = tmpfile();
	unsigned early = 0;
	char line[512];

	(void)state;
	assert_non_null(record);
	begin(&bench, "60", "kind = 'storm'; from = 10; until = 70;");
	begin(&other, "60", "kind = 'honest';");
	bench.host.record = record;
	fault_run(&bench, 100);
	fault_run(&other, 100);
	rewind(record);
	while (fgets(line, sizeof(line), record) != NULL) {
		early += strstr(line, " urgent vm=0 ") != NULL && strstr(line, " due=1") != NULL;
	}
	fclose(record);
	/* It rings a hundred times a second; in 60 s it gets at most a plan an interval. */
	assert_true(bench.host.guest[0].rings >= 5900u);
	assert_in_range(early, 1, 70);
	fault_assert_not_worse(&bench, &other, 1, 1000);
	fault_assert_not_worse(&bench, &other, 2, 1000);
	fault_assert_service(&bench);
	fault_stop(&bench);
	fault_stop(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim_f01_writer_hangs),
		cmocka_unit_test(sim_f11_counters_go_back),
		cmocka_unit_test(sim_f12_sample_number_stands_still),
		cmocka_unit_test(sim_f14_reboot_loop),
		cmocka_unit_test(sim_f16_total_changes),
		cmocka_unit_test(sim_f19_greedy_liar),
		cmocka_unit_test(sim_f20_under_reporter),
		cmocka_unit_test(sim_f21_square_wave),
		cmocka_unit_test(sim_f22_colluding_liars),
		cmocka_unit_test(sim_f23_guest_clock),
		cmocka_unit_test(sim_f27_doorbell_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
