/* SPDX-License-Identifier: MIT */
/* What the daemon says about itself: the answer to {"do": "status"}. */
#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

#include <jansson.h>

#include "poised.h"

json_t *status_json(const struct poised *d);

#endif
