/* SPDX-License-Identifier: MIT */
/*
 * A backend of poised: what the daemon needs of a hypervisor that is reached from Linux. One const
 * struct of functions, context first, as the core's port; port/kvm-arm64 and port/xen-arm each
 * supply one. A backend holds no policy: it finds VMs, counts pages, passes sizes on and says what
 * it has measured.
 *
 * A VM has the same number everywhere: its slot in the core, 0..POISE_VM_MAX-1, in the order of the
 * configuration file. It is configured from vm_open to vm_close; in between it may come and go as
 * often as it likes. The daemon adds it to the core at `started` and removes it at `gone`; resize,
 * measure, and acks are for VMs that have started.
 *
 *	configured --started--> running --gone--> configured
 *	                        running --restarted--> running    (same VM, its memory is new)
 *
 * One thread. Nothing here may block: sockets and timers are events of env->base (libevent), each
 * request has a deadline of its own, and no answer is waited for. All that comes from outside
 * (sockets, page files, xenstore, guests) is hostile: checked once, in bounded memory.
 *
 * Functions of the backend may call the daemon's functions (struct backend_calls) at any time but
 * from within resize, measure, pages, host_free, host_total and status, which the daemon calls
 * while the core is at work; what is learned there is told later, from an event.
 */
#ifndef DAEMON_BACKEND_H
#define DAEMON_BACKEND_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "poise.h"
#include "setting.h"

/* With its NUL: names of VMs, texts for status, reasons of errors. */
#define BACKEND_NAME_MAX   64
#define BACKEND_DETAIL_MAX 128
#define BACKEND_ERROR_MAX  512

/* What the backend tells the daemon. `daemon` is env->daemon. */
struct backend_calls {
	/*
	 * The VM is there, and `pages` is its size by the host's own count. Call it only when no
	 * older request can still change the size upwards (a daemon before this one may have made
	 * some): take such requests back first. Not twice without `gone` in between.
	 */
	void (*started)(void *daemon, uint32_t vm, uint64_t pages);
	/* Reset, reboot, restore: the guest's memory starts anew and may take its whole balloon
	 * back. */
	void (*restarted)(void *daemon, uint32_t vm, uint64_t pages);
	/* The VM is no more and all its memory is free again. For a VM that is not running: no
	 * effect. */
	void (*gone)(void *daemon, uint32_t vm);
	/* Paused, suspended, crashed, shutting down (true), or running again (false): frozen
	 * meanwhile. Also before `started`; `gone` ends it. */
	void (*paused)(void *daemon, uint32_t vm, bool paused);
	/*
	 * The size has changed in answer to the request `epoch`, wholly or in part, or it will not
	 * change any more. `pages` by the host's own count. An epoch that is not the last one is
	 * dropped, and counted.
	 */
	void (*balloon_changed)(void *daemon, uint32_t vm, uint64_t epoch, uint64_t pages);
	/* The guest rings: its page is looked at now. May be called as often as the guest rings. */
	void (*doorbell)(void *daemon, uint32_t vm);
};

/* What a backend is opened with; outlives it. */
struct backend_env {
	struct event_base *base;
	const struct backend_calls *calls;
	void *daemon;         /* first argument of the calls */
	uint32_t interval_ms; /* between samples */
};

/* Where the guest's statistics are. Both pages stay mapped until the next `poll`, `vm_close` or
 * `gone` of this VM. NULL: there is none, or not now. */
struct backend_pages {
	const struct poise_guest_page *guest; /* written by the guest's driver; hostile */
	struct poise_host_page *host;         /* written by the daemon only */
	/*
	 * A page of the backend's own that it fills by guestdrv/publish with what it gets by other
	 * means from a guest without our driver (virtio-balloon's statistics). Goes the same way
	 * through the core's checks. Used while `guest` holds nothing fresh. A new sample number
	 * for each fresh set of numbers, the same one while they are old; a new boot_id for each
	 * start and restart.
	 */
	const struct poise_guest_page *stats;
};

/* Bits of backend_status.alarms. */
enum {
#define BACKEND_ALARM(code, bit, name, words) BACKEND_ALARM_##code = 1 << (bit),
#include "alarms.def"
#undef BACKEND_ALARM
};
/* How many there are: each has a bit below this. */
enum {
	BACKEND_ALARM_COUNT = 0
#define BACKEND_ALARM(code, bit, name, words) +1
#include "alarms.def"
#undef BACKEND_ALARM
};

struct backend_status {
	uint32_t alarms;
	/*
	 * The VM, or one that may be any of them, seems to be there but has not been taken in with
	 * `started` yet. Until it has, the memory that nobody is charged for may be its own, and
	 * nothing is given to anybody. Not for longer than it takes to find out.
	 */
	bool adopting;
	uint64_t resident_pages; /* held of the host's memory by its own count; 0: unknown */
	uint64_t mistakes; /* what the other side has said that made no sense, ever: a counter */
	char state[BACKEND_NAME_MAX];    /* one or two words, for example "ready", "no greeting" */
	char detail[BACKEND_DETAIL_MAX]; /* why, printable ASCII; "" when there is nothing to say */
};

/* Opaque to the daemon: a VM's settings, and the backend's own, as read and checked. */
struct backend_vm_settings;
struct backend_own_settings;

struct backend {
	const char *name; /* as in `backend = "kvm"` */

	/*
	 * Configuration. Keys that the backend reads: inside a VM's group, "a,b,c", and inside the
	 * group at top level that bears the backend's name. Neither may be one of the daemon's own
	 * (poised.conf(5)).
	 */
	const char *vm_keys;
	const char *own_keys;
	/*
	 * Reads and checks its keys of one VM, or of its own group (`group` is NULL if the file has
	 * none: defaults). Mistakes go to setting_error and make the result unused. Touches nothing
	 * outside: also called by `--check` and before a reload. `name` is the VM's. Returns NULL
	 * only if there is no memory, or after setting_error.
	 */
	struct backend_vm_settings *(*vm_read)(struct setting_reader *r, config_setting_t *group,
					       const char *name);
	struct backend_own_settings *(*own_read)(struct setting_reader *r, config_setting_t *group);
	/* NULL is allowed. */
	void (*vm_settings_free)(struct backend_vm_settings *settings);
	void (*own_settings_free)(struct backend_own_settings *settings);
	/* Whether two say the same: what differs cannot be changed by a reload. */
	bool (*vm_settings_equal)(const struct backend_vm_settings *a,
				  const struct backend_vm_settings *b);
	bool (*own_settings_equal)(const struct backend_own_settings *a,
				   const struct backend_own_settings *b);

	/*
	 * Connects to the host. `own` outlives the backend. Returns its context, or NULL and why
	 * not in `error`. VMs that are not configured are none of its business, but it may log
	 * them.
	 */
	void *(*open)(const struct backend_env *env, const struct backend_own_settings *own,
		      char error[BACKEND_ERROR_MAX]);
	/* Lets go of everything; sizes stay as they are. Calls nothing. */
	void (*close)(void *ctx);

	/* Starts to look for a VM; `settings` and `name` outlive it. Returns 0, or -1 for no
	 * memory. */
	int (*vm_open)(void *ctx, uint32_t vm, const char *name,
		       const struct backend_vm_settings *settings, uint64_t max_pages);
	/* Forgets it: unmaps, disconnects, leaves its size as it is. Calls nothing. */
	void (*vm_close)(void *ctx, uint32_t vm);

	/* The core's port, for VMs that have started; contract in core/poise_port.h. */
	enum poise_err (*resize)(void *ctx, uint32_t vm, uint64_t target_pages, uint64_t epoch);
	enum poise_err (*measure)(void *ctx, uint32_t vm, uint64_t *pages);

	/* Once an interval for each configured VM, before its page is read: time to look after
	 * files and connections. `want_stats`: the guest's page has nothing fresh, so statistics
	 * by other means are to be asked for, which may come later. */
	void (*poll)(void *ctx, uint32_t vm, bool want_stats);
	void (*pages)(void *ctx, uint32_t vm, struct backend_pages *out);
	/* The host page has been written: rings the guest if there is a way. May be NULL. */
	void (*told)(void *ctx, uint32_t vm);

	/* All memory that the host could share out, its own included: the start for `pool =
	 * "auto"`. Returns POISE_OK, or POISE_E_PORT when it cannot be read. */
	enum poise_err (*host_total)(void *ctx, uint64_t *pages);
	/*
	 * Memory that is free for VMs by the host's own count, in pages: what the host itself needs
	 * (`reserve_pages`) is taken off, and so is what running VMs may still touch without asking
	 * (size less resident). Bounds what the daemon lets the core give. Returns as host_total.
	 */
	enum poise_err (*host_free)(void *ctx, uint64_t reserve_pages, uint64_t *pages);

	void (*status)(void *ctx, uint32_t vm, struct backend_status *out);

	/*
	 * Names this start of a VM that has started: another start of it in this boot of the host
	 * has another name. By it a later daemon knows that what was learned of the VM still holds.
	 * Returns false when it cannot tell. May be NULL.
	 */
	bool (*identity)(void *ctx, uint32_t vm, char text[BACKEND_NAME_MAX]);
};

/* Those that this build has, NULL at the end; backends.c. */
extern const struct backend *const backends[];

#endif
