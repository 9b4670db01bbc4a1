/* SPDX-License-Identifier: MIT */
/* Loads of a scenario file, of every kind; a sum is made of loads of the other kinds. */
#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "scenario_read.h"
#include "synth.h"
#include "trace.h"

#define PAGES_PER_MIB 256.0
#define PATH_SIZE     1024
/* Most programs in one VM. */
#define PARTS_MAX 16

#define LOAD_SETTINGS                                                                              \
	"kind,file,low,high,files,stream,period,width,delay,burst,cpu,touch,touch_file,touch_new," \
	"hot,cold,code,vm,unit,of"
#define LOAD_KINDS "stream,sweep,phases,spike,sawtooth,idle,trace,pages,sum"

enum { LOAD_TRACE = SIM_SYNTH_KINDS, LOAD_PAGES, LOAD_SUM };

/* A path inside a scenario is relative to the scenario's own folder. */
static void resolve(const struct setting_reader *r, const char *name, char *path, size_t size)
{
	const char *slash = strrchr(r->path, '/');
	const int folder = slash == NULL || name[0] == '/' ? 0 : (int)(slash - r->path + 1);

	snprintf(path, size, "%.*s%s", folder, r->path, name);
}

static void read_synth(struct setting_reader *r, config_setting_t *g, unsigned kind,
		       struct sim_load *load)
{
	struct sim_synth s = {
		.kind = (enum sim_synth_kind)kind,
		.low = (uint32_t)setting_mib(r, g, "low", 1, NAN),
		.file = (uint32_t)setting_mib(r, g, "files", 0, 30),
		.stream = (uint32_t)setting_mib(r, g, "stream", 0,
						kind == SIM_SYNTH_STREAM ? 4.5 : 0),
		.period_ms = setting_ms(r, g, "period", 1, 60),
		.width_ms = setting_ms(r, g, "width", 0.25, 10),
		.delay_ms = setting_ms(r, g, "delay", 0, 0),
		.burst = (uint32_t)setting_mib(r, g, "burst", 1, 200),
	};

	s.cpu_permille = (uint32_t)(setting_number(r, g, "cpu", 0, 1, 0.5) * 1000.0);
	s.high = (uint32_t)setting_mib(r, g, "high", 1, s.low / PAGES_PER_MIB);
	if (!r->failed && s.high < s.low) {
		setting_error(r, g, "high is less than low");
	}
	if (!r->failed && s.width_ms > s.period_ms) {
		setting_error(r, g, "width is more than period");
	}
	if (!r->failed && !sim_synth_load(&s, load)) {
		setting_error(r, g, "no memory for the load");
	}
}

static void read_trace(struct setting_reader *r, config_setting_t *g, const char *path,
		       struct sim_load *load)
{
	struct sim_trace trace;

	/* The mistake is in the trace, so its own line is what helps. */
	if (!sim_trace_read(&trace, path, r->error)) {
		r->failed = true;
		return;
	}
	if (!sim_trace_load(&trace, load)) {
		setting_error(r, g, "no memory for the load");
	}
	sim_trace_free(&trace);
}

static void read_pages(struct setting_reader *r, config_setting_t *g, const char *path,
		       struct sim_load *load)
{
	const uint32_t vm = (uint32_t)setting_number(r, g, "vm", 0, SIM_PAGES_VM_MAX, 0);
	const uint32_t unit = (uint32_t)setting_mib(r, g, "unit", 1.0 / PAGES_PER_MIB, 1);
	struct sim_pages pages;

	if (!sim_pages_read(&pages, path, r->error)) {
		r->failed = true;
		return;
	}
	if (vm >= pages.vms || pages.vm[vm].count == 0) {
		setting_error(r, g, "the list has no accesses of that VM");
	} else if ((uint64_t)pages.vm[vm].pages * unit > UINT32_MAX / 2u) {
		setting_error(r, g, "unit is too large for the list's page numbers");
	} else {
		load->pattern = SIM_PATTERN_LIST;
		load->unit = unit;
		load->list = pages.vm[vm].access;
		load->list_count = pages.vm[vm].count;
		pages.vm[vm].access = NULL;
		load->row = calloc(1, sizeof(*load->row));
		load->rows = load->row != NULL;
		if (load->row != NULL) {
			load->row[0] = (struct sim_row){
				.ms = 1000,
				.cpu_ms = 1000,
				.anon = pages.vm[vm].pages * unit,
			};
		}
	}
	sim_pages_free(&pages);
}

/* Reads what is in the group itself, by its kind; not a sum. */
static void read_plain(struct setting_reader *r, config_setting_t *g, unsigned kind,
		       struct sim_load *load)
{
	char name[PATH_SIZE];
	char path[2 * PATH_SIZE];

	if (kind < SIM_SYNTH_KINDS) {
		read_synth(r, g, kind, load);
		return;
	}
	setting_text(r, g, "file", name, sizeof(name), NULL);
	resolve(r, name, path, sizeof(path));
	if (r->failed) {
		return;
	}
	if (kind == LOAD_TRACE) {
		read_trace(r, g, path, load);
	} else {
		read_pages(r, g, path, load);
	}
}

/* Reads one program of a sum. */
static void read_part(struct setting_reader *r, config_setting_t *g, struct sim_load_part *part)
{
	unsigned kind;

	if (!config_setting_is_group(g)) {
		setting_error(r, g, "a load has to be a group, { ... }");
		return;
	}
	kind = setting_choice(r, g, "kind", LOAD_KINDS, 0);
	if (config_setting_get_member(g, "kind") == NULL) {
		setting_error(r, g, "kind is missing");
	} else if (kind == LOAD_SUM || kind == LOAD_PAGES || kind == SIM_SYNTH_SWEEP) {
		setting_error(r, g, "a sum is of traces and synthetic loads that do not sweep");
	}
	setting_known(r, g, "kind,file,low,high,files,stream,period,width,delay,burst,cpu", "");
	/* A synthetic load grows first and waits then; a trace has no delay of its own. */
	part->delay_ms = kind == LOAD_TRACE ? setting_ms(r, g, "delay", 0, 0) : 0;
	if (!r->failed) {
		sim_load_defaults(&part->load);
		read_plain(r, g, kind, &part->load);
	}
	if (!r->failed && part->load.pattern != SIM_PATTERN_HOT) {
		setting_error(r, g, "a sum is of traces and synthetic loads that do not sweep");
	}
}

static void read_sum(struct setting_reader *r, config_setting_t *g, struct sim_load *load)
{
	config_setting_t *of = config_setting_get_member(g, "of");
	struct sim_load_part part[PARTS_MAX] = {0};
	int count;

	if (of == NULL || !config_setting_is_list(of) || config_setting_length(of) < 1 ||
	    config_setting_length(of) > PARTS_MAX) {
		setting_error(r, of != NULL ? of : g,
			      "of has to be a list of 1..16 loads, ( {...}, {...} )");
		return;
	}
	count = config_setting_length(of);
	for (int i = 0; i < count && !r->failed; i++) {
		read_part(r, config_setting_get_elem(of, (unsigned int)i), &part[i]);
	}
	if (!r->failed && !sim_load_sum(part, (uint32_t)count, load)) {
		setting_error(r, of, "the loads are too long or too large to be added");
	}
	for (int i = 0; i < count; i++) {
		sim_load_free(&part[i].load);
	}
}

void sim_scenario_read_load(struct setting_reader *r, config_setting_t *owner,
			    struct sim_load *load)
{
	config_setting_t *g = setting_group(r, owner, "load", LOAD_SETTINGS);
	unsigned kind;

	if (g == NULL) {
		setting_error(r, owner, "load is missing");
		return;
	}
	sim_load_defaults(load);
	kind = setting_choice(r, g, "kind", LOAD_KINDS, 0);
	if (config_setting_get_member(g, "kind") == NULL) {
		setting_error(r, g, "kind is missing");
	}
	if (kind != LOAD_SUM && config_setting_get_member(g, "of") != NULL) {
		setting_error(r, config_setting_get_member(g, "of"), "only a sum has `of`");
	}
	if (r->failed) {
		return;
	}
	if (kind == LOAD_SUM) {
		read_sum(r, g, load);
	} else {
		read_plain(r, g, kind, load);
	}
	load->touch = (uint32_t)setting_number(r, g, "touch", 0, 1e7, load->touch);
	load->touch_file = (uint32_t)setting_number(r, g, "touch_file", 0, 1e7, load->touch_file);
	load->touch_new =
		(uint32_t)(setting_number(r, g, "touch_new", 0, 1000, load->touch_new / 1e3) * 1e3);
	load->code_permille =
		(uint32_t)(setting_number(r, g, "code", 0, 1, load->code_permille / 1e3) * 1e3);
	load->hot_permille =
		(uint32_t)(setting_number(r, g, "hot", 0, 1, load->hot_permille / 1e3) * 1e3);
	load->cold_permille =
		(uint32_t)(setting_number(r, g, "cold", 0, 1, load->cold_permille / 1e3) * 1e3);
}
