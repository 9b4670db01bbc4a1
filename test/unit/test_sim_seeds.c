/* SPDX-License-Identifier: MIT */
/* Working sets from counters and from samples, and how memory is shared by them. */
#include <math.h>

#include "sim_bench.h"

#include "loop.h"
#include "policy/sampled.h"
#include "policy/share.h"

static void sizes_in_mib(struct bench *b, const uint64_t *mib)
{
	for (uint32_t i = 0; i < b->view.vm_count; i++) {
		assert_in_range(b->vm[i].target_pages, MIB(mib[i]) - 2, MIB(mib[i]) + 1);
	}
}

/* --- sharing --- */

static void share_checks(bool rank, const uint64_t *need_mib, const uint64_t *size_mib)
{
	struct bench b;
	double need[3];
	uint64_t size[3];

	bench_start(&b, 1000);
	for (uint32_t i = 0; i < 3; i++) {
		bench_vm(&b, 100, 800, 300)->weight = i == 0 ? 300 : 100;
		need[i] = (double)MIB(need_mib[i]);
	}
	if (rank) {
		sim_share_by_rank(&b.view, need, size);
	} else {
		sim_share_by_weight(&b.view, need, size);
	}
	for (uint32_t i = 0; i < 3; i++) {
		b.vm[i].target_pages = size[i];
	}
	sizes_in_mib(&b, size_mib);
}

static void share_by_weight_gives_needs_then_weights(void **state)
{
	(void)state;
	/* All fits, limits and reservations count, the rest stays. */
	share_checks(false, (uint64_t[]){200, 300, 50}, (uint64_t[]){200, 300, 100});
	share_checks(false, (uint64_t[]){900, 50, 50}, (uint64_t[]){800, 100, 100});
	/* 700 above reservations: 3 to 1 to 1. */
	share_checks(false, (uint64_t[]){800, 800, 800}, (uint64_t[]){520, 240, 240});
	/* The first needs 100 of its 420; the others share 600. */
	share_checks(false, (uint64_t[]){200, 800, 800}, (uint64_t[]){200, 400, 400});
}

static void share_by_rank_serves_the_important_first(void **state)
{
	(void)state;
	share_checks(true, (uint64_t[]){700, 500, 500}, (uint64_t[]){700, 150, 150});
	share_checks(true, (uint64_t[]){900, 500, 500}, (uint64_t[]){800, 100, 100});
	/* Equals share alike up to their needs: 650 for both, of which one needs 200. */
	share_checks(true, (uint64_t[]){150, 300, 800}, (uint64_t[]){150, 300, 550});
	/* 500 are needed: 500 more by 200 to 100 to 200. */
	share_checks(true, (uint64_t[]){200, 100, 200}, (uint64_t[]){400, 200, 400});
}

/* --- counters --- */

static struct sim_vm_view *counters_vm(struct bench *b, const char *name, uint64_t committed)
{
	struct sim_vm_view *vm = bench_vm(b, 100, 1000, 500);

	vm->name = name;
	vm->stats.active_anon_pages = MIB(460); /* 40 are the kernel's */
	vm->stats.committed_pages = MIB(committed);
	return vm;
}

static void counters_are_commit_and_sigma_of_the_total(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2000);
	counters_vm(&b, "tv", 300);
	counters_vm(&b, "pc", 300);
	bench_policy(&b, "counters", "sigma=0.1:sigma-pc=0.2:period=1");
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){440, 540});
	b.vm[1].stats.committed_pages = MIB(900); /* up to the limit */
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){440, 1000});
	bench_stop(&b);
	bench_refuses(&b, "counters", "sigma-web=0.2");
	bench_refuses(&b, "counters", "sigma=1.5");
	bench_refuses(&b, "counters", "period=x");
}

static void counters_are_corrected_by_what_comes_back(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 4000);
	counters_vm(&b, "tv", 300);
	bench_policy(&b, "counters", "sigma=0.1:period=1");
	bench_step(&b);
	b.vm[0].stats.swap_in_pages += MIB(60);
	b.vm[0].stats.refault_anon_pages += MIB(50); /* the same pages */
	b.vm[0].stats.refault_file_pages += MIB(20);
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){520});
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){510}); /* an eighth is forgotten */
	bench_stop(&b);
}

/* --- dirty, accessed --- */

#define FRAMES 4096u /* of 16 MiB: one page each */

static struct sim_host host;
static uint8_t flags[2][FRAMES];

/* Two VMs of 16 MiB with 10 each on a machine of 20. */
static void sampled_machine(struct bench *b)
{
	memset(&host, 0, sizeof(host));
	memset(flags, 0, sizeof(flags));
	bench_start(b, 20);
	for (uint32_t i = 0; i < 2; i++) {
		bench_vm(b, 2, 16, 10);
		host.guest[i].probe = flags[i];
		host.guest[i].mm.page_count = FRAMES;
	}
	b->view.host = &host;
}

static void touch(uint32_t vm, uint64_t mib, uint8_t flag)
{
	for (uint32_t i = 0; i < MIB(mib); i++) {
		flags[vm][(i * 1021u) % FRAMES] |= flag;
	}
}

static void accessed_sees_what_dirty_does_not(void **state)
{
	struct bench b;

	(void)state;
	sampled_machine(&b);
	touch(0, 6, SIM_ACCESSED);
	touch(1, 2, SIM_ACCESSED | SIM_DIRTY);
	bench_policy(&b, "accessed", "sample=0:period=1:headroom=0");
	bench_step(&b);
	/* 8 of 20: the rest goes 3 to 1. */
	sizes_in_mib(&b, (uint64_t[]){15, 5});
	bench_stop(&b);
	sampled_machine(&b);
	touch(0, 6, SIM_ACCESSED);
	touch(1, 2, SIM_ACCESSED | SIM_DIRTY);
	bench_policy(&b, "dirty", "sample=0:period=1:headroom=0");
	bench_step(&b);
	/* The reader is thought to be idle: the other gets all that it may have. */
	sizes_in_mib(&b, (uint64_t[]){2, 16});
	bench_stop(&b);
	bench_refuses(&b, "dirty", "sample=-1");
	bench_refuses(&b, "accessed", "rate=3");
}

static void the_important_vm_has_its_working_set_first(void **state)
{
	struct bench b;

	(void)state;
	sampled_machine(&b);
	touch(0, 14, SIM_ACCESSED);
	touch(1, 14, SIM_ACCESSED);
	b.vm[1].weight = 200;
	bench_policy(&b, "accessed", "sample=0:period=2:headroom=0");
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){10, 10}); /* the interval is not over */
	bench_step(&b);
	sizes_in_mib(&b, (uint64_t[]){6, 14});
	bench_stop(&b);
}

/* Of 100 random frames the share that is touched is off by 3 standard deviations at the most. */
static void samples_cost_little_and_err_little(void **state)
{
	static const uint32_t samples[] = {100, 400, 1600, 0};
	struct bench b;

	(void)state;
	for (size_t k = 0; k < sizeof(samples) / sizeof(samples[0]); k++) {
		const double frames = samples[k] == 0 ? FRAMES : samples[k];
		double sum = 0.0;
		struct sampler s;

		sampled_machine(&b);
		assert_true(sampler_start(&s, &b.view, SIM_ACCESSED, samples[k]));
		host.probes = 0;
		for (uint32_t i = 0; i < 20; i++) {
			double error;

			touch(0, 8, SIM_ACCESSED);
			error = sampler_read(&s, &b.view, 0) - (double)MIB(8);
			sum += error / 20.0;
			assert_true(fabs(error) <=
				    (samples[k] == 0 ? 0.0 : 4.0 * FRAMES * 0.5 / sqrt(frames)));
		}
		assert_true(fabs(sum) <= 1.2 * FRAMES * 0.5 / sqrt(frames));
		/* Reading and drawing are two looks each; all at once is one. */
		assert_int_equal(host.probes, 20u * (samples[k] == 0 ? FRAMES : 2u * samples[k]));
		sampler_stop(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_by_weight_gives_needs_then_weights),
		cmocka_unit_test(share_by_rank_serves_the_important_first),
		cmocka_unit_test(counters_are_commit_and_sigma_of_the_total),
		cmocka_unit_test(counters_are_corrected_by_what_comes_back),
		cmocka_unit_test(accessed_sees_what_dirty_does_not),
		cmocka_unit_test(the_important_vm_has_its_working_set_first),
		cmocka_unit_test(samples_cost_little_and_err_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
