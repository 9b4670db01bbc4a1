/* SPDX-License-Identifier: MIT */
/*
 * What systemd wants to hear (sd_notify(3)): a datagram to the socket in $NOTIFY_SOCKET. Written
 * out, as that protocol is stable by promise and a set-top box has no libsystemd. Without the
 * variable nothing happens.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

void service_ready(void);
void service_reloading(void);
void service_stopping(void);
/* The loop turns: feeds the watchdog. */
void service_alive(void);

#endif
