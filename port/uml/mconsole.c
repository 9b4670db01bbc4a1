/* SPDX-License-Identifier: MIT */
/* UML's management console; see mconsole.h. */
#include "mconsole.h"

#include <string.h>

#include "poise.h"

/* No number has more; the sum of all that find room in an answer does not wrap. */
#define DIGITS_MAX 15u

size_t mconsole_ask(struct mconsole_request *request, const char *command)
{
	size_t length = strlen(command);

	if (length > sizeof(request->data) - 1u) {
		length = sizeof(request->data) - 1u;
	}
	/* The kernel reads by `length`, and then puts a NUL there. */
	*request = (struct mconsole_request){
		.magic = MCONSOLE_MAGIC, .version = MCONSOLE_VERSION, .length = (uint32_t)length};
	memcpy(request->data, command, length);
	return offsetof(struct mconsole_request, data) + length + 1u;
}

void mconsole_begin(struct mconsole_answer *answer)
{
	answer->error = false;
	answer->parts = 0;
	answer->used = 0;
	answer->text[0] = '\0';
}

enum mconsole_part mconsole_take(struct mconsole_answer *answer, const void *datagram, size_t size)
{
	struct mconsole_reply reply;
	size_t length;

	if (size <= MCONSOLE_HEAD || size > sizeof(reply)) {
		return MCONSOLE_BAD;
	}
	memcpy(&reply, datagram, size);
	length = size - MCONSOLE_HEAD;
	if (reply.length != length || reply.more > 1 ||
	    memchr(reply.data, '\0', length) != reply.data + length - 1u) {
		return MCONSOLE_BAD;
	}
	length--;
	answer->parts++;
	if (answer->parts > MCONSOLE_PARTS_MAX || length >= sizeof(answer->text) - answer->used) {
		return MCONSOLE_BAD;
	}
	memcpy(answer->text + answer->used, reply.data, length + 1u);
	answer->used += length;
	/* The kernel marks only the first part. */
	answer->error = answer->error || reply.error != 0;
	return reply.more != 0 ? MCONSOLE_MORE : MCONSOLE_DONE;
}

/* Takes NUMBER out of a line "NAME NUMBER". Returns false for any other line. */
static bool line_number(const char *line, size_t size, const char *name, uint64_t *out)
{
	const size_t length = strlen(name);
	uint64_t value = 0;
	size_t at = 0;

	while (at < size && (line[at] == ' ' || line[at] == '\t')) {
		at++;
	}
	if (size - at <= length || memcmp(line + at, name, length) != 0 ||
	    line[at + length] != ' ') {
		return false;
	}
	at += length;
	while (at < size && line[at] == ' ') {
		at++;
	}
	if (at == size || size - at > DIGITS_MAX) {
		return false;
	}
	for (; at < size; at++) {
		if (line[at] < '0' || line[at] > '9') {
			return false;
		}
		value = value * 10u + (uint64_t)(line[at] - '0');
	}
	*out = value;
	return true;
}

/* Adds up what stands behind a name, in all lines that begin with it. Returns how many there are.
 */
static unsigned sum_lines(const char *text, const char *name, uint64_t *sum)
{
	unsigned found = 0;
	uint64_t value;

	*sum = 0;
	while (*text != '\0') {
		const size_t size = strcspn(text, "\n");

		if (line_number(text, size, name, &value)) {
			found++;
			*sum += value;
		}
		text += size + (text[size] != '\0');
	}
	return found;
}

bool mconsole_read_zones(const char *text, struct mconsole_zones *out)
{
	struct mconsole_zones zones;

	if (sum_lines(text, "pages free", &zones.free) == 0 ||
	    sum_lines(text, "min", &zones.min) == 0 ||
	    sum_lines(text, "managed", &zones.managed) == 0 || zones.managed == 0 ||
	    zones.managed > POISE_PAGES_MAX || zones.free > zones.managed ||
	    zones.min > zones.managed) {
		return false;
	}
	*out = zones;
	return true;
}

bool mconsole_read_switches(const char *text, uint64_t *out)
{
	uint64_t value;

	while (*text != '\0') {
		const size_t size = strcspn(text, "\n");

		if (line_number(text, size, "ctxt", &value)) {
			*out = value;
			return true;
		}
		text += size + (text[size] != '\0');
	}
	return false;
}
