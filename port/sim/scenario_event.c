/* SPDX-License-Identifier: MIT */
/* What a scenario file says of the machine's life: events, and calls of the port that fail. */
#include <libconfig.h>
#include <math.h>
#include <string.h>

#include "scenario_read.h"

#define PAGES_PER_MIB  256.0
#define MIB_MAX        16777216.0
#define SECONDS_MAX    1e6
#define CLOCK_MAX      1e9
#define EVENT_SETTINGS "at,kind,vm,total,min,max,weight,seconds,count"
#define EVENT_KINDS    "pool,add,remove,reset,reboot,limits,pause,burst,clock,update"
#define PORT_SETTINGS  "call,way,number,from,until,vm"
#define PORT_CALLS     "any,resize,measure,notify"
#define PORT_WAYS      "error,short,late,twice,never"

static uint64_t time_ms(struct setting_reader *r, config_setting_t *group, const char *name,
			double fallback)
{
	return (uint64_t)(setting_number(r, group, name, 0, SECONDS_MAX, fallback) * 1000.0);
}

/* Returns the VM of that name; SIM_VM_ANY when none is named. */
static uint32_t find_vm(struct setting_reader *r, config_setting_t *group,
			const struct sim_scenario *s)
{
	char name[SIM_NAME_MAX];

	if (config_setting_get_member(group, "vm") == NULL) {
		return SIM_VM_ANY;
	}
	setting_text(r, group, "vm", name, sizeof(name), NULL);
	for (uint32_t i = 0; i < s->vm_count; i++) {
		if (strcmp(s->vm[i].name, name) == 0) {
			return i;
		}
	}
	setting_error(r, config_setting_get_member(group, "vm"), "no VM has that name");
	return 0;
}

/* The list's next group, or NULL when that is none. */
static config_setting_t *group_at(struct setting_reader *r, config_setting_t *list, int i,
				  const char *known)
{
	config_setting_t *group = config_setting_get_elem(list, (unsigned int)i);

	if (!config_setting_is_group(group)) {
		setting_error(r, group, "has to be a group, { ... }");
		return NULL;
	}
	setting_known(r, group, known, "");
	return r->failed ? NULL : group;
}

/* Returns how many elements a list has; a missing one has none. */
static int list_length(struct setting_reader *r, config_setting_t *list, unsigned most)
{
	if (list == NULL) {
		return 0;
	}
	if (!config_setting_is_list(list) || config_setting_length(list) > (int)most) {
		setting_error(r, list, "has to be a list, ( {...}, {...} ), of at most 64 or 16");
		return 0;
	}
	return config_setting_length(list);
}

static void read_limits(struct setting_reader *r, config_setting_t *g,
			const struct sim_vm_config *vm, struct sim_event *e)
{
	const double max = (double)vm->max_pages / PAGES_PER_MIB;

	e->min_pages = (uint64_t)(setting_number(r, g, "min", 1, max,
						 (double)vm->min_pages / PAGES_PER_MIB) *
				  PAGES_PER_MIB);
	e->max_pages = (uint64_t)(setting_number(r, g, "max", 1, max, max) * PAGES_PER_MIB);
	e->weight = (uint32_t)setting_number(r, g, "weight", 1, 65535, vm->weight);
	if (!r->failed && e->min_pages > e->max_pages) {
		setting_error(r, g, "sizes have to be min <= max");
	}
}

static void read_event(struct setting_reader *r, config_setting_t *g, struct sim_scenario *s)
{
	struct sim_event *e = &s->event[s->event_count];
	const double least = s->event_count > 0 ? (double)e[-1].at_ms / 1000.0 : 0.0;

	if (config_setting_get_member(g, "kind") == NULL) {
		setting_error(r, g, "kind is missing");
	}
	e->at_ms = time_ms(r, g, "at", NAN);
	e->kind = (enum sim_event_kind)setting_choice(r, g, "kind", EVENT_KINDS, 0);
	e->vm = find_vm(r, g, s);
	e->count = (uint32_t)setting_number(r, g, "count", 1, 10000, 1);
	if (e->kind == SIM_EVENT_POOL) {
		e->pages =
			(uint64_t)(setting_number(r, g, "total", 1, MIB_MAX, NAN) * PAGES_PER_MIB);
	}
	if (e->kind == SIM_EVENT_PAUSE || e->kind == SIM_EVENT_CLOCK) {
		e->ms = (int64_t)(setting_number(r, g, "seconds",
						 e->kind == SIM_EVENT_CLOCK ? -CLOCK_MAX : 0,
						 CLOCK_MAX, NAN) *
				  1000.0);
	}
	if (!r->failed && (double)e->at_ms / 1000.0 < least) {
		setting_error(r, g, "events have to be in the order of time");
	}
	if (!r->failed && e->kind >= SIM_EVENT_ADD && e->kind <= SIM_EVENT_LIMITS) {
		if (e->vm == SIM_VM_ANY) {
			setting_error(r, g, "vm is missing");
		} else if (e->kind == SIM_EVENT_LIMITS) {
			read_limits(r, g, &s->vm[e->vm], e);
		}
	}
	s->event_count++;
}

static void read_fault(struct setting_reader *r, config_setting_t *g, struct sim_scenario *s)
{
	struct sim_fault *f = &s->fault[s->fault_count++];

	*f = (struct sim_fault){
		.call = (enum sim_call)setting_choice(r, g, "call", PORT_CALLS, 0),
		.way = (enum sim_way)setting_choice(r, g, "way", PORT_WAYS, 0),
		.number = (uint64_t)setting_number(r, g, "number", 0, 4294967295.0, 0),
		.from_ms = time_ms(r, g, "from", 0),
		.until_ms = time_ms(r, g, "until", SECONDS_MAX),
		.vm = find_vm(r, g, s),
	};
}

void sim_scenario_read_events(struct setting_reader *r, config_setting_t *root,
			      struct sim_scenario *s)
{
	config_setting_t *events = config_setting_get_member(root, "events");
	config_setting_t *port = config_setting_get_member(root, "port");
	const int event_count = list_length(r, events, SIM_EVENTS_MAX);
	const int fault_count = list_length(r, port, SIM_FAULTS_MAX);

	for (int i = 0; i < event_count && !r->failed; i++) {
		config_setting_t *g = group_at(r, events, i, EVENT_SETTINGS);

		if (g != NULL) {
			read_event(r, g, s);
		}
	}
	for (int i = 0; i < fault_count && !r->failed; i++) {
		config_setting_t *g = group_at(r, port, i, PORT_SETTINGS);

		if (g != NULL) {
			read_fault(r, g, s);
		}
	}
}
