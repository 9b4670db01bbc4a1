/* SPDX-License-Identifier: MIT */
/* One recorded pair through the guest model. */
#include "validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/*
 * The recordings' device: zram with lzo, which costs processor time and no waiting, and an SSD for
 * the files. Per page some 10 us to decompress, 12 us to compress.
 */
#define LATENCY_US      10u
#define READ_MIB_S      2000u
#define WRITE_MIB_S     330u
#define READAHEAD_PAGES 32u
#define SWAP_PAGES      1572864u
/* Small enough that a frame's rounding is not what is measured. */
#define GRANULE 4u

static uint64_t whole(uint64_t pages)
{
	return pages - pages % GRANULE;
}

static void set_up_vm(struct sim_vm_config *vm, const struct sim_trace *demand,
		      const struct sim_trace *limited, const struct sim_fit *fit)
{
	uint32_t lists = 0;

	for (uint32_t i = 0; i < demand->rows; i++) {
		const uint32_t in_ram =
			sim_trace_used(&demand->row[i]) - demand->row[i].value[TRACE_SWAP_USED];

		lists = in_ram > lists ? in_ram : lists;
	}
	snprintf(vm->name, sizeof(vm->name), "vm");
	vm->min_pages = vm->boot_pages = vm->max_pages = whole(limited->limit_pages);
	vm->swap_pages = SWAP_PAGES;
	/* What was charged beside the lists: slab, page tables, stacks. */
	vm->kernel_pages =
		whole(demand->max_usage_pages > lists ? demand->max_usage_pages - lists : 0);
	vm->weight = 100;
	vm->swappiness = 60;
	vm->rate_pages_s = 1;
	if (fit->touch >= 0.0 && vm->load.pattern != SIM_PATTERN_SWEEP) {
		vm->load.touch = (uint32_t)fit->touch;
	}
	if (fit->touch_file >= 0.0) {
		vm->load.touch_file = (uint32_t)fit->touch_file;
	}
	if (fit->touch_new >= 0.0) {
		vm->load.touch_new = (uint32_t)(fit->touch_new * 1000.0);
	}
	if (fit->hot >= 0.0) {
		vm->load.hot_permille = (uint32_t)(fit->hot * 1000.0);
	}
	if (fit->cold >= 0.0) {
		vm->load.cold_permille = (uint32_t)(fit->cold * 1000.0);
	}
}

static struct sim_totals measured(const struct sim_trace *t)
{
	const uint32_t *last = t->row[t->rows - 1u].value;

	return (struct sim_totals){
		.swap_out = last[TRACE_SWAP_OUT],
		.swap_in = last[TRACE_SWAP_IN],
		.refault_file = last[TRACE_REFAULT_FILE],
	};
}

bool sim_validate(const struct sim_trace *demand, const struct sim_trace *limited,
		  const struct sim_fit *fit, struct sim_validation *v, char error[SIM_ERROR_MAX])
{
	const struct sim_run_options options = {.seed = 1};
	struct sim_scenario *s = calloc(1, sizeof(*s));
	struct sim_result *result = malloc(sizeof(*result));
	bool ok = s != NULL && result != NULL;

	snprintf(error, SIM_ERROR_MAX, "no memory");
	if (ok) {
		*s = (struct sim_scenario){
			.name = "validation",
			.total_pages = whole(limited->limit_pages),
			.end_ms = limited->row[limited->rows - 1u].value[TRACE_T_MS],
			.granule = GRANULE,
			.step_ms = 10,
			.interval_ms = 1000,
			.latency_us = LATENCY_US,
			.read_mib_s = READ_MIB_S,
			.write_mib_s = WRITE_MIB_S,
			.readahead_pages = READAHEAD_PAGES,
			.vm_count = 1,
		};
		sim_load_defaults(&s->vm[0].load);
		ok = sim_trace_load(demand, &s->vm[0].load);
	}
	if (ok) {
		set_up_vm(&s->vm[0], demand, limited, fit);
		ok = sim_run(s, "static", &options, result, error);
	}
	if (ok) {
		v->measured = measured(limited);
		v->simulated = (struct sim_totals){
			.swap_out = result->swap_out,
			.swap_in = result->swap_in,
			.refault_file = result->vm[0].refault_file,
		};
		v->work = result->work;
	}
	if (s != NULL) {
		sim_scenario_free(s);
	}
	free(result);
	return ok;
}
