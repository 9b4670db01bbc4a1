/* SPDX-License-Identifier: MIT */
/*
 * Fail at every call of the port, in the simulator: the first seconds of each scenario of
 * test/scenario, with recorded workloads in the simulator's guests, once for every call and every
 * way in which it can go wrong, all checks of sim_fault.h after each step. Then CALM_S without a
 * fault, and the run must be back in service, with not much more swapped out than without.
 */
#include <dirent.h>

#include "../unit/sim_fault.h"

#define FAULTY_S 10u
#define PAIR_S   6u
#define CALM_S   12u
/* Of the machine's memory: what a lost request may cost until it is made again. */
#define SLACK_PART 6u
/* Frames so coarse that a run takes a millisecond. */
#define GRANULE 64u

static struct fault_bench run;
static uint64_t played, injected;
static const char *const way_names[] = {"error", "short", "late", "twice", "never"};

struct reference {
	uint64_t calls, swap_out;
};

static uint64_t swapped(const struct fault_bench *b)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < b->s->vm_count; i++) {
		sum += b->host.guest[i].mm.swap_out * b->host.guest[i].granule;
	}
	return sum;
}

/* Plays the scenario with its faults. Returns how many calls there were in its faulty part. */
static uint64_t play(struct sim_scenario *s, uint32_t faulty_s, uint32_t calm_s)
{
	uint64_t calls;

	fault_begin(&run, s, POISE_POLICY_POISE);
	fault_run(&run, faulty_s);
	calls = run.host.calls;
	fault_run(&run, faulty_s + calm_s);
	fault_assert_service(&run);
	played++;
	injected += run.host.faults;
	return calls;
}

static void play_against(struct sim_scenario *s, const struct reference *r, uint32_t faulty_s,
			 uint32_t calm_s)
{
	uint64_t most = r->swap_out + s->total_pages / SLACK_PART;

	play(s, faulty_s, calm_s);
	if (swapped(&run) > most) {
		for (uint32_t i = 0; i < s->fault_count; i++) {
			print_error("call %llu: %s\n", (unsigned long long)s->fault[i].number,
				    way_names[s->fault[i].way]);
		}
		fail_msg("%s: %llu pages swapped out, without the fault %llu", s->name,
			 (unsigned long long)swapped(&run), (unsigned long long)r->swap_out);
	}
	fault_end(&run);
}

static struct reference reference(struct sim_scenario *s, uint32_t faulty_s, uint32_t calm_s)
{
	struct reference r;

	s->fault_count = 0;
	r.calls = play(s, faulty_s, calm_s);
	r.swap_out = swapped(&run);
	fault_end(&run);
	return r;
}

/* Call `number` goes wrong in that way. */
static struct sim_fault fault(uint64_t number, enum sim_way way)
{
	return (struct sim_fault){
		.way = way, .number = number, .until_ms = UINT64_MAX, .vm = SIM_VM_ANY};
}

static void singles(struct sim_scenario *s)
{
	const struct reference r = reference(s, FAULTY_S, CALM_S);

	for (uint64_t k = 1; k <= r.calls; k++) {
		s->fault_count = 1;
		for (enum sim_way way = SIM_WAY_ERROR; way < SIM_WAY_COUNT; way++) {
			s->fault[0] = fault(k, way);
			play_against(s, &r, FAULTY_S, CALM_S);
			assert_int_equal(run.host.faults, 1);
			/* Only resizes have more than one way. */
			if (run.host.hit != SIM_CALL_RESIZE) {
				break;
			}
		}
	}
}

static int is_scenario(const struct dirent *entry)
{
	return strstr(entry->d_name, ".cfg") != NULL;
}

static void sim_f49_every_call_every_way_in_recorded_scenarios(void **state)
{
	struct dirent **entry;
	const int found = scandir("test/scenario", &entry, is_scenario, alphasort);

	(void)state;
	assert_true(found >= 12);
	played = injected = 0;
	for (int i = 0; i < found; i++) {
		char path[512];
		char error[SIM_ERROR_MAX];
		struct sim_scenario *s;

		snprintf(path, sizeof(path), "test/scenario/%s", entry[i]->d_name);
		free(entry[i]);
		s = sim_scenario_read(path, error);
		if (s == NULL) {
			fail_msg("%s", error);
		}
		sim_scenario_coarsen(s, GRANULE);
		/* Those whose guests misbehave on purpose are not back in service at the end. */
		if (strcmp(s->name, "stuck") != 0 && strcmp(s->name, "sixteen") != 0) {
			singles(s);
		}
		sim_scenario_free(s);
	}
	free(entry);
	print_message("# every call: %llu runs, %llu faults\n", (unsigned long long)played,
		      (unsigned long long)injected);
	assert_true(injected >= 2000);
}

/* The first fault stands: every second one after it. */
static void with_second(struct sim_scenario *s, const struct reference *r, uint64_t first)
{
	s->fault_count = 2;
	/* The second may hit a call that only the first has brought about. */
	for (uint64_t l = first + 1; l <= r->calls + 4u; l++) {
		for (enum sim_way way = SIM_WAY_ERROR; way < SIM_WAY_COUNT; way++) {
			s->fault[1] = fault(l, way);
			play_against(s, r, PAIR_S, CALM_S);
			if (run.host.hit != SIM_CALL_RESIZE || run.host.faults != 2) {
				break;
			}
		}
	}
}

static void sim_f49_every_pair_in_a_small_scenario(void **state)
{
	struct sim_scenario *s = fault_scenario(
		"name = 'pair'; total = 96; seconds = 60; granule = 16;",
		"vms = ( { name = 'a'; boot = 48; min = 20; kernel = 6; max = 80;"
		" load = { kind = 'idle'; low = 10; files = 2; }; },"
		" { name = 'b'; boot = 48; min = 20; kernel = 6; max = 80; load = { kind = "
		"'sawtooth'; low = 20; high = 60; period = 6; width = 6; files = 2; burst = 20; }; "
		"} );");
	const struct reference r = reference(s, PAIR_S, CALM_S);
	bool has_ways;

	(void)state;
	played = injected = 0;
	for (uint64_t k = 1; k <= r.calls; k++) {
		for (enum sim_way way = SIM_WAY_ERROR; way < SIM_WAY_COUNT; way++) {
			s->fault_count = 1;
			s->fault[0] = fault(k, way);
			play_against(s, &r, PAIR_S, CALM_S);
			has_ways = run.host.hit == SIM_CALL_RESIZE;
			with_second(s, &r, k);
			if (!has_ways) {
				break;
			}
		}
	}
	print_message("# every pair: %llu runs, %llu faults\n", (unsigned long long)played,
		      (unsigned long long)injected);
	assert_true(injected >= 2000);
	sim_scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim_f49_every_call_every_way_in_recorded_scenarios),
		cmocka_unit_test(sim_f49_every_pair_in_a_small_scenario),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
