/* SPDX-License-Identifier: MIT */
/* What the backend tells the daemon at any time. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include "backend.h"

extern const struct backend_calls notify_calls;

#endif
