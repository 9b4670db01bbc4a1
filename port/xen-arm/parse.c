/* SPDX-License-Identifier: MIT */
/*
 * Text from xenstore -> numbers. Knows neither libxenstore nor what the numbers are for. strtoul
 * and sscanf take blanks, signs, "0x" and overflow in their stride, so they are not used.
 */
#include "parse.h"

const char *const xen_announce_names[XEN_NODE_COUNT] = {
	[XEN_NODE_VERSION] = "version",       [XEN_NODE_GUEST_REF] = "guest-ref",
	[XEN_NODE_HOST_REF] = "host-ref",     [XEN_NODE_EVENT_CHANNEL] = "event-channel",
	[XEN_NODE_GENERATION] = "generation",
};

#define DIGITS_MAX      20 /* of 2^64 */
#define GENERATION_TEXT 16

bool xen_parse_number(struct xen_value value, uint64_t least, uint64_t most, uint64_t *out)
{
	uint64_t number = 0;
	if (value.text == NULL || value.length == 0 || value.length > DIGITS_MAX ||
	    (value.text[0] == '0' && value.length > 1)) {
		return false;
	}
	for (size_t i = 0; i < value.length; i++) {
		const char c = value.text[i];
		if (c < '0' || c > '9') {
			return false;
		}
		const uint64_t digit = (uint64_t)(c - '0');
		if (number > (UINT64_MAX - digit) / 10) {
			return false;
		}
		number = number * 10 + digit;
	}
	if (number < least || number > most) {
		return false;
	}
	*out = number;
	return true;
}

bool xen_parse_offset(struct xen_value value, uint64_t most, int64_t *out)
{
	uint64_t magnitude = 0;
	const bool negative = value.text != NULL && value.length > 1 && value.text[0] == '-';
	if (negative) {
		value.text++;
		value.length--;
	}
	if (most > INT64_MAX || !xen_parse_number(value, negative, most, &magnitude)) {
		return false;
	}
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

bool xen_parse_generation(struct xen_value value, uint64_t *out)
{
	uint64_t number = 0;
	if (value.text == NULL || value.length != GENERATION_TEXT) {
		return false;
	}
	for (size_t i = 0; i < GENERATION_TEXT; i++) {
		const char c = value.text[i];
		uint64_t digit;
		if (c >= '0' && c <= '9') {
			digit = (uint64_t)(c - '0');
		} else if (c >= 'a' && c <= 'f') {
			digit = (uint64_t)(c - 'a') + 10;
		} else {
			return false;
		}
		number = number << 4 | digit;
	}
	if (number == 0) {
		return false;
	}
	*out = number;
	return true;
}

bool xen_parse_name(struct xen_value value, char out[XEN_NAME_MAX])
{
	if (value.text == NULL || value.length == 0 || value.length >= XEN_NAME_MAX) {
		return false;
	}
	for (size_t i = 0; i < value.length; i++) {
		if (value.text[i] <= ' ' || value.text[i] > '~') {
			return false;
		}
	}
	for (size_t i = 0; i < value.length; i++) {
		out[i] = value.text[i];
	}
	out[value.length] = '\0';
	return true;
}

const char *xen_parse_announce(const struct xen_value value[XEN_NODE_COUNT],
			       struct xen_announce *out, bool *none)
{
	uint64_t version, guest_ref, host_ref, port, generation;
	*none = true;
	for (size_t i = 0; i < XEN_NODE_COUNT; i++) {
		*none = *none && value[i].text == NULL;
	}
	if (*none) {
		return "no driver has announced itself";
	}
	if (!xen_parse_number(value[XEN_NODE_VERSION], 1, 1, &version)) {
		return "data/poise/version is not 1";
	}
	if (!xen_parse_number(value[XEN_NODE_GUEST_REF], 1, XEN_GRANT_REF_MAX, &guest_ref)) {
		return "data/poise/guest-ref is no grant reference";
	}
	if (!xen_parse_number(value[XEN_NODE_HOST_REF], 1, XEN_GRANT_REF_MAX, &host_ref)) {
		return "data/poise/host-ref is no grant reference";
	}
	if (guest_ref == host_ref) {
		return "data/poise: both references are the same";
	}
	if (!xen_parse_number(value[XEN_NODE_EVENT_CHANNEL], 1, XEN_PORT_MAX, &port)) {
		return "data/poise/event-channel is no port";
	}
	if (!xen_parse_generation(value[XEN_NODE_GENERATION], &generation)) {
		return "data/poise/generation is malformed";
	}
	*out = (struct xen_announce){.generation = generation,
				     .guest_ref = (uint32_t)guest_ref,
				     .host_ref = (uint32_t)host_ref,
				     .port = (uint32_t)port};
	return NULL;
}
