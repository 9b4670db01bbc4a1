/* SPDX-License-Identifier: MIT */
/* A bound on nesting, before a parser that recurses sees what a peer has sent. */
#ifndef POISE_DAEMON_SHALLOW_H
#define POISE_DAEMON_SHALLOW_H

#include <stdbool.h>
#include <stddef.h>

/* Whether brackets in a JSON text nest no deeper than `most`; what stands in its strings does not
 * count. Any bytes, also such as are no JSON. */
static inline bool json_shallow(const char *line, size_t size, unsigned most)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < size; i++) {
		if (text && line[i] == '\\') {
			i++;
		} else if (line[i] == '"') {
			text = !text;
		} else if (!text && (line[i] == '{' || line[i] == '[')) {
			if (++depth > most) {
				return false;
			}
		} else if (!text && (line[i] == '}' || line[i] == ']')) {
			depth -= depth > 0;
		}
	}
	return true;
}

#endif
