/* SPDX-License-Identifier: MIT */
/*
 * What a guest, or anybody who may write to xenstore, can put into a node that poised reads: text
 * of up to 4096 bytes. Checked here, once, and nowhere else. Pure functions on the bytes as
 * libxenstore hands them out; nothing is taken that is not exactly as ABI.md says.
 */
#ifndef XEN_PARSE_H
#define XEN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With its NUL: as BACKEND_NAME_MAX. */
#define XEN_NAME_MAX 64

/* A grant reference: 0 is none, and no table is larger. */
#define XEN_GRANT_REF_MAX 0xffffffu
/* An event channel port: the most that Xen's FIFO ABI has. */
#define XEN_PORT_MAX 0x1ffffu
/* A size in KiB: POISE_PAGES_MAX pages. */
#define XEN_KIB_MAX (UINT64_C(1) << 34)

/* What a guest's driver announces below data/poise (ABI.md, "Xen"). */
struct xen_announce {
	uint64_t generation; /* never 0 */
	uint32_t guest_ref;  /* granted read-only */
	uint32_t host_ref;
	uint32_t port; /* unbound, for the balancer's domain */
};

/* A node's content: `text` is NULL when the node is not there. Not necessarily a string: a NUL may
 * stand anywhere in it. */
struct xen_value {
	const char *text;
	size_t length;
};

/* The nodes below data/poise, in the order of xen_announce_names. */
enum xen_announce_node {
	XEN_NODE_VERSION,
	XEN_NODE_GUEST_REF,
	XEN_NODE_HOST_REF,
	XEN_NODE_EVENT_CHANNEL,
	XEN_NODE_GENERATION,
	XEN_NODE_COUNT
};
extern const char *const xen_announce_names[XEN_NODE_COUNT];

/*
 * Reads a decimal number: digits only, no sign, no blank, no leading zero, `least`..`most`.
 * Returns false, and leaves *out alone, for anything else.
 */
bool xen_parse_number(struct xen_value value, uint64_t least, uint64_t most, uint64_t *out);

/* As xen_parse_number for a number that may have a minus sign: -most..most. */
bool xen_parse_offset(struct xen_value value, uint64_t most, int64_t *out);

/* Reads 16 lower-case hexadecimal digits that are not all zero. Returns as above. */
bool xen_parse_generation(struct xen_value value, uint64_t *out);

/* Copies a domain's name: 1..XEN_NAME_MAX-1 printable ASCII characters. Returns as above. */
bool xen_parse_name(struct xen_value value, char out[XEN_NAME_MAX]);

/*
 * Reads all that a guest announces. Returns NULL and fills *out, or says what is wrong (a constant
 * text) and leaves *out alone. A guest that announces nothing at all is told apart by *none.
 */
const char *xen_parse_announce(const struct xen_value value[XEN_NODE_COUNT],
			       struct xen_announce *out, bool *none);

#endif
