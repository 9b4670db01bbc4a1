/* SPDX-License-Identifier: MIT */
/* Tells systemd; see service.h. */
#include "service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* The manager's queue may be full: a change of state waits for room this long. */
#define STATE_WAIT_MS 500

static void tell(const char *text, bool wait)
{
	const struct timeval patience = {.tv_usec = STATE_WAIT_MS * 1000};
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t length = path == NULL ? 0 : strlen(path);
	int fd;

	if (length < 2 || length >= sizeof(address.sun_path) ||
	    (path[0] != '/' && path[0] != '@')) {
		return;
	}
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') {
		address.sun_path[0] = '\0'; /* An abstract socket. */
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT),
		   (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
		log_line(LOG_LEVEL_DEBUG, "the service manager cannot be told: %s", text);
	}
	if (fd >= 0) {
		close(fd);
	}
}

void service_ready(void)
{
	tell("READY=1\nSTATUS=balancing", true);
}

void service_reloading(void)
{
	struct timespec now;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now.tv_sec * 1000000u +
			 (unsigned long long)now.tv_nsec / 1000u);
	tell(text, true);
}

void service_stopping(void)
{
	tell("STOPPING=1", true);
}

void service_alive(void)
{
	tell("WATCHDOG=1", false);
}
