/* SPDX-License-Identifier: MIT */
/* Names and texts of the error codes, from the one list. */
#include "poise_err.h"

static const struct {
	const char *name, *text;
} errors[POISE_ERR_COUNT] = {
	[0] = {"OK", "no error"},
#define POISE_ERR(name, value, text) [-(value)] = {#name, text},
#include "poise_err.def"
#undef POISE_ERR
};

const char *poise_strerror(enum poise_err err)
{
	const unsigned at = 0u - (unsigned)err;
	return at < POISE_ERR_COUNT && errors[at].text != 0 ? errors[at].text : "unknown error";
}

const char *poise_err_name(enum poise_err err)
{
	const unsigned at = 0u - (unsigned)err;
	return at < POISE_ERR_COUNT && errors[at].name != 0 ? errors[at].name : "?";
}
