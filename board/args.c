/* SPDX-License-Identifier: MIT */
/* The arguments of the run: words `name=value` on the command line that the host hands over. */
#include "args.h"

#include <stdlib.h>
#include <string.h>

#include "semi.h"

static char command_line[1024];

void board_args_init(void)
{
	if (!board_semi_command_line(command_line, sizeof(command_line))) {
		command_line[0] = '\0';
	}
}

bool board_arg(const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);
	const char *at = command_line;

	while (*at != '\0') {
		size_t length = strcspn(at, " ");
		if (length > name_length && at[name_length] == '=' &&
		    memcmp(at, name, name_length) == 0) {
			size_t bytes = length - name_length - 1;
			if (bytes >= size) {
				bytes = size - 1;
			}
			memcpy(value, at + name_length + 1, bytes);
			value[bytes] = '\0';
			return true;
		}
		at += length;
		at += strspn(at, " ");
	}
	return false;
}

uint64_t board_arg_number(const char *name, uint64_t otherwise)
{
	char text[24];
	char *end;

	if (!board_arg(name, text, sizeof(text)) || text[0] < '0' || text[0] > '9') {
		return otherwise;
	}
	uint64_t number = strtoull(text, &end, 10);
	return *end == '\0' ? number : otherwise;
}
