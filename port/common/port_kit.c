/* SPDX-License-Identifier: MIT */
/* What every port needs beside the core; see port_kit.h. */
#include "port_kit.h"

#include <stddef.h>

#include "poise_seq.h"

void port_notice_keep(struct port_notice *kept, const struct poise_notice *notice)
{
	kept->last = *notice;
	kept->known = true;
}

bool port_notice_write(const struct port_notice *kept, struct poise_host_page *page,
		       struct poise_host_writer *writer)
{
	if (!kept->known || page == NULL) {
		return false;
	}
	poise_host_page_write(page, writer, &kept->last);
	return true;
}

void port_writer_take_over(struct poise_host_writer *writer, const struct poise_host_page *page,
			   uint64_t update)
{
	writer->seq = (POISE_SEQ_LOAD(&page->head.seq) + 2u) & ~1u;
	writer->update = writer->update > update ? writer->update : update;
}

bool port_writer_disturbed(const struct poise_host_writer *writer,
			   const struct poise_host_page *page)
{
	return writer->seq != POISE_SEQ_LOAD(&page->head.seq);
}

void port_relief_begin(struct port_relief *relief, uint64_t now)
{
	relief->since = now;
}

void port_relief_asked(struct port_relief *relief, uint64_t now)
{
	if (relief->since != 0) {
		const uint64_t took = now - relief->since;

		relief->count++;
		relief->most = took > relief->most ? took : relief->most;
		relief->least = relief->least == 0 || took < relief->least ? took : relief->least;
		relief->since = 0;
	}
}

void port_relief_end(struct port_relief *relief)
{
	relief->since = 0;
}
