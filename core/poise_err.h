/* SPDX-License-Identifier: MIT */
/* Error codes, made from poise_err.def so that numbers and strings cannot drift apart. */
#ifndef POISE_ERR_H
#define POISE_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum poise_err {
	POISE_OK = 0,
#define POISE_ERR(name, value, text) POISE_E_##name = (value),
#include "poise_err.def"
#undef POISE_ERR
};

/* What is one past the smallest code, negated: the size of a table indexed by -code. */
#define POISE_ERR_COUNT 44

/* A caller that drops an error has a bug. */
#define POISE_MUST_CHECK __attribute__((warn_unused_result))

/* Returns the text of a code in English, "unknown error" for a number that is none. Context: any.
 */
const char *poise_strerror(enum poise_err err);

/* Returns the code's name, for example "TORN"; "?" for a number that is none. Context: any. */
const char *poise_err_name(enum poise_err err);

#ifdef __cplusplus
}
#endif

#endif
