/* SPDX-License-Identifier: MIT */
/* Recordings; see recording.h. */
#include "recording.h"

static bool record_file_write(void *ctx, const char *line, size_t size)
{
	return fwrite(line, 1, size, ctx) == size;
}

const char *recording_start(struct poised *d, const struct sink *sink)
{
	const char *wrong = sinks_add(&d->sinks, sink, &d->core);

	if (wrong != NULL) {
		recording_stop(d, sink->ctx);
	}
	return wrong;
}

void recording_stop(struct poised *d, const void *ctx)
{
	sinks_remove(&d->sinks, ctx);
	if (d->record != NULL && ctx == d->record) {
		fclose(d->record);
		d->record = NULL;
	}
}

int recording_open(struct poised *d)
{
	const char *wrong;
	struct sink sink = {.write = record_file_write};

	if (d->conf->record[0] == '\0') {
		return 0;
	}
	d->record = fopen(d->conf->record, "we");
	if (d->record == NULL) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be opened for the recording",
			 d->conf->record);
		return -1;
	}
	sink.ctx = d->record;
	wrong = sinks_add(&d->sinks, &sink, NULL);
	return wrong == NULL ? 0 : -1;
}

void recording_flush(struct poised *d)
{
	if (d->record != NULL && fflush(d->record) != 0) {
		log_line(LOG_LEVEL_ERROR, "%s: cannot be written to: the recording ends here",
			 d->conf->record);
		recording_stop(d, d->record);
	}
}
