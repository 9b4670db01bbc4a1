/* SPDX-License-Identifier: MIT */
/* Tells systemd; see service.h. */
#include "service.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static void tell(const char *text)
{
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
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
		log_line(LOG_LEVEL_DEBUG, "the service manager cannot be told: %s", text);
	}
	if (fd >= 0) {
		close(fd);
	}
}

void service_ready(void)
{
	tell("READY=1\nSTATUS=balancing");
}

void service_reloading(void)
{
	struct timespec now;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)now.tv_sec * 1000000u +
			 (unsigned long long)now.tv_nsec / 1000u);
	tell(text);
}

void service_stopping(void)
{
	tell("STOPPING=1");
}

void service_alive(void)
{
	tell("WATCHDOG=1");
}
