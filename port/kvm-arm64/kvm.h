/* SPDX-License-Identifier: MIT */
/* The KVM backend's own: one VM of QEMU, from its QMP socket to its pages. */
#ifndef KVM_KVM_H
#define KVM_KVM_H

#include "backend.h"
#include "link.h"
#include "pagefile.h"
#include "stats.h"

#define KVM_PATH_MAX 108

struct backend_vm_settings {
	char qmp[KVM_PATH_MAX];
	char page_file[KVM_PATH_MAX];     /* "": none */
	char pid_file[KVM_PATH_MAX];      /* "": the process behind the socket */
	char balloon[BACKEND_DETAIL_MAX]; /* QOM path; "": looked for */
};

struct backend_own_settings {
	uint32_t deadline_ms;
	uint64_t overhead_pages;
};

/* The requests that are made, each at most once at a time. */
enum kvm_request {
	REQUEST_STATUS = 1, /* is it running, paused, being migrated */
	REQUEST_MEMORY,     /* what it booted with */
	REQUEST_ACTUAL,     /* query-balloon */
	REQUEST_BALLOON,    /* set its size */
	REQUEST_FIND,       /* the balloon's QOM path: devices with a name of their own */
	REQUEST_FIND_ANON,  /* and those without */
	REQUEST_POLLING,    /* switch the balloon's statistics on or off */
	REQUEST_STATS
};

/*
 * Life of a VM.
 *
 *	AWAY       nobody listens at its socket
 *	HANDSHAKE  connected; state, size and balloon are being asked for
 *	QUIESCING  told to stay at the size it has: an earlier daemon may have asked for another
 *	RUNNING    started, as far as the daemon is concerned; also while the connection is down
 */
enum kvm_life { KVM_AWAY, KVM_HANDSHAKE, KVM_QUIESCING, KVM_RUNNING };

struct kvm {
	struct backend_env env;
	const struct backend_own_settings *own;
	struct kvm_vm *vm[POISE_VM_MAX];
};

struct kvm_vm {
	struct kvm *kvm;
	uint32_t slot;
	const char *name;
	const struct backend_vm_settings *settings;
	uint64_t max_pages;

	enum kvm_life life;
	struct link link;
	uint64_t retry_ms;            /* no attempt to connect before then */
	uint32_t failures;            /* to meet it, in a row */
	pid_t pid;                    /* 0: unknown */
	int pidfd;                    /* readable when the process has ended; -1: none */
	struct event *ended;          /* waits for that */
	struct event *watch;          /* looks after a move that is under way */
	char why[BACKEND_DETAIL_MAX]; /* the connection is down, or the balloon not ours */
	bool refused;                 /* it has no balloon that can be asked */
	bool incoming;                /* being restored or migrated to here: not a VM yet */
	bool silent;                  /* a request has been waited for longer than the deadline */

	uint64_t ram_pages;      /* what it booted with; 0: not known yet */
	uint64_t actual_pages;   /* balloon taken off, says QEMU; 0: not known yet */
	bool fresh;              /* actual_pages was counted after the last size that was sent */
	uint64_t late_id;        /* a question that was asked before it: its answer is not that */
	uint64_t changed_ms;     /* when it last was another one */
	uint64_t quiesced_pages; /* told to stay at, when it was met */
	uint64_t resident_pages; /* 0: unknown */
	uint32_t not_freed;      /* looks in a row at which more was resident than it should have */

	uint64_t target_pages; /* last asked for by the core; 0: nothing yet */
	uint64_t epoch;
	uint64_t sent_epoch;  /* QEMU has taken this one */
	uint64_t asked_epoch; /* is on its way to QEMU */
	bool unsent;          /* target_pages is to be sent as soon as the link takes it */

	struct pagefile file;
	char balloon[BACKEND_DETAIL_MAX]; /* QOM path; "": not known */
	uint64_t boots;                   /* names boots in the statistics' page */
	bool polling;                     /* the balloon's statistics are switched on */
	struct stats *stats;
};

#endif
