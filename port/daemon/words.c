/* SPDX-License-Identifier: MIT */
/* Words for numbers; see words.h. */
#include "words.h"

#include "backend.h"

const char *words_source(enum source source)
{
	static const char *const names[] = {
		[SOURCE_NONE] = "none", [SOURCE_PAGE] = "page", [SOURCE_STATS] = "stats"};

	return names[source];
}

const char *words_alarm(unsigned bit)
{
	static const char *const names[BACKEND_ALARM_COUNT] = {
#define BACKEND_ALARM(code, place, name, words) [place] = name,
#include "alarms.def"
#undef BACKEND_ALARM
	};

	return bit < BACKEND_ALARM_COUNT ? names[bit] : "?";
}
