/* SPDX-License-Identifier: MIT */
/*
 * The daemon: the core, a backend and a clock. daemon.c strings them together; what is told to the
 * outside is made in status.c, words.c and control.c from what stands here.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdio.h>

#include "conf.h"
#include "history.h"
#include "port_kit.h"

/* Where a VM's statistics come from. */
enum source {
	SOURCE_NONE,  /* nothing has been heard yet: the VM keeps what it has */
	SOURCE_PAGE,  /* the guest's driver */
	SOURCE_STATS, /* the backend's own statistics of a guest without our driver */
};

struct daemon_vm {
	bool configured;
	bool meeting; /* may be there, says the backend, and is not in the core yet */
	bool running; /* in the core */
	bool paused;  /* says the backend */
	bool frozen;  /* says the administrator */
	struct config_vm conf;

	enum source source;
	uint64_t page_boot_id, page_sample; /* last seen in the guest's page */
	uint64_t page_ms;                   /* host time at which that was new; 0: never */

	struct poise_host_page *host; /* what `writer` writes to */
	struct poise_host_writer writer;
	struct port_notice notice;
	bool stuck; /* its balloon has not done what was asked: told */

	uint32_t alarms;                           /* BACKEND_ALARM_*, as last told */
	uint64_t alarm_count[BACKEND_ALARM_COUNT]; /* how often each came */
	uint64_t starts, restarts, urgents, resizes;
	struct history history;
};

/* Takes the lines of a recording; `write` returns false when it wants no more. */
struct sink {
	bool (*write)(void *ctx, const char *line, size_t size);
	void *ctx;
};
#define SINKS_MAX 4

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
	struct sink sink[SINKS_MAX];
	bool leaving;
	uint64_t leave_ms; /* not later than this */
	struct daemon_vm vm[POISE_VM_MAX];
};

uint64_t daemon_now_ms(void);

/*
 * Starts: opens the backend, the socket and the timers. Takes `conf`. Returns 0, or -1 after it has
 * said why; daemon_close is needed either way.
 */
int daemon_open(struct poised *d, struct config *conf, const char *conf_path);
/* Works until a signal ends it. */
int daemon_run(struct poised *d);
void daemon_close(struct poised *d);

/* One interval's work; the timer's, and the tests'. */
void daemon_tick(struct poised *d);

/* Returns the slot of a VM by its name, POISE_VM_MAX if there is none. */
uint32_t daemon_find(const struct poised *d, const char *name);

/*
 * Changes one setting of a VM: key and value as in the configuration file, value as text. Returns
 * NULL, or what is wrong; nothing has changed then.
 */
const char *daemon_set(struct poised *d, uint32_t vm, const char *key, const char *value);
const char *daemon_freeze(struct poised *d, uint32_t vm, bool frozen);

/*
 * Starts a recording: the core starts anew with every VM at the size that it has, so that the
 * recording holds everything its decisions rest on. Forecasts are made again, from two samples on.
 * Returns NULL, or what is wrong.
 */
const char *daemon_record_start(struct poised *d, const struct sink *sink);
void daemon_record_stop(struct poised *d, const void *ctx);

/* reload.c: reads the configuration file again, changes what can be changed, says what cannot. */
void daemon_reload(struct poised *d);
/* Takes a VM into the slot, and starts to look for it. Moves `vm`'s settings. Returns 0 or -1. */
int daemon_vm_open(struct poised *d, uint32_t slot, struct config_vm *vm);
/* Tells the core a running VM's configuration, as far as the pool allows. */
enum poise_err daemon_vm_apply(struct poised *d, uint32_t slot);
/* Bounds the pool: by what the host has free, and by what is charged as long as a VM that is there
 * has not been taken in. */
void daemon_pool_update(struct poised *d);

/* What is told in status: words for numbers. */
const char *daemon_source_name(enum source source);
const char *daemon_alarm_name(unsigned bit);

#endif
