/* SPDX-License-Identifier: MIT */
/* The board guest's workload: a replay of a synthetic trace that verifies every page. */
#include "guest_support.h"
#include "../../board/guest/workload.h"

#define ROWS 60u

static struct {
	struct trace_head head;
	struct trace_row rows[ROWS];
} trace;

static void make_trace(uint32_t peak, uint32_t kind)
{
	trace.head = (struct trace_head){
		.magic = TRACE_MAGIC,
		.version = TRACE_VERSION,
		.rows = ROWS,
		.interval_ms = 250,
		.kind = kind,
		.hot_file = 200,
	};
	for (uint32_t i = 0; i < ROWS; i++) {
		/* Up, flat, down, up again; a film is read all the time and its start forgotten. */
		trace.rows[i].anon = peak *
				     (i < 20u   ? i
				      : i < 40u ? 20u
				      : i < 50u ? 5u
						: 18u) /
				     20u;
		trace.rows[i].file = i * 50u - (i > 30u ? 300u : 0);
		trace.rows[i].cpu_ms = 100;
		trace.rows[i].faults = 150;
	}
}

static struct workload_config workload_config_of(uint32_t scale)
{
	return (struct workload_config){
		.blob = &trace,
		.blob_bytes = sizeof(trace),
		.boot_id = 99,
		.scale = scale,
		.seed = 1,
		.touch = 4000,
		.touch_file = 2000,
		.hot_percent = 30,
		.file_blocks = 100000,
	};
}

static void play(uint32_t ram, uint32_t swap, uint32_t scale, struct workload *w)
{
	const struct workload_config work = workload_config_of(scale);
	struct mm_config config = config_of(ram, 0, 0, swap);
	uint8_t *generation;

	assert_true(workload_open(w, &work, &config.anon_limit, &config.file_limit));
	generation = calloc(config.anon_limit, 1);
	guest_fake_start(&mm, &config, RESERVED);
	workload_start(w, &mm, generation);
	while (workload_slice(w)) {
		const uint32_t live = w->row == 0 ? 0 : trace.rows[w->row - 1u].anon / scale;

		assert_sane();
		if (w->slice != 0) {
			continue;
		}
		if (mm.oom_kills == 0) {
			assert_int_equal(mm.lru_pages[LRU_ACTIVE_ANON] +
						 mm.lru_pages[LRU_INACTIVE_ANON] + mm.swap_used,
					 live);
			assert_int_equal(mm.committed, live);
		}
	}
	assert_int_equal(w->row, ROWS);
	free(generation);
}

static void test_workload_holds_what_the_trace_says(void **state)
{
	struct workload w;

	(void)state;
	make_trace(1200, TRACE_HOT);
	play(8192, 4096, 1, &w);
	assert_int_equal(mm.swap_out, 0);
	/* The footprint fell once, by 250 pages; the rest of what was ever read is here. */
	assert_int_equal(mm.lru_pages[LRU_INACTIVE_FILE] + mm.lru_pages[LRU_ACTIVE_FILE],
			 mm.file_reads - 250u);
}

static void test_workload_survives_too_little_memory(void **state)
{
	struct workload w;
	uint64_t hot_out;

	make_trace(1600, TRACE_HOT);
	play(1024, 4096, 1, &w);
	assert_true(mm.swap_out > 0 && mm.swap_in > 0 && mm.refault_file > 0);
	hot_out = mm.swap_in;
	teardown(state);
	/* The same set passed over cyclically: next to nothing that is evicted stays unused. */
	make_trace(1600, TRACE_SWEEP);
	play(1024, 4096, 1, &w);
	assert_true(mm.swap_in > 2u * hot_out);
}

static void test_workload_goes_on_after_a_kill(void **state)
{
	struct workload w;

	(void)state;
	make_trace(3000, TRACE_HOT);
	play(1024, 64, 1, &w);
	assert_true(mm.oom_kills > 0);
}

static void test_workload_of_a_quarter_has_a_quarter_of_the_pages(void **state)
{
	struct workload w;

	(void)state;
	make_trace(4000, TRACE_HOT);
	play(2048, 4096, 4, &w);
	assert_int_equal(mm.swap_out, 0);
	assert_int_equal(w.live, trace.rows[ROWS - 1u].anon / 4u);
}

static void test_workload_refuses_broken_blobs(void **state)
{
	struct workload_config config = workload_config_of(1);
	struct workload w;
	uint32_t anon = 1;
	uint32_t file = 1;

	(void)state;
	start(1, 1, 1);
	make_trace(100, TRACE_HOT);
	config.blob_bytes = sizeof(struct trace_head) - 1u;
	assert_false(workload_open(&w, &config, &anon, &file));
	assert_int_equal(anon + file, 0);
	config.blob_bytes = sizeof(trace) - 1u;
	assert_false(workload_open(&w, &config, &anon, &file));
	config.blob_bytes = sizeof(trace);
	config.scale = 0;
	assert_false(workload_open(&w, &config, &anon, &file));
	config.scale = 1;
	trace.head.version++;
	assert_false(workload_open(&w, &config, &anon, &file));
	trace.head.version--;
	trace.head.magic ^= 1u;
	assert_false(workload_open(&w, &config, &anon, &file));
	trace.head.magic ^= 1u;
	assert_true(workload_open(&w, &config, &anon, &file));
	config.blob = NULL;
	assert_false(workload_open(&w, &config, &anon, &file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_workload_holds_what_the_trace_says),
		TEST(test_workload_survives_too_little_memory),
		TEST(test_workload_goes_on_after_a_kill),
		TEST(test_workload_of_a_quarter_has_a_quarter_of_the_pages),
		TEST(test_workload_refuses_broken_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
