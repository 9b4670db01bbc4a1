/* SPDX-License-Identifier: MIT */
/* poisectl: status for the eye, once or live, with a bar for each VM. */
#include "top.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define BAR_WIDTH     32
#define PAGES_PER_MIB 256.0

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static double mib(const json_t *object, const char *key)
{
	return (double)ctl_number(object, key) / PAGES_PER_MIB;
}

/*
 * A VM's memory from 0 to its limit: '#' is in use, '=' could be reclaimed or is free, '.' is not
 * its own now; '|' marks the reservation.
 */
static void draw_bar(const json_t *vm, char bar[BAR_WIDTH + 1])
{
	const double max = mib(vm, "max") > 0.0 ? mib(vm, "max") : 1.0;
	const json_t *guest = json_object_get(vm, "guest");
	const double actual = mib(vm, "actual");
	const double idle = mib(guest, "free") + mib(guest, "file") / 2.0;
	const double used = ctl_number(guest, "total") == 0 ? actual
			    : actual > idle                 ? actual - idle
							    : 0.0;
	const int reservation = (int)(mib(vm, "min") / max * BAR_WIDTH);

	for (int i = 0; i < BAR_WIDTH; i++) {
		const double at = ((double)i + 0.5) / BAR_WIDTH * max;

		bar[i] = at < used ? '#' : at < actual ? '=' : '.';
	}
	if (reservation < BAR_WIDTH) {
		bar[reservation] = '|';
	}
	bar[BAR_WIDTH] = '\0';
}

static void draw_vm(const json_t *vm)
{
	const json_t *guest = json_object_get(vm, "guest");
	char bar[BAR_WIDTH + 1];
	size_t i;
	json_t *alarm;

	draw_bar(vm, bar);
	printf("%-12.12s %-11s %-5s [%s] %7.1f %7.1f %+7.1f %7.1f %9lld", ctl_text(vm, "vm"),
	       ctl_text(vm, "state"), ctl_text(vm, "source"), bar, mib(vm, "actual"),
	       mib(vm, "target"), mib(vm, "demand"), mib(vm, "reclaimable"),
	       ctl_number(guest, "swap_out"));
	json_array_foreach(json_object_get(vm, "alarms"), i, alarm)
	{
		printf(" !%s", json_string_value(alarm));
	}
	putchar('\n');
}

void top_table(const json_t *status)
{
	size_t i;
	json_t *vm;

	printf("poised %s  %s  pool %.1f MiB  free %.1f  host free %.1f  ticks %lld  up %lld s\n",
	       ctl_text(status, "version"), ctl_text(status, "backend"), mib(status, "pool"),
	       mib(status, "free"), mib(status, "host_free"), ctl_number(status, "ticks"),
	       ctl_number(status, "uptime_ms") / 1000);
	printf("%-12s %-11s %-5s  %-32s  %7s %7s %7s %7s %9s\n", "VM", "STATE", "FROM",
	       "0 .. max (# used, = idle)", "MiB", "TARGET", "DEMAND", "RECLAIM", "SWAP-OUT");
	json_array_foreach(json_object_get(status, "vms"), i, vm)
	{
		draw_vm(vm);
	}
	fflush(stdout);
}

int top_run(FILE *stream, unsigned count, unsigned ms)
{
	const struct timespec pause = {.tv_sec = (time_t)(ms / 1000u),
				       .tv_nsec = (long)(ms % 1000u) * 1000000L};
	const struct sigaction action = {.sa_handler = end};
	const int live = isatty(STDOUT_FILENO);

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (unsigned i = 0; ended == 0 && (count == 0 || i < count); i++) {
		json_t *status = ctl_ask(stream, json_pack("{s:s}", "do", "status"));

		if (status == NULL) {
			return ended != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		}
		if (live) {
			fputs("\033[H\033[J", stdout);
		}
		top_table(status);
		json_decref(status);
		if (count == 0 || i + 1u < count) {
			nanosleep(&pause, NULL);
		}
	}
	return EXIT_SUCCESS;
}
