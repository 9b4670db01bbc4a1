/* SPDX-License-Identifier: MIT */
/* One VM of a scenario file: its sizes, its balloon, its page; its load is in scenario_load.c. */
#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_read.h"

#define PAGES_PER_MIB 256.0

#define VM_SETTINGS                                                                         \
	"name,count,boot,min,max,weight,swap,kernel,swappiness,anon_active,deflate_on_oom," \
	"loop,start,stagger,absent,balloon,report,load"
#define BALLOON_SETTINGS "kind,mib_s,lower,upper,floor,from,until"
#define BALLOON_KINDS    "ideal,stuck,flaky,crawl,part,far,hollow"
#define REPORT_SETTINGS  "kind,from,until"
#define REPORT_KINDS     "honest,over,under,stale,torn,repeat,rewind,reboot,total,wave,clock,storm"

static void read_sizes(struct setting_reader *r, config_setting_t *vm, const struct sim_scenario *s,
		       struct sim_vm_config *c)
{
	const double total = (double)s->total_pages / PAGES_PER_MIB;

	c->boot_pages = setting_mib(r, vm, "boot", 4, NAN);
	c->min_pages = setting_mib(r, vm, "min", 1, (double)c->boot_pages / PAGES_PER_MIB / 2.0);
	c->max_pages = setting_mib(r, vm, "max", 4, total);
	c->swap_pages = setting_mib(r, vm, "swap", 0, 1024);
	c->kernel_pages = setting_mib(r, vm, "kernel", 0, 40);
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

	c->balloon = (enum sim_balloon)setting_choice(r, balloon, "kind", BALLOON_KINDS, 0);
	c->balloon_from_ms = setting_ms(r, balloon, "from", 0, 0);
	c->balloon_until_ms = setting_ms(r, balloon, "until", 0, 0);
	c->rate_pages_s = setting_mib(r, balloon, "mib_s", 0.01, 800);
	c->lower_pages = setting_mib(r, balloon, "lower", 1, 0);
	c->upper_pages = setting_mib(r, balloon, "upper", 1, 0);
	c->floor_pages = setting_mib(r, balloon, "floor", 1, 0);
	c->report = (enum sim_report)setting_choice(r, report, "kind", REPORT_KINDS, 0);
	c->report_from_ms = setting_ms(r, report, "from", 0, 0);
	c->report_until_ms = setting_ms(r, report, "until", 0, 0);
	c->absent = setting_flag(r, vm, "absent", false);
	c->anon_active = setting_flag(r, vm, "anon_active", false);
	c->deflate_on_oom = setting_flag(r, vm, "deflate_on_oom", false);
	c->loop = setting_flag(r, vm, "loop", true);
	c->start_ms = setting_ms(r, vm, "start", 0, 0);
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
	setting_known(r, vm, VM_SETTINGS, "");
	setting_text(r, vm, "name", name, sizeof(name), NULL);
	count = (uint32_t)setting_number(r, vm, "count", 1, SIM_VM_MAX, 1);
	stagger_ms = setting_ms(r, vm, "stagger", 0, 0);
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
			sim_scenario_read_load(r, vm, &c->load);
		}
	}
}
