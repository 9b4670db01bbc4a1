/* SPDX-License-Identifier: MIT */
/* The control socket; see control.h. Reads are bounded by a line, writes by a buffer. */
#include "control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "change.h"
#include "clock.h"
#include "metrics.h"
#include "poised.h"
#include "recording.h"
#include "shallow.h"
#include "status.h"
#include "text.h"
#include "vms.h"

/* A client that does not read what it asked for is let go. */
#define OUTPUT_MAX (4u * 1024u * 1024u)
/* A half line is waited for so long. */
#define IDLE_S 60
/* Deeper than any request. jansson's own bound on nesting is far above what is wanted here. */
#define DEPTH_MAX 4

struct client {
	struct control *control;
	struct bufferevent *io; /* NULL: free */
	bool records;
};

struct control {
	struct poised *d;
	struct evconnlistener *listener;
	char path[CONFIG_PATH_MAX];
	struct client client[CONTROL_CLIENTS_MAX];
};

/* --- requests --- */

static json_t *refusal(const char *reason)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", reason);
}

static json_t *outcome(const char *wrong)
{
	return wrong != NULL ? refusal(wrong) : json_pack("{s:b}", "ok", 1);
}

static json_t *answer_vm(struct poised *d, const char *verb, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "vm"));
	const char *key = json_string_value(json_object_get(request, "key"));
	const char *value = json_string_value(json_object_get(request, "value"));
	const uint32_t vm = name == NULL ? POISE_VM_MAX : vms_find(d, name);

	if (vm == POISE_VM_MAX) {
		return refusal("no VM with that name");
	}
	if (strcmp(verb, "why") == 0) {
		return json_pack("{s:b, s:o}", "ok", 1, "lines",
				 history_words(&d->vm[vm].history, clock_now_ms()));
	}
	if (strcmp(verb, "set") == 0) {
		return key == NULL || value == NULL ? refusal("set needs key and value as texts")
						    : outcome(change_set(d, vm, key, value));
	}
	return outcome(change_freeze(d, vm, strcmp(verb, "freeze") == 0));
}

static json_t *answer(struct poised *d, const json_t *request, const struct sink *sink)
{
	const char *verb = json_string_value(json_object_get(request, "do"));

	if (verb == NULL) {
		return refusal("a request is an object with \"do\"");
	}
	if (strcmp(verb, "status") == 0) {
		return status_json(d);
	}
	if (strcmp(verb, "metrics") == 0) {
		return metrics_json(d);
	}
	if (strcmp(verb, "record") == 0) {
		/* The answer goes out first, so that the lines can follow it. */
		return json_pack("{s:b, s:b}", "ok", 1, "record", sink != NULL);
	}
	if (text_find_word("why,set,freeze,thaw", verb) >= 0) {
		return answer_vm(d, verb, request);
	}
	return refusal("do has to be one of status,metrics,why,set,freeze,thaw,record");
}

json_t *control_answer(struct poised *d, const char *line, size_t size, const struct sink *sink)
{
	json_t *request = NULL;
	json_t *reply;

	if (json_shallow(line, size, DEPTH_MAX)) {
		request = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	}
	reply = request == NULL ? refusal("not one JSON object in a line")
				: answer(d, request, sink);
	json_decref(request);
	return reply;
}

/* --- clients --- */

static void client_close(struct client *c)
{
	if (c->records) {
		recording_stop(c->control->d, c);
	}
	bufferevent_free(c->io);
	*c = (struct client){.control = c->control};
}

/* A recording's line; false: the client does not read, or has gone. */
static bool client_write(void *ctx, const char *line, size_t size)
{
	struct client *c = ctx;

	if (c->io == NULL ||
	    evbuffer_get_length(bufferevent_get_output(c->io)) + size > OUTPUT_MAX) {
		return false;
	}
	return bufferevent_write(c->io, line, size) == 0;
}

static bool client_reply(struct client *c, json_t *reply)
{
	char *text = reply == NULL ? NULL : json_dumps(reply, JSON_COMPACT);
	const bool done =
		text != NULL && client_write(c, text, strlen(text)) && client_write(c, "\n", 1);

	free(text);
	json_decref(reply);
	return done;
}

static bool client_request(struct client *c, const char *line, size_t size)
{
	const struct sink sink = {.write = client_write, .ctx = c};
	json_t *reply = control_answer(c->control->d, line, size, c->records ? NULL : &sink);
	const bool starts = json_is_true(json_object_get(reply, "record"));

	if (!client_reply(c, reply)) {
		return false;
	}
	if (starts) {
		const char *wrong = recording_start(c->control->d, &sink);

		c->records = wrong == NULL;
		if (wrong != NULL) {
			log_line(LOG_LEVEL_WARNING, "recording: %s", wrong);
		}
		return wrong == NULL;
	}
	return true;
}

static void client_read(struct bufferevent *io, void *ctx)
{
	struct client *c = ctx;
	struct evbuffer *in = bufferevent_get_input(io);
	size_t size;
	char *line;

	while ((line = evbuffer_readln(in, &size, EVBUFFER_EOL_LF)) != NULL) {
		const bool on = size < CONTROL_LINE_MAX && client_request(c, line, size);

		free(line);
		if (!on) {
			client_close(c);
			return;
		}
	}
	if (evbuffer_get_length(in) >= CONTROL_LINE_MAX) {
		client_close(c);
	}
}

static void client_event(struct bufferevent *io, short what, void *ctx)
{
	struct client *c = ctx;

	/* Who takes a recording, or has been answered and keeps quiet, may stay. */
	if ((what & BEV_EVENT_TIMEOUT) != 0 &&
	    evbuffer_get_length(bufferevent_get_input(io)) == 0) {
		bufferevent_enable(io, EV_READ);
		return;
	}
	client_close(c);
}

static void accept_client(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *address, int length, void *ctx)
{
	struct control *control = ctx;
	const struct timeval idle = {.tv_sec = IDLE_S};
	struct client *c = NULL;

	(void)listener;
	(void)address;
	(void)length;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->client[i].io == NULL) {
			c = &control->client[i];
			break;
		}
	}
	if (c == NULL) {
		close(fd);
		return;
	}
	c->io = bufferevent_socket_new(control->d->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->io == NULL) {
		close(fd);
		return;
	}
	bufferevent_setcb(c->io, client_read, NULL, client_event, c);
	bufferevent_setwatermark(c->io, EV_READ, 0, CONTROL_LINE_MAX);
	bufferevent_set_timeouts(c->io, &idle, NULL);
	bufferevent_enable(c->io, EV_READ | EV_WRITE);
}

/* --- the socket --- */

/* The group by its name; the daemon's own if there is none in the configuration. */
static int set_group(const struct config *conf)
{
	const struct group *group;

	if (conf->group[0] == '\0') {
		return 0;
	}
	group = getgrnam(conf->group);
	if (group == NULL) {
		errno = ENOENT;
		return -1;
	}
	return chown(conf->socket, (uid_t)-1, group->gr_gid);
}

static int listen_at(const struct config *conf)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat there;
	mode_t before;
	int failed;

	if (fd < 0) {
		return -1;
	}
	memcpy(address.sun_path, conf->socket, strlen(conf->socket) + 1u);
	/* Left over from a daemon that was killed: the lock says that there is no other one. */
	if (lstat(conf->socket, &there) == 0 && S_ISSOCK(there.st_mode)) {
		unlink(conf->socket);
	}
	/* Nobody gets in before the mode is right. */
	before = umask(0777);
	failed = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (failed != 0 || set_group(conf) != 0 || chmod(conf->socket, conf->mode) != 0 ||
	    listen(fd, CONTROL_CLIENTS_MAX) != 0) {
		const int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

struct control *control_open(struct poised *d)
{
	struct control *control = calloc(1, sizeof(*control));
	const int fd = control == NULL ? -1 : listen_at(d->conf);

	if (fd < 0) {
		log_line(LOG_LEVEL_ERROR, "%s: %s", d->conf->socket, strerror(errno));
		free(control);
		return NULL;
	}
	control->d = d;
	memcpy(control->path, d->conf->socket, sizeof(control->path));
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		control->client[i].control = control;
	}
	control->listener =
		evconnlistener_new(d->base, accept_client, control, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (control->listener == NULL) {
		log_line(LOG_LEVEL_ERROR, "%s: no memory", d->conf->socket);
		close(fd);
		free(control);
		return NULL;
	}
	return control;
}

void control_close(struct control *control)
{
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (control->client[i].io != NULL) {
			client_close(&control->client[i]);
		}
	}
	evconnlistener_free(control->listener);
	unlink(control->path);
	free(control);
}
