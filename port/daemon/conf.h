/* SPDX-License-Identifier: MIT */
/* The configuration file, read and checked as a whole before anything is done with it. */
#ifndef DAEMON_CONF_H
#define DAEMON_CONF_H

#include <sys/types.h>

#include "backend.h"
#include "log.h"

#define CONFIG_PATH_MAX  108 /* what a UNIX socket's address holds, its NUL included */
#define CONFIG_ERROR_MAX BACKEND_ERROR_MAX

struct config_vm {
	char name[BACKEND_NAME_MAX];
	struct poise_vm_config core;
	struct backend_vm_settings *settings;
	unsigned line; /* of the file */
};

struct config {
	const struct backend *backend;
	struct backend_own_settings *own; /* the backend's own group */
	uint64_t pool_pages;              /* 0: "auto" */
	uint64_t host_reserve_pages;
	bool boot_on_exit;
	enum log_level log;
	char lock[CONFIG_PATH_MAX];
	char record[CONFIG_PATH_MAX]; /* "": none */
	char state_file[CONFIG_PATH_MAX];
	char socket[CONFIG_PATH_MAX];
	char group[BACKEND_NAME_MAX]; /* "": the daemon's own */
	mode_t mode;
	struct poise_config core; /* pool_pages 0: not known before the backend is open */
	uint32_t vm_count;
	struct config_vm vm[POISE_VM_MAX];
};

/*
 * Reads a file. Returns a configuration for conf_free, or NULL and "file:line: reason" in
 * `error`. Touches nothing but the file.
 */
struct config *conf_read(const char *path, char error[CONFIG_ERROR_MAX]);

/* As conf_read, for a text that is at hand; `path` is for messages only. */
struct config *conf_read_text(const char *path, const char *text, char error[CONFIG_ERROR_MAX]);

void conf_free(struct config *config);

/*
 * Whether the sizes fit a pool: each limit, and the reservations together. Returns NULL, or what
 * does not fit, in `error`.
 */
const char *conf_fits(const struct config *config, uint64_t pool_pages,
		      char error[CONFIG_ERROR_MAX]);

/*
 * Says what a reload cannot change: the first setting outside of VMs that differs and is fixed
 * while the daemon runs. Returns NULL if there is none.
 */
const char *conf_fixed_difference(const struct config *now, const struct config *then);

#endif
