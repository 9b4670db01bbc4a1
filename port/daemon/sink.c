/* SPDX-License-Identifier: MIT */
/* Who takes the lines of a recording; see sink.h. */
#include "sink.h"

#include "record.h"

const char *sinks_add(struct sinks *sinks, const struct sink *sink, const struct poise *core)
{
	for (size_t i = 0; i < SINKS_MAX; i++) {
		if (sinks->sink[i].write == NULL) {
			sinks->sink[i] = *sink;
			return (core != NULL ? record_begin(core, sink->write, sink->ctx)
					     : sink->write(sink->ctx, RECORD_HEADER "\n",
							   sizeof(RECORD_HEADER)))
				       ? NULL
				       : "cannot be written to";
		}
	}
	return "too many recordings at once";
}

void sinks_remove(struct sinks *sinks, const void *ctx)
{
	for (size_t i = 0; i < SINKS_MAX; i++) {
		if (sinks->sink[i].ctx == ctx) {
			sinks->sink[i] = (struct sink){0};
		}
	}
}

void sinks_write(struct sinks *sinks, const struct poise_event *event)
{
	char line[RECORD_LINE_MAX];
	size_t size = 0;

	for (size_t i = 0; i < SINKS_MAX; i++) {
		struct sink *sink = &sinks->sink[i];

		if (sink->write == NULL) {
			continue;
		}
		if (size == 0) {
			size = record_format(event, line, sizeof(line));
		}
		if (!sink->write(sink->ctx, line, size)) {
			sink->write = NULL;
		}
	}
}
