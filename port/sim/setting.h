/* SPDX-License-Identifier: MIT */
/*
 * Single settings of a scenario file, checked. The first mistake is kept, with its line; what is
 * read after it is not to be used.
 */
#ifndef SIM_SETTING_H
#define SIM_SETTING_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

#include "scenario.h"

struct setting_reader {
	const char *path;
	char *error;
	size_t size; /* of error */
	bool failed;
};

/* Notes a mistake at a setting. */
void setting_error(struct setting_reader *r, const config_setting_t *at, const char *reason);

/* Every member of the group has to be one of `names`, "a,b,c". */
void setting_known(struct setting_reader *r, const config_setting_t *group, const char *names);

/* Returns a group inside a group, or NULL if it is not there. */
config_setting_t *setting_group(struct setting_reader *r, config_setting_t *parent,
				const char *name, const char *known);

/*
 * Returns a number, whole or with decimals, in least..most; `fallback` when it is not there (also
 * when `group` is NULL); NAN as fallback: it has to be there.
 */
double setting_number(struct setting_reader *r, config_setting_t *group, const char *name,
		      double least, double most, double fallback);

bool setting_flag(struct setting_reader *r, config_setting_t *group, const char *name,
		  bool fallback);

/* Copies a text; NULL as fallback: it has to be there. */
void setting_text(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback);

/* Returns the place in `words`, "a,b,c", of a text; 0 when it is not there. */
int setting_choice(struct setting_reader *r, config_setting_t *group, const char *name,
		   const char *words);

/* The same for sizes, MiB in the file and pages here, and for times, seconds and ms. */
uint64_t setting_mib(struct setting_reader *r, config_setting_t *group, const char *name,
		     double least, double fallback);
uint32_t setting_ms(struct setting_reader *r, config_setting_t *group, const char *name,
		    double least, double fallback);

/* Reads the load of a VM or of a workload; scenario_load.c. */
void sim_scenario_read_load(struct setting_reader *r, config_setting_t *owner,
			    struct sim_load *load);

/* Reads what happens to the machine, and which calls of the port go wrong; scenario_event.c. */
void sim_scenario_read_events(struct setting_reader *r, config_setting_t *root,
			      struct sim_scenario *s);

/* Reads one VM and appends it to the scenario; scenario_vm.c. */
void sim_scenario_read_vm(struct setting_reader *r, config_setting_t *vm, struct sim_scenario *s);

#endif
