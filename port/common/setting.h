/* SPDX-License-Identifier: MIT */
/*
 * Single settings of a file that libconfig has read, checked: for the programs that run on an
 * operating system. The first mistake is kept, with file and line; what is read after it is not to
 * be used. A setting that is not there has its `fallback`, also when its group is NULL.
 */
#ifndef PORT_SETTING_H
#define PORT_SETTING_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setting_reader {
	const char *path; /* of the file, for messages */
	char *error;      /* takes the first mistake: "file:line: reason" */
	size_t size;      /* of error */
	bool printable;   /* texts may have printable ASCII only: they go to logs and sockets */
	bool failed;
};

/* Notes a mistake at a setting. `reason`: as for printf. */
void setting_error(struct setting_reader *r, const config_setting_t *at, const char *reason, ...)
	__attribute__((format(printf, 3, 4)));

/* Every member of the group has to be one of the names in `names` or `more`, "a,b,c". */
void setting_known(struct setting_reader *r, const config_setting_t *group, const char *names,
		   const char *more);

/* Returns a group inside a group, with no members but `known`, "a,b,c"; NULL if it is not there. */
config_setting_t *setting_group(struct setting_reader *r, config_setting_t *parent,
				const char *name, const char *known);

/* Returns a whole number in least..most. */
uint64_t setting_whole(struct setting_reader *r, config_setting_t *group, const char *name,
		       uint64_t least, uint64_t most, uint64_t fallback);

/* Returns a number, whole or with decimals, in least..most. NAN as fallback: it has to be there. */
double setting_number(struct setting_reader *r, config_setting_t *group, const char *name,
		      double least, double most, double fallback);

/* As setting_number, for sizes, MiB in the file and pages here, and for times, seconds and ms. */
uint64_t setting_mib(struct setting_reader *r, config_setting_t *group, const char *name,
		     double least, double fallback);
uint32_t setting_ms(struct setting_reader *r, config_setting_t *group, const char *name,
		    double least, double fallback);

/*
 * Returns a size in pages of 4 KiB, at most `most`: a whole number of MiB, or a text with a unit:
 * "65536K", "64M", "2G". Never 0. 0 as fallback: it has to be there.
 */
uint64_t setting_pages(struct setting_reader *r, config_setting_t *group, const char *name,
		       uint64_t most, uint64_t fallback);

bool setting_flag(struct setting_reader *r, config_setting_t *group, const char *name,
		  bool fallback);

/* Copies a text of 1..size-1 characters. NULL as fallback: it has to be there. */
void setting_text(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback);

/* As setting_text, for an absolute path; "" as fallback: it may be missing. */
void setting_path(struct setting_reader *r, config_setting_t *group, const char *name, char *out,
		  size_t size, const char *fallback);

/* Returns the place in `words`, "a,b,c", of a text. */
unsigned setting_choice(struct setting_reader *r, config_setting_t *group, const char *name,
			const char *words, unsigned fallback);

/* Reads a size as setting_pages does, from a text; a number without a unit is MiB. Returns false if
 * it is none, or 0, or above `most`. */
bool setting_parse_pages(const char *text, uint64_t most, uint64_t *pages);

#endif
