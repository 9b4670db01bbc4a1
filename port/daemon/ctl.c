/* SPDX-License-Identifier: MIT */
/* One request and its answer over poised's control socket; see ctl.h. */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A status of the largest table is far below. */
#define ANSWER_MAX (1024u * 1024u)

long long ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

const char *ctl_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

FILE *ctl_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *stream = NULL;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
	} else if (fd >= 0) {
		memcpy(address.sun_path, path, strlen(path) + 1u);
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
			stream = fdopen(fd, "r+");
		}
	}
	if (stream == NULL) {
		fprintf(stderr, "poisectl: %s: %s%s\n", path, strerror(errno),
			errno == ENOENT || errno == ECONNREFUSED ? " (does poised run?)" : "");
		if (fd >= 0) {
			close(fd);
		}
	}
	return stream;
}

char *ctl_line(FILE *stream)
{
	char *line = malloc(ANSWER_MAX);

	if (line != NULL && fgets(line, ANSWER_MAX, stream) == NULL) {
		free(line);
		line = NULL;
	}
	return line;
}

json_t *ctl_ask(FILE *stream, json_t *request)
{
	char *text = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
	char *line = NULL;
	json_t *answer = NULL;

	json_decref(request);
	if (text != NULL && fprintf(stream, "%s\n", text) > 0 && fflush(stream) == 0) {
		line = ctl_line(stream);
	}
	free(text);
	if (line != NULL) {
		answer = json_loads(line, 0, NULL);
	}
	free(line);
	if (answer == NULL) {
		fputs("poisectl: poised has not answered\n", stderr);
	} else if (!json_is_true(json_object_get(answer, "ok"))) {
		fprintf(stderr, "poisectl: %s\n", ctl_text(answer, "error"));
		json_decref(answer);
		answer = NULL;
	}
	return answer;
}
