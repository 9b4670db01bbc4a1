/* SPDX-License-Identifier: MIT */
/* One VM of a scenario file: its sizes, its balloon, its page, its load. */
#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "setting.h"
#include "synth.h"
#include "trace.h"

#define PAGES_PER_MIB 256.0
#define MIB_MAX       65536.0
#define PATH_SIZE     1024

#define VM_SETTINGS                                                                         \
	"name,count,boot,min,max,weight,swap,kernel,swappiness,anon_active,deflate_on_oom," \
	"loop,start,stagger,balloon,report,load"
#define BALLOON_SETTINGS "kind,mib_s,lower,upper,floor"
#define BALLOON_KINDS    "ideal,stuck,flaky,crawl"
#define REPORT_SETTINGS  "kind,from"
#define REPORT_KINDS     "honest,over,under,stale"
#define LOAD_SETTINGS                                                                        \
	"kind,file,low,high,files,stream,period,width,delay,burst,cpu,touch,touch_file,hot," \
	"cold,vm,unit"
#define LOAD_KINDS "stream,sweep,phases,spike,sawtooth,idle,trace,pages"

enum { LOAD_TRACE = SIM_SYNTH_KINDS, LOAD_PAGES };

static uint64_t mib(struct setting_reader *r, config_setting_t *group, const char *name,
		    double least, double fallback)
{
	return (uint64_t)(setting_number(r, group, name, least, MIB_MAX, fallback) * PAGES_PER_MIB);
}

static uint32_t ms(struct setting_reader *r, config_setting_t *group, const char *name,
		   double least, double fallback)
{
	return (uint32_t)(setting_number(r, group, name, least, 1e4, fallback) * 1000.0);
}

/* A path inside a scenario is relative to the scenario's own folder. */
static void resolve(const struct setting_reader *r, const char *name, char *path, size_t size)
{
	const char *slash = strrchr(r->path, '/');
	const int folder = slash == NULL || name[0] == '/' ? 0 : (int)(slash - r->path + 1);

	snprintf(path, size, "%.*s%s", folder, r->path, name);
}

static void read_synth(struct setting_reader *r, config_setting_t *g, int kind,
		       struct sim_load *load)
{
	struct sim_synth s = {
		.kind = (enum sim_synth_kind)kind,
		.low = (uint32_t)mib(r, g, "low", 1, NAN),
		.file = (uint32_t)mib(r, g, "files", 0, 30),
		.stream = (uint32_t)mib(r, g, "stream", 0, kind == SIM_SYNTH_STREAM ? 4.5 : 0),
		.period_ms = ms(r, g, "period", 1, 60),
		.width_ms = ms(r, g, "width", 0.25, 10),
		.delay_ms = ms(r, g, "delay", 0, 0),
		.burst = (uint32_t)mib(r, g, "burst", 1, 200),
	};

	s.cpu_permille = (uint32_t)(setting_number(r, g, "cpu", 0, 1, 0.5) * 1000.0);
	s.high = (uint32_t)mib(r, g, "high", 1, s.low / PAGES_PER_MIB);
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
	const uint32_t unit = (uint32_t)mib(r, g, "unit", 1.0 / PAGES_PER_MIB, 1);
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

static void read_load(struct setting_reader *r, config_setting_t *vm, struct sim_load *load)
{
	config_setting_t *g = setting_group(r, vm, "load", LOAD_SETTINGS);
	char name[PATH_SIZE];
	char path[2 * PATH_SIZE];
	int kind;

	if (g == NULL) {
		setting_error(r, vm, "load is missing");
		return;
	}
	sim_load_defaults(load);
	kind = setting_choice(r, g, "kind", LOAD_KINDS);
	if (config_setting_get_member(g, "kind") == NULL) {
		setting_error(r, g, "kind is missing");
	}
	if (kind >= SIM_SYNTH_KINDS) {
		setting_text(r, g, "file", name, sizeof(name), NULL);
		resolve(r, name, path, sizeof(path));
	}
	if (r->failed) {
		return;
	}
	if (kind == LOAD_TRACE) {
		read_trace(r, g, path, load);
	} else if (kind == LOAD_PAGES) {
		read_pages(r, g, path, load);
	} else {
		read_synth(r, g, kind, load);
	}
	load->touch = (uint32_t)setting_number(r, g, "touch", 0, 1e7, load->touch);
	load->touch_file = (uint32_t)setting_number(r, g, "touch_file", 0, 1e7, load->touch_file);
	load->hot_permille =
		(uint32_t)(setting_number(r, g, "hot", 0, 1, load->hot_permille / 1e3) * 1e3);
	load->cold_permille =
		(uint32_t)(setting_number(r, g, "cold", 0, 1, load->cold_permille / 1e3) * 1e3);
}

static void read_sizes(struct setting_reader *r, config_setting_t *vm, const struct sim_scenario *s,
		       struct sim_vm_config *c)
{
	const double total = (double)s->total_pages / PAGES_PER_MIB;

	c->boot_pages = mib(r, vm, "boot", 4, NAN);
	c->min_pages = mib(r, vm, "min", 1, (double)c->boot_pages / PAGES_PER_MIB / 2.0);
	c->max_pages = mib(r, vm, "max", 4, total);
	c->swap_pages = mib(r, vm, "swap", 0, 1024);
	c->kernel_pages = mib(r, vm, "kernel", 0, 40);
	c->weight = (uint32_t)setting_number(r, vm, "weight", 1, 65535, 100);
	c->swappiness = (uint32_t)setting_number(r, vm, "swappiness", 0, 200, 60);
	if (r->failed) {
		return;
	}
	if (c->min_pages > c->boot_pages || c->boot_pages > c->max_pages) {
		setting_error(r, vm, "sizes have to be min <= boot <= max");
	} else if (c->max_pages > s->total_pages) {
		setting_error(r, vm, "max is more than total");
	} else if (c->max_pages > UINT32_C(1) << 22) {
		setting_error(r, vm, "max is more than 16 GiB");
	} else if (c->kernel_pages + 512u > c->min_pages) {
		setting_error(r, vm, "min leaves no memory beside the kernel's");
	}
}

static void read_manners(struct setting_reader *r, config_setting_t *vm, struct sim_vm_config *c)
{
	config_setting_t *balloon = setting_group(r, vm, "balloon", BALLOON_SETTINGS);
	config_setting_t *report = setting_group(r, vm, "report", REPORT_SETTINGS);

	c->balloon = (enum sim_balloon)setting_choice(r, balloon, "kind", BALLOON_KINDS);
	c->rate_pages_s = mib(r, balloon, "mib_s", 0.01, 800);
	c->lower_pages = mib(r, balloon, "lower", 1, 0);
	c->upper_pages = mib(r, balloon, "upper", 1, 0);
	c->floor_pages = mib(r, balloon, "floor", 1, 0);
	c->report = (enum sim_report)setting_choice(r, report, "kind", REPORT_KINDS);
	c->report_from_ms = ms(r, report, "from", 0, 0);
	c->anon_active = setting_flag(r, vm, "anon_active", false);
	c->deflate_on_oom = setting_flag(r, vm, "deflate_on_oom", false);
	c->loop = setting_flag(r, vm, "loop", true);
	c->start_ms = ms(r, vm, "start", 0, 0);
}

void sim_scenario_read_vm(struct setting_reader *r, config_setting_t *vm, struct sim_scenario *s)
{
	uint32_t count;
	uint32_t stagger_ms;
	char name[SIM_NAME_MAX - 16];

	if (!config_setting_is_group(vm)) {
		setting_error(r, vm, "a VM has to be a group, { ... }");
		return;
	}
	setting_known(r, vm, VM_SETTINGS);
	setting_text(r, vm, "name", name, sizeof(name), NULL);
	count = (uint32_t)setting_number(r, vm, "count", 1, SIM_VM_MAX, 1);
	stagger_ms = ms(r, vm, "stagger", 0, 0);
	/* As many of the same kind, numbered, each later than the one before. */
	for (uint32_t i = 0; i < count && !r->failed; i++) {
		struct sim_vm_config *c = &s->vm[s->vm_count];

		if (s->vm_count == SIM_VM_MAX) {
			setting_error(r, vm, "too many VMs");
			return;
		}
		s->vm_count++;
		if (count > 1u) {
			snprintf(c->name, sizeof(c->name), "%s%u", name, i + 1u);
		} else {
			snprintf(c->name, sizeof(c->name), "%s", name);
		}
		read_sizes(r, vm, s, c);
		read_manners(r, vm, c);
		c->start_ms += (uint64_t)i * stagger_ms;
		if (!r->failed) {
			read_load(r, vm, &c->load);
		}
	}
}
