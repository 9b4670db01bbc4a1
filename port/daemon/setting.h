/* SPDX-License-Identifier: MIT */
/*
 * Single settings of the configuration file, checked. The first mistake is kept, with file and
 * line; what is read after it is not to be used.
 */
#ifndef DAEMON_SETTING_H
#define DAEMON_SETTING_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setting_reader {
	const char *path; /* of the file, for messages */
	char *error;      /* takes the first mistake: "file:line: reason" */
	size_t size;      /* of error */
	bool failed;
};

/* Notes a mistake at a setting. `reason`: as for printf. */
void setting_error(struct setting_reader *r, const config_setting_t *at, const char *reason, ...)
	__attribute__((format(printf, 3, 4)));

/* Every member of the group has to be one of the names in `names` or `more`, "a,b,c". */
void setting_known(struct setting_reader *r, const config_setting_t *group, const char *names,
		   const char *more);

/* Returns a group inside a group, or NULL if it is not there. */
config_setting_t *setting_group(struct setting_reader *r, config_setting_t *parent,
				const char *name);

/* Returns a whole number in least..most, or `fallback` when it is not there (also for a NULL
 * `group`). */
uint64_t setting_number(struct setting_reader *r, config_setting_t *group, const char *name,
			uint64_t least, uint64_t most, uint64_t fallback);

/*
 * Returns a size in pages of 4 KiB, at most `most`: a whole number of MiB, or a text with a unit:
 * "65536K", "64M", "2G". Never 0. `fallback` when it is not there; with fallback 0 it has to be
 * there.
 */
uint64_t setting_pages(struct setting_reader *r, config_setting_t *group, const char *name,
		       uint64_t most, uint64_t fallback);

bool setting_flag(struct setting_reader *r, config_setting_t *group, const char *name,
		  bool fallback);

/* Copies a text of 1..size-1 printable characters. NULL as fallback: it has to be there. */
void setting_text(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback);

/* As setting_text, for an absolute path; "" as fallback: it may be missing. */
void setting_path(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback);

/* Returns the place in `words`, "a,b,c", of a text; `fallback` when it is not there. */
unsigned setting_choice(struct setting_reader *r, config_setting_t *group, const char *name,
			const char *words, unsigned fallback);

/* Reads a size as setting_pages does, from a text; a number without a unit is MiB. Returns false if
 * it is none, or 0, or above `most`. */
bool setting_parse_pages(const char *text, uint64_t most, uint64_t *pages);

#endif
