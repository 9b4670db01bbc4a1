/* SPDX-License-Identifier: MIT */
/* Names and texts of the error codes, from the one list. */
#include "poise_err.h"

/* Each code's name and, behind its end, its text. */
static const char *const errors[POISE_ERR_COUNT] = {
	[0] = "OK\0no error",
#define POISE_ERR(name, value, text) [-(value)] = #name "\0" text,
#include "poise_err.def"
#undef POISE_ERR
};

const char *poise_err_name(enum poise_err err)
{
	const unsigned at = 0u - (unsigned)err;
	return at < POISE_ERR_COUNT && errors[at] != 0 ? errors[at] : "?\0unknown error";
}

const char *poise_strerror(enum poise_err err)
{
	const char *at = poise_err_name(err);
	while (*at != 0) {
		at++;
	}
	return at + 1;
}
