/* SPDX-License-Identifier: MIT */
/* What happens to the machine while it runs. */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include "host.h"

/* What is due by now happens. */
void sim_host_events(struct sim_host *h);

#endif
