/* SPDX-License-Identifier: MIT */
/*
 * What every port with pages and doorbells needs beside the core: the last notice of each VM, the
 * host page's writer, and a stopwatch for relief. Freestanding, without a clock or state of its
 * own: the EL2 monitor has it, and the daemon.
 */
#ifndef PORT_KIT_H
#define PORT_KIT_H

#include <stdbool.h>
#include <stdint.h>

#include "poise.h"

/* --- notices --- */

/* A VM's last notice, for a page that comes later or that somebody else has written to. */
struct port_notice {
	struct poise_notice last;
	bool known; /* `last` holds something */
};

void port_notice_keep(struct port_notice *kept, const struct poise_notice *notice);

/*
 * Writes the last notice into the host page `page`, NULL for none. Returns whether it has been
 * written, so that the guest can be told to look.
 */
bool port_notice_write(const struct port_notice *kept, struct poise_host_page *page,
		       struct poise_host_writer *writer);

/*
 * Takes over a page that others may have written, an earlier daemon or a guest: the next sequence
 * number is even and other than what any reader has seen, and updates are counted from `update` on,
 * which no earlier writer may have reached: a clock will do.
 */
void port_writer_take_over(struct poise_host_writer *writer, const struct poise_host_page *page,
			   uint64_t update);

/* Whether the page's sequence word is another one than this writer has left there. */
bool port_writer_disturbed(const struct poise_host_writer *writer,
			   const struct poise_host_page *page);

/* --- relief --- */

/* How long it takes from an urgent word to the first request; in the unit of the port's clock. */
struct port_relief {
	uint64_t since; /* the word that is being served was seen then; 0: none is */
	uint64_t count; /* words that led to a request at once */
	uint64_t least; /* 0: none yet */
	uint64_t most;
};

/* An urgent word has been seen and is going to be served. `now`: not 0. */
void port_relief_begin(struct port_relief *relief, uint64_t now);
/* The core makes a request, for whatever reason: the first after `begin` is counted. */
void port_relief_asked(struct port_relief *relief, uint64_t now);
/* The word has been served, with or without a request. */
void port_relief_end(struct port_relief *relief);

#endif
