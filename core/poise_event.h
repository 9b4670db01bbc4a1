/* SPDX-License-Identifier: MIT */
/*
 * Events: what came in and what was decided, in order, one record each. The port's `event` takes
 * them. Whoever keeps all of them can make the run again.
 */
#ifndef POISE_EVENT_H
#define POISE_EVENT_H

#include <stdint.h>

#include "poise_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an event is about; poise_events.def has their fields. */
enum poise_event_code {
#define POISE_EVENT(code, name, words) POISE_EVENT_##code,
#include "poise_events.def"
#undef POISE_EVENT
	POISE_EVENT_COUNT
};

struct poise_event {
	uint64_t now_ms;
	uint32_t code; /* enum poise_event_code */
	uint32_t vm;   /* slot; 0 where there is none */
	uint32_t rule; /* enum poise_rule: the last that shaped it */
	enum poise_err err;
	uint64_t a, b, c, d;
	const void *data;
};

#ifdef __cplusplus
}
#endif

#endif
