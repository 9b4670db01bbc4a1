/* SPDX-License-Identifier: MIT */
/*
 * The protocol of User-Mode Linux's management console (the kernel's arch/um/drivers/mconsole.h):
 * a request is one datagram, an answer is one or more. Pure: no socket, no clock. What the other
 * side sends is hostile; no answer is longer than struct mconsole_answer.
 */
#ifndef UML_MCONSOLE_H
#define UML_MCONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MCONSOLE_MAGIC    0xcafebabeu
#define MCONSOLE_VERSION  2u
#define MCONSOLE_DATA_MAX 512u

/* Of this machine's byte order: both sides are on it. */
struct mconsole_request {
	uint32_t magic;
	uint32_t version;
	uint32_t length; /* of the text, without its NUL */
	char data[MCONSOLE_DATA_MAX];
};
struct mconsole_reply {
	uint32_t error;
	uint32_t more;   /* 1: another one follows */
	uint32_t length; /* of the text, with its NUL */
	char data[MCONSOLE_DATA_MAX];
};
#define MCONSOLE_HEAD offsetof(struct mconsole_reply, data)

/* What is asked for has at most 4 KiB: the text of /proc/zoneinfo and /proc/stat. */
#define MCONSOLE_TEXT_MAX  16384u
#define MCONSOLE_PARTS_MAX 64u

struct mconsole_answer {
	bool error;
	unsigned parts;
	size_t used;
	char text[MCONSOLE_TEXT_MAX]; /* with a NUL at `used` */
};

enum mconsole_part {
	MCONSOLE_BAD,  /* no part of an answer, or of one that has no end: the answer is unusable */
	MCONSOLE_MORE, /* another part has to come */
	MCONSOLE_DONE  /* the answer is complete */
};

/* Fills in a request; `command` is at most MCONSOLE_DATA_MAX - 1 long. Returns the bytes to send.
 */
size_t mconsole_ask(struct mconsole_request *request, const char *command);

void mconsole_begin(struct mconsole_answer *answer);
/* Takes a datagram into an answer that has begun. */
enum mconsole_part mconsole_take(struct mconsole_answer *answer, const void *datagram, size_t size);

/* Memory of the guest by its own count, over all of its zones; in its pages, of 4 KiB. */
struct mconsole_zones {
	uint64_t free;
	uint64_t min;     /* reclaim is direct below that */
	uint64_t managed; /* all that it hands out; what was taken from it by `config mem=-`
			     included */
};

/* Reads /proc/zoneinfo. Returns false, `out` unchanged, when it makes no sense. */
bool mconsole_read_zones(const char *text, struct mconsole_zones *out);

/* Reads the number of context switches out of /proc/stat. Returns false when there is none. */
bool mconsole_read_switches(const char *text, uint64_t *out);

#endif
