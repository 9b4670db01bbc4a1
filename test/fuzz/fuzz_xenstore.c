/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the reader of xenstore's strings. The input is cut at each 0xff into the nodes that a
 * guest announces. Whatever it reads is in range, and a reader that refuses changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good)
{
	if (!good) {
		abort();
	}
}

static void check_announce(const struct xen_value nodes[XEN_NODE_COUNT])
{
	struct xen_announce out = {.generation = 1, .guest_ref = 2, .host_ref = 3, .port = 4};
	bool none;
	if (xen_parse_announce(nodes, &out, &none) == NULL) {
		expect(!none && out.generation != 0 && out.guest_ref != 0 && out.host_ref != 0);
		expect(out.guest_ref <= XEN_GRANT_REF_MAX && out.host_ref <= XEN_GRANT_REF_MAX);
		expect(out.guest_ref != out.host_ref && out.port != 0 && out.port <= XEN_PORT_MAX);
	} else {
		expect(out.generation == 1 && out.guest_ref == 2 && out.host_ref == 3);
	}
}

static void check_value(struct xen_value value)
{
	uint64_t number = 7;
	int64_t offset = 7;
	char name[XEN_NAME_MAX];
	if (xen_parse_number(value, 5, XEN_KIB_MAX, &number)) {
		/* What is taken is what strtoull makes of it, nothing left over. */
		char text[32] = "", *end;
		memcpy(text, value.text, value.length);
		expect(strtoull(text, &end, 10) == number && *end == '\0');
		expect(number >= 5 && number <= XEN_KIB_MAX);
	} else {
		expect(number == 7);
	}
	if (xen_parse_offset(value, 4096, &offset)) {
		expect(offset >= -4096 && offset <= 4096);
	} else {
		expect(offset == 7);
	}
	if (xen_parse_name(value, name)) {
		expect(strlen(name) == value.length && value.length < XEN_NAME_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xen_value nodes[XEN_NODE_COUNT] = {{NULL, 0}};
	char *copies[XEN_NODE_COUNT] = {NULL};
	size_t from = 0;
	for (size_t n = 0; n < XEN_NODE_COUNT && from < size; n++) {
		const uint8_t *stop = memchr(data + from, 0xff, size - from);
		const size_t length = stop != NULL ? (size_t)(stop - data) - from : size - from;
		/* A copy of its own, of exactly its size: a byte too far is seen. */
		copies[n] = malloc(length > 0 ? length : 1);
		memcpy(copies[n], data + from, length);
		nodes[n] = (struct xen_value){.text = copies[n], .length = length};
		check_value(nodes[n]);
		from += length + 1;
	}
	check_announce(nodes);
	for (size_t n = 0; n < XEN_NODE_COUNT; n++) {
		free(copies[n]);
	}
	return 0;
}
