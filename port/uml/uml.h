/* SPDX-License-Identifier: MIT */
/* The UML backend's own: one guest of User-Mode Linux, from its management console to its pages. */
#ifndef UML_UML_H
#define UML_UML_H

#include <sys/types.h>

#include "backend.h"
#include "channel.h"
#include "pagefile.h"

#define UML_PATH_MAX 108
/* Looks in a row before freed memory counts as not freed. */
#define UML_NOT_FREED_CHECKS 3u

struct backend_vm_settings {
	char umid_dir[UML_PATH_MAX]; /* has `mconsole` and `pid` */
	char mconsole[UML_PATH_MAX + 16];
	char pid_file[UML_PATH_MAX + 16];
	char page_file[UML_PATH_MAX]; /* "": none */
};

struct backend_own_settings {
	uint32_t deadline_ms;
	uint64_t overhead_pages;
};

/* What is under way; there is one request at a time. */
enum uml_request {
	UML_NOTHING,
	UML_ZONES,    /* proc zoneinfo: what is free, and what it has */
	UML_PLUG,     /* config mem=+ALL: everything that was ever taken goes back */
	UML_TAKE,     /* config mem=-N */
	UML_GIVE,     /* config mem=+N */
	UML_SWITCHES, /* proc stat: whether it runs at all */
};

/*
 * Life of a guest.
 *
 *	AWAY     no process, or nobody listens at its console
 *	MEETING  connected; what it has is being asked for, and all that was taken is given back
 *	RUNNING  started, as far as the daemon is concerned; also while the connection is down
 */
enum uml_life { UML_AWAY, UML_MEETING, UML_RUNNING };

struct uml {
	struct backend_env env;
	const struct backend_own_settings *own;
	struct uml_vm *vm[POISE_VM_MAX];
};

struct uml_vm {
	struct uml *uml;
	uint32_t slot;
	const char *name;
	const struct backend_vm_settings *settings;
	uint64_t max_pages;

	enum uml_life life;
	bool met; /* what it has is known */
	struct channel channel;
	enum uml_request request;
	uint64_t retry_ms;   /* no attempt to connect before then */
	uint32_t failures;   /* to meet it, in a row */
	pid_t pid;           /* 0: unknown */
	int pidfd;           /* readable when the process has ended; -1: none */
	struct event *ended; /* waits for that */
	struct event *step;  /* goes on with a move */
	ino_t console;       /* of its console's socket: another one each boot, */
	int64_t console_ns;  /* made at this time */
	char why[BACKEND_DETAIL_MAX];
	bool down;    /* the connection has ended by itself */
	bool refused; /* it has no `mem` at its console */

	uint64_t ram_pages;   /* what it booted with */
	uint64_t taken_pages; /* of these, for certain */
	uint64_t doubt_pages; /* have been asked for; whether they came is not known yet */
	struct mconsole_zones zones;
	bool zones_fresh;
	uint64_t resident_pages; /* 0: unknown */
	uint32_t not_freed;      /* looks in a row at which more was resident than it should have */
	uint64_t mistakes;

	uint64_t target_pages; /* last asked for by the core; 0: nothing yet */
	uint64_t epoch;
	bool unanswered; /* the target has not been answered at all */

	bool look; /* whether it runs is to be looked at */
	uint64_t switches;
	uint32_t still; /* looks in a row without a switch */
	bool paused;

	struct pagefile file;
};

#endif
