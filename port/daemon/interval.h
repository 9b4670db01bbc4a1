/* SPDX-License-Identifier: MIT */
/* What is done once an interval. */
#ifndef DAEMON_INTERVAL_H
#define DAEMON_INTERVAL_H

#include "poised.h"

/* One interval's work; the timer's, and the tests'. */
void interval_run(struct poised *d);

#endif
