/* SPDX-License-Identifier: MIT */
/* Words for numbers: what status, metrics and log have in common. */
#ifndef DAEMON_WORDS_H
#define DAEMON_WORDS_H

/* Where a VM's statistics come from. */
enum source {
	SOURCE_NONE,  /* nothing has been heard yet: the VM keeps what it has */
	SOURCE_PAGE,  /* the guest's driver */
	SOURCE_STATS, /* the backend's own statistics of a guest without our driver */
};

const char *words_source(enum source source);
const char *words_alarm(unsigned bit); /* of BACKEND_ALARM_* */

#endif
