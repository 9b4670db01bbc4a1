/* SPDX-License-Identifier: MIT */
/* What blobs.S carries into the monitor's image: the guest binary and the traces, by name. */
#ifndef GUEST_BLOBS_H
#define GUEST_BLOBS_H

#include <stdint.h>

struct board_blob {
	const char *name; /* "guest", or a trace: "play", "web", ...; NULL ends the table */
	const uint8_t *start, *end;
};

extern const struct board_blob board_blobs[];

#endif
