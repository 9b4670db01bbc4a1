/* SPDX-License-Identifier: MIT */
/* Records in words; see history.h. */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>

#include "poise_names.h"

#define MIB(pages) ((double)(pages) / 256.0)
#define Q16(value) ((double)(int64_t)(value) / 65536.0 / 256.0)

void history_add(struct history *history, const struct poise_event *event)
{
	switch (event->code) {
	case POISE_EVENT_PLAN:
	case POISE_EVENT_RESIZE:
	case POISE_EVENT_STATE:
	case POISE_EVENT_URGENT:
	case POISE_EVENT_RESTART:
	case POISE_EVENT_ADD:
	case POISE_EVENT_REMOVE:
	case POISE_EVENT_BAD:
	case POISE_EVENT_MEASURE:
		break;
	default:
		return;
	}
	history->event[history->count % HISTORY_MAX] = *event;
	history->event[history->count % HISTORY_MAX].data = NULL;
	history->count++;
}

void history_text(const struct poise_event *e, char *text, size_t size)
{
	switch (e->code) {
	case POISE_EVENT_PLAN:
		snprintf(text, size,
			 "plan: %.1f -> %.1f MiB (%s: %s; demand %+.1f MiB, reclaimable %.1f MiB)",
			 MIB(e->a), MIB(e->d), poise_rule_words(e->rule), poise_rule_name(e->rule),
			 Q16(e->b), Q16(e->c));
		break;
	case POISE_EVENT_RESIZE:
		snprintf(text, size, "asked for %.1f MiB, request %" PRIu64 " (%s: %s)%s%s",
			 MIB(e->a), e->b, poise_rule_words(e->rule), poise_rule_name(e->rule),
			 e->err == POISE_OK ? "" : ": not taken, ",
			 e->err == POISE_OK ? "" : poise_strerror(e->err));
		break;
	case POISE_EVENT_STATE:
		snprintf(text, size, "statistics: %s -> %s", poise_state_name((uint32_t)e->a),
			 poise_state_name((uint32_t)e->b));
		break;
	case POISE_EVENT_URGENT:
		snprintf(text, size, "the guest asks urgently: %s",
			 e->a != 0 ? "served at once" : "too soon, waits for the next tick");
		break;
	case POISE_EVENT_RESTART:
		snprintf(text, size, "restarted with %.1f MiB: history dropped, boot size charged",
			 MIB(e->a));
		break;
	case POISE_EVENT_ADD:
		snprintf(text, size, "started with %.1f MiB", MIB(e->a));
		break;
	case POISE_EVENT_SET:
		snprintf(text, size, "its configuration was changed");
		break;
	case POISE_EVENT_REMOVE:
		snprintf(text, size, "gone: %.1f MiB went back to the pool", MIB(e->a));
		break;
	case POISE_EVENT_BAD:
		snprintf(text, size, "no sample: %s", poise_strerror(e->err));
		break;
	case POISE_EVENT_MEASURE:
		if (e->err == POISE_OK) {
			snprintf(text, size, "measured: %.1f MiB", MIB(e->a));
		} else {
			snprintf(text, size, "could not be measured: %s", poise_strerror(e->err));
		}
		break;
	default:
		snprintf(text, size, "%s", poise_event_name(e->code));
		break;
	}
}

json_t *history_words(const struct history *history, uint64_t now_ms)
{
	json_t *lines = json_array();
	const uint64_t first = history->count > HISTORY_MAX ? history->count - HISTORY_MAX : 0;

	for (uint64_t i = first; i < history->count; i++) {
		const struct poise_event *e = &history->event[i % HISTORY_MAX];
		char text[HISTORY_TEXT_MAX];
		char line[HISTORY_TEXT_MAX + 32];

		history_text(e, text, sizeof(text));
		snprintf(line, sizeof(line), "%8.1f s ago  %s",
			 now_ms > e->now_ms ? (double)(now_ms - e->now_ms) / 1000.0 : 0.0, text);
		json_array_append_new(lines, json_string(line));
	}
	return lines;
}
