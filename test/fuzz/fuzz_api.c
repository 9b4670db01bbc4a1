/* SPDX-License-Identifier: MIT */
/* libFuzzer target: calls of the API and answers of the port out of the input, against api.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"

struct input {
	const uint8_t *data;
	size_t left;
};

/* Two bytes make a choice of 64 bits: small numbers, and their mirror images for the borders. */
static uint64_t next(void *arg)
{
	struct input *in = arg;
	uint16_t bytes = 0;
	if (in->left >= sizeof(bytes)) {
		memcpy(&bytes, in->data, sizeof(bytes));
		in->data += sizeof(bytes);
		in->left -= sizeof(bytes);
	} else {
		in->left = 0;
	}
	return (bytes & 1) != 0 ? bytes >> 1 : (uint64_t)bytes * 0x9e3779b97f4a7c15u >> 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct api api;
	struct input in = {data, size};
	const char *what = api_start(&api, next, &in);
	for (unsigned step = 1; what == NULL && in.left > 0; step++) {
		what = api_step(&api);
		if (what == NULL && step % 16 == 0) {
			what = api_restart(&api);
		}
	}
	if (what != NULL) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
	return 0;
}
