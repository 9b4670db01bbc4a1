/* SPDX-License-Identifier: MIT */
/*
 * What the daemon holds: the core, a backend, a clock, and what it knows of each VM. Data only: who
 * changes what stands in the headers of the files that do.
 *
 *	daemon.c				start, end, timers, signals
 *	interval.c notify.c change.c control.c	what is done: each interval, when the backend
 *						tells, when somebody changes or asks something
 *	source.c recording.c status.c metrics.c	where statistics come from; what is told outside
 *	pool.c vms.c				the pool as the host allows it; VMs in the core
 *	port.c sink.c				the core's port; who takes a recording
 */
#ifndef DAEMON_POISED_H
#define DAEMON_POISED_H

#include <stdio.h>

#include "conf.h"
#include "history.h"
#include "port_kit.h"
#include "sink.h"
#include "state.h"
#include "words.h"

struct daemon_vm {
	bool configured;
	bool adopting; /* may be there, says the backend, and is not in the core yet */
	bool running;  /* in the core */
	bool paused;   /* says the backend */
	bool frozen;   /* says the administrator */
	struct config_vm conf;

	enum source source;
	uint64_t page_boot_id, page_sample; /* last seen in the guest's page */
	uint64_t page_ms;                   /* host time at which that was new; 0: never */
	uint32_t page_seq;                  /* its sequence word, at the last look */
	uint32_t page_still;                /* looks in a row at which it was the same */
	bool want_stats;                    /* the page has no driver, or none any more */

	struct poise_host_page *host; /* what `writer` writes to */
	struct poise_host_writer writer;
	struct port_notice notice;
	bool stuck; /* its balloon has not done what was asked: told */

	uint32_t alarms;                           /* BACKEND_ALARM_*, as last told */
	uint64_t alarm_count[BACKEND_ALARM_COUNT]; /* how often each came */
	uint64_t starts, restarts, urgents, resizes;
	struct history history;
};

struct poised {
	struct poise core;
	const struct backend *backend;
	void *ctx; /* the backend's */
	struct event_base *base;
	struct backend_env env;
	struct config *conf;
	const char *conf_path;
	uint64_t pool_pages;  /* as configured, or as found for "auto" */
	uint64_t host_free;   /* last reading, pages */
	bool host_known;      /* whether there is one */
	bool pool_short;      /* said that the host has less free than the pool says */
	uint64_t host_errors; /* readings that failed */
	uint64_t ticks, check_failures;
	uint64_t started_ms, ticked_ms;
	struct port_relief relief; /* in us */
	struct event *tick, *words, *term, *interrupt, *hup;
	struct control *control;
	FILE *record;
	struct sinks sinks;
	struct state state; /* of the daemon before this one */
	bool leaving;
	uint64_t leave_ms; /* not later than this */
	struct daemon_vm vm[POISE_VM_MAX];
};

#endif
