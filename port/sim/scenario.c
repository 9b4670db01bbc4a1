/* SPDX-License-Identifier: MIT */
/*
 * Reads scenarios. Every mistake is reported with the file and the line of the setting that is
 * wrong; nothing is guessed, and a setting that nobody knows is a mistake.
 */
#include "scenario.h"

#include <libconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_read.h"
#include "text.h"

#define PAGES_PER_MIB 256.0
/* Beyond this many frames a VM is simulated in coarser ones. */
#define FRAMES_MAX 16384u
/* No scenario is longer: 1 MiB. */

#define SCENARIO_SETTINGS                                                                         \
	"name,total,seconds,seed,granule,step_ms,interval_ms,jitter,device,vms,workloads,events," \
	"port"
#define DEVICE_SETTINGS "latency_us,read_mib_s,write_mib_s,readahead_kib"

uint32_t sim_scenario_granule(uint64_t pages)
{
	uint32_t granule = 1;

	while (pages / granule > FRAMES_MAX) {
		granule *= 2u;
	}
	return granule;
}

void sim_scenario_free(struct sim_scenario *s)
{
	for (uint32_t i = 0; s != NULL && i < SIM_VM_MAX; i++) {
		sim_load_free(&s->vm[i].load);
	}
	for (uint32_t i = 0; s != NULL && i < SIM_WORKLOADS_MAX; i++) {
		sim_load_free(&s->workload[i].load);
	}
	free(s);
}

bool sim_scenario_choose(struct sim_scenario *s, const char *name)
{
	for (uint32_t i = 0; i < s->workload_count; i++) {
		if (strcmp(s->workload[i].name, name) == 0) {
			const struct sim_load own = s->vm[0].load;

			s->vm[0].load = s->workload[i].load;
			s->workload[i].load = own;
			return true;
		}
	}
	return false;
}

static void read_device(struct setting_reader *r, config_setting_t *root, struct sim_scenario *s)
{
	config_setting_t *device = setting_group(r, root, "device", DEVICE_SETTINGS);

	/* Defaults: an eMMC as televisions have them. */
	s->latency_us = (uint32_t)setting_number(r, device, "latency_us", 0, 1e6, 120);
	s->read_mib_s = (uint32_t)setting_number(r, device, "read_mib_s", 1, 1e5, 200);
	s->write_mib_s = (uint32_t)setting_number(r, device, "write_mib_s", 1, 1e5, 80);
	s->readahead_pages =
		(uint32_t)setting_number(r, device, "readahead_kib", 4, 65536, 128) / 4u;
}

/* Whole frames, downwards. */
static void round_to_granule(uint64_t *pages, uint32_t granule)
{
	*pages -= *pages % granule;
}

void sim_scenario_coarsen(struct sim_scenario *s, uint32_t granule)
{
	s->granule = granule;
	round_to_granule(&s->total_pages, granule);
	for (uint32_t i = 0; i < s->vm_count; i++) {
		struct sim_vm_config *vm = &s->vm[i];

		round_to_granule(&vm->min_pages, granule);
		round_to_granule(&vm->boot_pages, granule);
		round_to_granule(&vm->max_pages, granule);
		round_to_granule(&vm->kernel_pages, granule);
		if (vm->min_pages == 0) {
			vm->min_pages = granule;
		}
	}
}

static void settle_granule(struct setting_reader *r, config_setting_t *root, struct sim_scenario *s)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < s->vm_count; i++) {
		most = s->vm[i].max_pages > most ? s->vm[i].max_pages : most;
	}
	s->granule = (uint32_t)setting_number(r, root, "granule", 0, 4096, 0);
	if (s->granule == 0) {
		s->granule = sim_scenario_granule(most);
	}
	sim_scenario_coarsen(s, s->granule);
	for (uint32_t i = 0; i < s->vm_count; i++) {
		const struct sim_vm_config *vm = &s->vm[i];

		if (vm->boot_pages / s->granule < vm->kernel_pages / s->granule + 64u) {
			setting_error(r, root, "granule is too large for the smallest VM");
		}
	}
}

static void read_vms(struct setting_reader *r, config_setting_t *root, struct sim_scenario *s)
{
	config_setting_t *vms = config_setting_get_member(root, "vms");
	uint64_t boots = 0;
	int count;

	if (vms == NULL || !config_setting_is_list(vms) || config_setting_length(vms) == 0) {
		setting_error(r, vms != NULL ? vms : root,
			      "vms has to be a list of VMs, ( {...}, {...} )");
		return;
	}
	count = config_setting_length(vms);
	for (int i = 0; i < count && !r->failed; i++) {
		config_setting_t *vm = config_setting_get_elem(vms, (unsigned int)i);

		sim_scenario_read_vm(r, vm, s);
	}
	for (uint32_t i = 0; i < s->vm_count; i++) {
		boots += s->vm[i].absent ? 0 : s->vm[i].boot_pages;
	}
	if (!r->failed && boots > s->total_pages) {
		setting_error(r, vms, "the VMs' boot sizes together are more than total");
	}
}

static void read_workloads(struct setting_reader *r, config_setting_t *root, struct sim_scenario *s)
{
	config_setting_t *list = config_setting_get_member(root, "workloads");
	const int count = list == NULL ? 0 : config_setting_length(list);

	if (list != NULL &&
	    (!config_setting_is_list(list) || count < 1 || count > SIM_WORKLOADS_MAX)) {
		setting_error(r, list, "workloads has to be a list of 1..64, ( {...}, {...} )");
		return;
	}
	for (int i = 0; i < count && !r->failed; i++) {
		config_setting_t *w = config_setting_get_elem(list, (unsigned int)i);
		struct sim_workload *to = &s->workload[s->workload_count++];

		if (!config_setting_is_group(w)) {
			setting_error(r, w, "a workload has to be a group, { ... }");
			return;
		}
		setting_known(r, w, "name,load", "");
		setting_text(r, w, "name", to->name, sizeof(to->name), NULL);
		if (!r->failed) {
			sim_scenario_read_load(r, w, &to->load);
		}
	}
}

static void read_root(struct setting_reader *r, config_setting_t *root, struct sim_scenario *s)
{
	setting_known(r, root, SCENARIO_SETTINGS, "");
	setting_text(r, root, "name", s->name, sizeof(s->name), NULL);
	s->total_pages =
		(uint64_t)(setting_number(r, root, "total", 1, 16777216, NAN) * PAGES_PER_MIB);
	s->end_ms = (uint64_t)(setting_number(r, root, "seconds", 1, 1e6, NAN) * 1000.0);
	s->seed = (uint64_t)setting_number(r, root, "seed", 0, 4294967295.0, 1);
	s->step_ms = (uint32_t)setting_number(r, root, "step_ms", 1, 1000, 10);
	s->interval_ms = (uint32_t)setting_number(r, root, "interval_ms", 100, 60000, 1000);
	s->jitter_permille = (uint32_t)(setting_number(r, root, "jitter", 0, 0.9, 0) * 1000.0);
	read_device(r, root, s);
	if (!r->failed) {
		read_vms(r, root, s);
	}
	if (!r->failed) {
		read_workloads(r, root, s);
	}
	if (!r->failed) {
		sim_scenario_read_events(r, root, s);
	}
	if (!r->failed) {
		settle_granule(r, root, s);
	}
	if (!r->failed && s->interval_ms % s->step_ms != 0) {
		setting_error(r, root, "interval_ms has to be a multiple of step_ms");
	}
}

struct sim_scenario *sim_scenario_read(const char *path, char error[SIM_ERROR_MAX])
{
	struct setting_reader r = {.path = path, .error = error, .size = SIM_ERROR_MAX};
	struct sim_scenario *s = calloc(1, sizeof(*s));
	const char *reason;
	char *text = text_read(path, &reason);
	config_t config;

	config_init(&config);
	if (text == NULL || s == NULL) {
		snprintf(error, SIM_ERROR_MAX, "%s: %s", path, text == NULL ? reason : "no memory");
		r.failed = true;
	} else if (strstr(text, "@include") != NULL) {
		/* A file that is read must not decide which others are. */
		snprintf(error, SIM_ERROR_MAX, "%s: @include is not allowed", path);
		r.failed = true;
	} else if (config_read_string(&config, text) != CONFIG_TRUE) {
		snprintf(error, SIM_ERROR_MAX, "%s:%d: %s", path, config_error_line(&config),
			 config_error_text(&config));
		r.failed = true;
	} else {
		read_root(&r, config_root_setting(&config), s);
	}
	config_destroy(&config);
	free(text);
	if (r.failed) {
		sim_scenario_free(s);
		return NULL;
	}
	return s;
}
