/* SPDX-License-Identifier: MIT */
/* Looks up keys in the guest's argument line. The keys are listed in README.md. */
#include "guest.h"

static bool starts_with(const char *text, const char *word, uint32_t *length)
{
	uint32_t i = 0;

	while (word[i] != '\0') {
		if (text[i] != word[i]) {
			return false;
		}
		i++;
	}
	*length = i;
	return true;
}

const char *args_find(const char *args, const char *key, uint32_t *length)
{
	while (*args != '\0') {
		uint32_t skip;

		while (*args == ' ') {
			args++;
		}
		if (starts_with(args, key, &skip) && args[skip] == '=') {
			const char *value = args + skip + 1u;

			*length = 0;
			while (value[*length] != '\0' && value[*length] != ' ') {
				(*length)++;
			}
			return value;
		}
		while (*args != '\0' && *args != ' ') {
			args++;
		}
	}
	return NULL;
}

uint32_t args_number(const char *args, const char *key, uint32_t otherwise)
{
	uint32_t length;
	const char *value = args_find(args, key, &length);
	uint64_t number = 0;

	if (value == NULL || length == 0 || length > 10u) {
		return otherwise;
	}
	for (uint32_t i = 0; i < length; i++) {
		if (value[i] < '0' || value[i] > '9') {
			return otherwise;
		}
		number = number * 10u + (uint64_t)(value[i] - '0');
	}
	return number <= UINT32_MAX ? (uint32_t)number : otherwise;
}

bool args_is(const char *args, const char *key, const char *value)
{
	uint32_t length;
	uint32_t same;
	const char *found = args_find(args, key, &length);

	return found != NULL && starts_with(found, value, &same) && same == length;
}
