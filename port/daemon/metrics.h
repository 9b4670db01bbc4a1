/* SPDX-License-Identifier: MIT */
/* What the daemon says about itself, for Prometheus: the answer to {"do": "metrics"}. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <jansson.h>

#include "poised.h"

/* An object with the whole text; NULL when there is no memory. */
json_t *metrics_json(const struct poised *d);

#endif
