/* SPDX-License-Identifier: MIT */
/* Text files, words in a list; see text.h. */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_read(const char *path, const char **reason)
{
	FILE *in = fopen(path, "re");
	char *text = malloc(TEXT_MAX + 1u);
	size_t size = 0;

	*reason = NULL;
	if (in == NULL) {
		*reason = strerror(errno);
	} else if (text == NULL) {
		*reason = "no memory";
	} else {
		size = fread(text, 1, TEXT_MAX + 1u, in);
		*reason = ferror(in) != 0 ? strerror(errno) : NULL;
		if (size > TEXT_MAX) {
			*reason = "longer than 1 MiB";
			size = TEXT_MAX;
		}
		text[size] = '\0';
		if (*reason == NULL && strlen(text) != size) {
			*reason = "a zero byte";
		}
	}
	if (in != NULL) {
		fclose(in);
	}
	if (*reason != NULL) {
		free(text);
		text = NULL;
	}
	return text;
}

int text_find_word(const char *words, const char *word)
{
	const size_t length = strlen(word);

	for (int place = 0; *words != '\0'; place++) {
		const size_t size = strcspn(words, ",");

		if (size == length && strncmp(words, word, length) == 0) {
			return place;
		}
		words += size;
		words += *words == ',';
	}
	return -1;
}
