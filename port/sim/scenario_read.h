/* SPDX-License-Identifier: MIT */
/* The parts of a scenario file, for scenario.c, each read by a file of its own. */
#ifndef SIM_SCENARIO_READ_H
#define SIM_SCENARIO_READ_H

#include "scenario.h"
#include "setting.h"

/* Reads the load of a VM or of a workload; scenario_load.c. */
void sim_scenario_read_load(struct setting_reader *r, config_setting_t *owner,
			    struct sim_load *load);

/* Reads what happens to the machine, and which calls of the port go wrong; scenario_event.c. */
void sim_scenario_read_events(struct setting_reader *r, config_setting_t *root,
			      struct sim_scenario *s);

/* Reads one VM and appends it to the scenario; scenario_vm.c. */
void sim_scenario_read_vm(struct setting_reader *r, config_setting_t *vm, struct sim_scenario *s);

#endif
