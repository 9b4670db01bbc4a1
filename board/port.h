/* SPDX-License-Identifier: MIT */
/*
 * The monitor as a port of Poise: started from port/template. What the core asks for, what the
 * guests tell, and what a run wants to know about both.
 */
#ifndef BOARD_PORT_H
#define BOARD_PORT_H

#include <stdio.h>

#include "vm.h"

/* What a run of the port has seen; all counts start at board_port_start. */
struct board_port_stats {
	uint64_t resizes;       /* requests that the core made */
	uint64_t plans;         /* decisions that changed a size */
	uint64_t bad_polls;     /* guest pages that gave no sample */
	uint64_t checks_failed; /* poise_check or board_vm_check found something */
	uint64_t relief_count;  /* doorbells that led to a request at once */
	uint64_t relief_min_ns; /* from the hypercall's entry to the request; 0: none yet */
	uint64_t relief_max_ns;
};

/*
 * Starts Poise with an empty pool and listens to the guests. `record`: receives the core's events
 * as text, NULL for none; stays the caller's. Returns: false if the configuration is refused.
 */
bool board_port_start(const struct poise_config *config, FILE *record);

/*
 * Adds an OFF or DEAD VM to the pool and starts it as soon as its boot size is free. Returns: false
 * if the core refuses it.
 */
bool board_port_add(struct board_vm *vm);
/* A VM has died and shall live again: charged at its boot size, started when that is free. */
void board_port_restart(struct board_vm *vm);
/* A VM is gone for good; its pages are free by now. */
void board_port_remove(struct board_vm *vm);
/* Starts the VMs that wait for memory. */
void board_port_start_waiting(void);
/* The work of one interval: poll all pages, tick, check. */
void board_port_tick(void);
/* Polls all pages once more, so that the last samples are fresh; no decision. */
void board_port_poll(void);

/*
 * What a live update of the firmware does with the core: its state goes out as bytes, and a core
 * that is made anew takes them in. Guests, their memory and what they have been asked for are not
 * touched. Not during a call of the core.
 */
void board_port_update(void);

/* For reading: the core's state, and the counts. */
const struct poise *board_port_poise(void);
const struct board_port_stats *board_port_stats(void);

#endif
