/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's side of the Linux module under Xen, in dom0: takes what a domain announces below
 * data/poise, maps its pages, rings back. Prints PASS and FAIL lines; the test's script reads them.
 *	peer show DOMID		takes everything once and prints the generation
 *	peer stay DOMID		one life of the module: until it is unloaded, and a bit longer
 */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "poise.h"

#define LIMIT_MS    240000
#define TOTAL_PAGES 65536u /* more than the domain has */
#define INTERVAL_MS 100u

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void breathe(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* Prints the verdict; a failure ends the program. */
static void check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check(bool good, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs(good ? "PASS: xen: " : "FAIL: xen: ", stdout);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	if (!good) {
		exit(1);
	}
}

struct peer {
	struct xs_handle *store;
	xengnttab_handle *grants;
	xenevtchn_handle *events;
	uint32_t domid;
	uint32_t guest_ref, host_ref, channel;
	char generation[17];
	const struct poise_guest_page *guest;
	struct poise_host_page *host;
};

/* A node as text; "" if it is not there. */
static const char *node(struct peer *p, const char *name)
{
	static char text[64];
	char path[96];
	unsigned length = 0;
	snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/data/poise/%s", p->domid, name);
	char *value = xs_read(p->store, XBT_NULL, path, &length);
	snprintf(text, sizeof(text), "%s", value != NULL ? value : "");
	free(value);
	return text;
}

static uint32_t number(struct peer *p, const char *name)
{
	const char *text = node(p, name);
	const size_t length = strspn(text, "0123456789");
	check(length >= 1 && length <= 9 && text[length] == 0, "%s is a number: '%s'", name, text);
	return (uint32_t)strtoul(text, NULL, 10);
}

static void take(struct peer *p)
{
	check(strcmp(node(p, "version"), "1") == 0, "version 1 is announced");
	p->guest_ref = number(p, "guest-ref");
	p->host_ref = number(p, "host-ref");
	p->channel = number(p, "event-channel");
	snprintf(p->generation, sizeof(p->generation), "%s", node(p, "generation"));
	check(strspn(p->generation, "0123456789abcdef") == 16 &&
		      strcmp(p->generation, "0000000000000000") != 0,
	      "generation has 16 digits: '%s'", p->generation);
	p->guest = xengnttab_map_grant_ref(p->grants, p->domid, p->guest_ref, PROT_READ);
	p->host = xengnttab_map_grant_ref(p->grants, p->domid, p->host_ref, PROT_READ | PROT_WRITE);
	check(p->guest != NULL && p->host != NULL, "both pages are granted to this domain");
}

static void give_back(struct peer *p)
{
	check(xengnttab_unmap(p->grants, (void *)(uintptr_t)p->guest, 1) == 0 &&
		      xengnttab_unmap(p->grants, p->host, 1) == 0,
	      "both pages are unmapped");
}

static struct poise_sample sample(struct peer *p)
{
	const uint64_t limit = now_ms() + LIMIT_MS;
	struct poise_sample s;
	enum poise_err err;
	do {
		err = poise_page_read(p->guest, TOTAL_PAGES, &s);
	} while (err == POISE_E_TORN && now_ms() < limit);
	if (err != POISE_OK) {
		check(false, "the page makes sense: %s", poise_err_name(err));
	}
	return s;
}

static void stay(struct peer *p)
{
	struct poise_sample s = sample(p);
	check(s.body.total_pages > 0 && s.body.free_pages > 0 && s.body.guest_ms > 0,
	      "the first update is there: %" PRIu64 " pages, %" PRIu64 " free", s.body.total_pages,
	      s.body.free_pages);
	check(xengnttab_map_grant_ref(p->grants, p->domid, p->guest_ref, PROT_READ | PROT_WRITE) ==
		      NULL,
	      "the guest page is granted read-only");

	/* The host page is read: the interval is taken. */
	struct poise_host_writer writer = {0};
	const struct poise_notice notice = {.boot_id = s.boot_id,
					    .interval_ms = INTERVAL_MS,
					    .target_pages = s.body.total_pages,
					    .epoch = 1,
					    .state = POISE_HOST_STATE_MANAGED};
	poise_host_page_write(p->host, &writer, &notice);
	const uint64_t from = s.body.sample + 2;
	uint64_t limit = now_ms() + LIMIT_MS;
	while (s.body.sample < from && now_ms() < limit) {
		breathe();
		s = sample(p);
	}
	const struct poise_sample first = s;
	while (s.body.sample < first.body.sample + 10 && now_ms() < limit) {
		breathe();
		s = sample(p);
	}
	const uint64_t took = s.body.guest_ms - first.body.guest_ms;
	check(s.body.sample >= first.body.sample + 10 && took < 10 * 1000,
	      "the interval is taken: 10 updates in %" PRIu64 " ms", took);

	/* The doorbell. The script makes memory short now. */
	const uint32_t word = poise_page_urgent(p->guest);
	const xenevtchn_port_or_error_t port =
		xenevtchn_bind_interdomain(p->events, p->domid, p->channel);
	check(port >= 0, "the event channel is for this domain");
	/* Binding makes it pending once. */
	while (poll(&(struct pollfd){.fd = xenevtchn_fd(p->events), .events = POLLIN}, 1, 1000) >
	       0) {
		xenevtchn_unmask(p->events, (evtchn_port_t)xenevtchn_pending(p->events));
	}
	puts("now: short");
	fflush(stdout);
	const int rung = poll(&(struct pollfd){.fd = xenevtchn_fd(p->events), .events = POLLIN}, 1,
			      LIMIT_MS);
	check(rung > 0 && xenevtchn_pending(p->events) == port, "the doorbell rings");
	check(poise_page_urgent(p->guest) != word, "the urgent word has changed before it");

	/* Unloaded while mapped. */
	puts("now: unload");
	fflush(stdout);
	limit = now_ms() + LIMIT_MS;
	while (node(p, "generation")[0] != 0 && now_ms() < limit) {
		breathe();
	}
	check(node(p, "generation")[0] == 0 && node(p, "guest-ref")[0] == 0 &&
		      node(p, "version")[0] == 0,
	      "unloading takes the announcement back");
	s = sample(p);
	puts("now: use memory");
	fflush(stdout);
	if (getchar() != '\n') {
		check(false, "the script goes on");
	}
	const struct poise_sample last = sample(p);
	check(memcmp(&s, &last, sizeof(s)) == 0,
	      "a page that is still mapped has no other use: it stays as it was left");
}

int main(int argc, char **argv)
{
	struct peer p = {.store = xs_open(0),
			 .grants = xengnttab_open(NULL, 0),
			 .events = xenevtchn_open(NULL, 0)};
	if (argc != 3 || p.store == NULL || p.grants == NULL || p.events == NULL) {
		fputs("usage: peer show|stay DOMID, in dom0\n", stderr);
		return 2;
	}
	p.domid = (uint32_t)strtoul(argv[2], NULL, 10);
	take(&p);
	if (strcmp(argv[1], "stay") == 0) {
		stay(&p);
	} else {
		(void)sample(&p);
	}
	give_back(&p);
	printf("generation %s\n", p.generation);
	return 0;
}
