/* SPDX-License-Identifier: MIT */
/*
 * Text that somebody else has written, for the programs that run on an operating system: files of
 * settings, words in a list. What a recording is, is in record.h.
 */
#ifndef PORT_TEXT_H
#define PORT_TEXT_H

/* No file is longer, in bytes. */
#define TEXT_MAX (1024u * 1024u)

/*
 * Reads a whole file, whatever it is, since libconfig's own reader ends the process at a read
 * error. Returns its text, NUL at the end and nowhere else, to be freed; or NULL and why not in
 * `reason`.
 */
char *text_read(const char *path, const char **reason);

/* Returns the place of a word in "a,b,c", from 0 on, or -1. */
int text_find_word(const char *words, const char *word);

#endif
